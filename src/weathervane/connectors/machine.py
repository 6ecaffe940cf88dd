"""The machine: its native libraries, each tried in a process of its own, and its cores, memory, disk and clock."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from weathervane.contracts.machine import MachineCheck

_TIMEOUT_S = 120.0
_AT_ONCE = 2
_GIB = 1024**3
# No honest clock stands before the year in which the dependencies were locked.
_LOCKED = date(2026, 1, 1)
_REINSTALL = "run `make clean setup`, which installs the locked versions anew."

_JAX = """
import jax, jaxlib
jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
total = jax.jit(lambda x: (x * x).sum())(jnp.arange(10, dtype=jnp.float64))
if total.dtype != jnp.float64 or float(total) != 285.0:
    raise ArithmeticError(f"the sum of squares below 10 came out as {total!r}")
print(f"jax {jax.__version__}, jaxlib {jaxlib.__version__}, 64-bit arithmetic right")
"""
_MATPLOTLIB = """
import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot
print(matplotlib.__version__)
"""


@dataclass(frozen=True)
class Probe:
    """Python code that prints a version if a library works; `remedy` is for when it does not."""

    name: str
    code: str
    required: bool = True
    remedy: str = _REINSTALL


def _version(module: str, distribution: str | None = None) -> str:
    return f"import importlib.metadata, {module}; print(importlib.metadata.version({distribution or module!r}))"


PROBES = (
    Probe("jax", _JAX),
    Probe("numpy", "import numpy; numpy.linalg.inv(numpy.eye(3)); print(numpy.__version__)"),
    Probe("scipy", "import scipy.linalg, scipy.optimize; print(scipy.__version__)"),
    Probe("polars", "import polars; polars.DataFrame({'a': [1]}).sum(); print(polars.__version__)"),
    Probe("pyarrow", "import pyarrow.parquet; print(pyarrow.__version__)"),
    Probe("duckdb", "import duckdb; duckdb.sql('select 1').fetchall(); print(duckdb.__version__)"),
    Probe("matplotlib", _MATPLOTLIB),
    Probe("pydantic-core", "import pydantic, pydantic_core; print(pydantic_core.__version__)"),
    Probe("sqlalchemy", _version("sqlalchemy.orm", "sqlalchemy")),
)
POSTGRES = Probe(
    "psycopg",
    _version("psycopg"),
    required=False,
    remedy="only for PostgreSQL: `pip install 'weathervane[postgres]'`.",
)


def try_libraries(probes: Sequence[Probe]) -> list[MachineCheck]:
    """Runs each probe in its own process, two at a time; a crash or a hang there becomes a finding here."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(_try, probes))


def _try(probe: Probe) -> MachineCheck:
    try:
        # -P: a stray numpy.py in the working folder is not the library.
        done = subprocess.run(
            [sys.executable, "-P", "-c", probe.code],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return _failed(probe, f"gave no answer in {_TIMEOUT_S:.0f} s")
    except OSError as error:
        return _failed(probe, f"could not be started: {error.strerror}")
    if done.returncode < 0:
        return _failed(probe, f"crashed with {_signal_name(-done.returncode)}")
    if done.returncode > 0:
        return _failed(probe, (done.stderr.strip().splitlines() or ["failed without a word"])[-1])
    return MachineCheck(probe.name, ok=True, required=probe.required, found=done.stdout.strip(), remedy="")


def _failed(probe: Probe, found: str) -> MachineCheck:
    return MachineCheck(probe.name, ok=False, required=probe.required, found=found, remedy=probe.remedy)


def _signal_name(number: int) -> str:
    meaning = {
        signal.SIGSEGV: "it touched memory that is not its own",
        signal.SIGILL: "this processor lacks an instruction it was built for",
        signal.SIGKILL: "it was killed, perhaps for lack of memory",
        signal.SIGBUS: "the disk or memory behind it is damaged or full",
    }
    try:
        name = signal.Signals(number)
    except ValueError:
        return f"signal {number}"
    return f"{name.name} ({meaning[name]})" if name in meaning else name.name


def look_at_python() -> MachineCheck:
    """Whether the interpreter is one we are tested on."""
    found = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    ok = (3, 11) <= sys.version_info[:2] < (3, 14)
    return _check("python", found, ok=ok, remedy="use Python 3.11, 3.12 or 3.13: `make clean setup PYTHON=python3.11`.")


def look_at_cores() -> MachineCheck:
    """Processor cores this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    remedy = "fits take twice as long on one core; two or more are better."
    return _extra("cores", str(cores), ok=cores >= 2, remedy=remedy)


def memory_bytes() -> int:
    """Memory of the machine, or of the container it runs in where that is less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")):
        if limit.is_file() and (text := limit.read_text().strip()).isdigit():
            total = min(total, int(text))
    return total


def look_at_memory() -> MachineCheck:
    """Whether there is enough of it."""
    total = memory_bytes()
    remedy = "4 GB are comfortable; close other programs, or use a larger machine."
    return _extra("memory", f"{total / _GIB:.1f} GiB", ok=total >= 3.5 * _GIB, remedy=remedy)


def look_at_state(state: Path) -> list[MachineCheck]:
    """Whether the state folder can be written, and what room is left there."""
    state = state.expanduser().absolute()
    here = next(folder for folder in (state, *state.parents) if folder.exists())
    elsewhere = "choose another folder with --state, or mend its permissions."
    try:
        with tempfile.TemporaryFile(dir=here):
            pass
    except OSError as error:
        found = f"{here}: {error.strerror}"
        return [_check("state folder", found, ok=False, remedy=elsewhere)]
    free = shutil.disk_usage(here).free
    room = f"{free / _GIB:.1f} GiB free"
    return [
        _check("state folder", f"{state} can be written", ok=True, remedy=""),
        _check("disk", room, ok=free >= _GIB, remedy="free 1 GiB there, or choose another folder with --state."),
    ]


def look_at_clock(now: datetime) -> MachineCheck:
    """Whether the clock may be right: what is known at a time rests on it."""
    ok = now.astimezone(UTC).date() >= _LOCKED
    return _check(
        "clock", f"{now:%Y-%m-%d %H:%M} UTC", ok=ok, remedy="set the clock; all that is stored is dated by it."
    )


def look_at_extras(web: Path | None) -> list[MachineCheck]:
    """Node, Chromium and the built page: only for the page in the browser and its tests."""
    node, browser = shutil.which("node"), _chromium()
    version = _run([node, "--version"]) if node else ""
    recent = bool((match := re.match(r"v(\d+)", version)) and int(match[1]) >= 20)
    built = web is not None and (web / "index.html").is_file()
    return [
        _extra("node", version or "not found", ok=recent, remedy="only to build the page: install Node 20 or newer."),
        _extra("chromium", browser or "not found", ok=browser is not None, remedy="only for the web tests."),
        _extra("page", "built" if built else "not built", ok=built, remedy="only for `serve`: run `make serve`."),
    ]


def _chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


def _run(command: Sequence[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _check(name: str, found: str, *, ok: bool, remedy: str) -> MachineCheck:
    return MachineCheck(name, ok=ok, required=True, found=found, remedy="" if ok else remedy)


def _extra(name: str, found: str, *, ok: bool, remedy: str) -> MachineCheck:
    return MachineCheck(name, ok=ok, required=False, found=found, remedy="" if ok else remedy)
