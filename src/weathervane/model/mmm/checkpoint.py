"""Checkpoint: what a fit has drawn so far, so that one that was stopped goes on from its last block (mmm.md,
"Stopping and going on").

A name is made of everything the draws depend on, so that what was kept of other data, priors, seed or libraries is
never found. Generators are kept with their state: what is drawn after going on is what would have been drawn.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from weathervane.model.mmm.likelihood import Data, Form
from weathervane.model.mmm.sampler import Chain, Density, Drawn, Peak, Tuned

Floats = NDArray[np.float64]
_LIBRARIES = ("weathervane", "jax", "jaxlib", "numpy", "scipy")


class Checkpoint(Protocol):
    """A place that keeps bytes by name."""

    def load(self, name: str) -> bytes | None:
        """What was kept under that name; None where nothing was."""
        ...

    def save(self, name: str, data: bytes) -> None:
        """Keeps it, whole or not at all."""
        ...


class Nowhere:
    """Keeps nothing."""

    def load(self, name: str) -> bytes | None:
        """Nothing, whatever the name."""
        del name

    def save(self, name: str, data: bytes) -> None:
        """Lets it go."""
        del name, data


@dataclass(frozen=True)
class Sampling:
    """A sampler between two blocks: where it is, what it has drawn, and how often its steps were made shorter."""

    tuned: Tuned
    drawn: list[Drawn]
    shorter: int


@dataclass(frozen=True)
class Kept:
    """What is kept of one fit."""

    checkpoint: Checkpoint
    name: str

    def peak(self, find: Callable[[], Peak]) -> Peak:
        """The peak that was found before, or the one found now, which is kept."""
        name = f"{self.name}-peak"
        known = self.checkpoint.load(name)
        if known is not None:
            arrays = _unpacked(known)
            return Peak(arrays["mode"], arrays["root"])
        found = find()
        self.checkpoint.save(name, _packed({"mode": found.mode, "root": found.root}))
        return found

    def sampling(self, method: str, density: Density) -> Sampling | None:
        """Where sampling `density` by `method` had got to; None where it had not finished a block."""
        known = self.checkpoint.load(f"{self.name}-{method}")
        if known is None:
            return None
        arrays = _unpacked(known)
        chains = [
            Chain(position, float(value), gradient, _generator(str(state)))
            for position, value, gradient, state in zip(
                arrays["position"], arrays["log_density"], arrays["gradient"], arrays["generator"], strict=True
            )
        ]
        peak = Peak(arrays["mode"], arrays["root"])
        drawn = [Drawn(*parts) for parts in zip(arrays["draws"], arrays["energy"], arrays["diverging"], strict=True)]
        return Sampling(Tuned(density, peak, float(arrays["step"]), tuple(chains)), drawn, int(arrays["shorter"]))

    def keep(self, method: str, at: Sampling) -> None:
        """Keeps where sampling has got to."""
        tuned, drawn = at.tuned, at.drawn
        arrays = {
            "mode": tuned.peak.mode,
            "root": tuned.peak.root,
            "step": np.array(tuned.step),
            "shorter": np.array(at.shorter),
            "position": np.stack([chain.position for chain in tuned.chains]),
            "log_density": np.array([chain.log_density for chain in tuned.chains]),
            "gradient": np.stack([chain.gradient for chain in tuned.chains]),
            "generator": np.array([_state(chain.rng) for chain in tuned.chains]),
            "draws": np.stack([each.draws for each in drawn]),
            "energy": np.stack([each.energy for each in drawn]),
            "diverging": np.stack([each.diverging for each in drawn]),
        }
        self.checkpoint.save(f"{self.name}-{method}", _packed(arrays))


def kept_of(checkpoint: Checkpoint, data: Data, form: Form, seed: int, start: Floats, n: int) -> Kept:
    """What is kept of the fit of these data by this form and seed, from `start` [d], in blocks of `n` draws."""
    of = hashlib.sha256(repr((form, seed, n, [(name, version(name)) for name in _LIBRARIES])).encode())
    for name, values in (*data._asdict().items(), ("start", start)):
        plain = np.asarray(values)
        of.update(repr((name, plain.dtype.str, plain.shape)).encode())
        of.update(np.ascontiguousarray(plain).tobytes())
    return Kept(checkpoint, of.hexdigest()[:20])


def _packed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _unpacked(data: bytes) -> dict[str, NDArray[Any]]:
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _state(rng: np.random.Generator) -> str:
    return json.dumps(rng.bit_generator.state)


def _generator(state: str) -> np.random.Generator:
    rng = np.random.default_rng()
    rng.bit_generator.state = json.loads(state)
    return rng
