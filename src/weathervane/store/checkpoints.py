"""Checkpoints: what an unfinished training has drawn so far, kept until its fit is registered."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from weathervane.store.atomic import unusable, write_atomically
from weathervane.store.paths import Store

_DIGEST = 32


@dataclass(frozen=True)
class Checkpoints:
    """Bytes by name in the tenant's folder of checkpoints; those kept by other code have other names."""

    store: Store
    _asked: set[Path] = field(default_factory=set[Path], init=False, repr=False)

    def load(self, name: str) -> bytes | None:
        """What was kept under that name; None where nothing was, or where the disk has changed it since."""
        self._asked.add(self._path(name))
        try:
            kept = self._path(name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unusable(self._path(name), error) from error
        digest, data = kept[:_DIGEST], kept[_DIGEST:]
        return data if hashlib.sha256(data).digest() == digest else None

    def save(self, name: str, data: bytes) -> None:
        """Keeps it under that name, whole or not at all. StateUnusable where the place cannot be written."""
        self._asked.add(self._path(name))
        write_atomically(self._path(name), hashlib.sha256(data).digest() + data)

    def clear(self) -> None:
        """Lets go of everything kept of this tenant, of whatever code."""
        try:
            shutil.rmtree(self.store.checkpoints)
        except FileNotFoundError:
            return
        except OSError as error:
            raise unusable(self.store.checkpoints, error) from error

    def clear_others(self) -> None:
        """Lets go of what was not asked for here, which is of other data or code; nothing if nothing was."""
        for path in self.store.checkpoints.glob("*.npz") if self._asked else ():
            if path not in self._asked:
                path.unlink(missing_ok=True)

    @property
    def n_kept(self) -> int:
        """How many things are kept by this code."""
        return len(list(self.store.checkpoints.glob(f"{_code()}-*.npz")))

    def _path(self, name: str) -> Path:
        return self.store.checkpoints / f"{_code()}-{name}.npz"


@lru_cache(maxsize=1)
def _code() -> str:
    """A name for the code of the package as it stands on the disk: one changed line, and draws may be others."""
    root = Path(__file__).parents[1]
    whole = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        whole.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()[:12]
