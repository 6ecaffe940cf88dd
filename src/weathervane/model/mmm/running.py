"""How JAX runs here: in 64 bits, several programs side by side, and none of them waiting for another forever."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import jax

_AT_ONCE = min(4, os.cpu_count() or 1)  # there are four chains
# Both are read when JAX starts. NPROC is the size of XLA's own pool of threads, else the number of cores. Its LAPACK
# kernels cut a batch (here: of places) into parts for that pool and wait for them on one of its threads: once all its
# threads wait so, they do forever (seen with two programs on two cores). A pool of one is not asked. Threads inside a
# product only get in the way of ours; without them sums, and so results, do not depend on cores.
os.environ.setdefault("NPROC", "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
jax.config.update("jax_enable_x64", True)

Given = TypeVar("Given")
Made = TypeVar("Made")


def side_by_side(do: Callable[[Given], Made], each: Iterable[Given]) -> list[Made]:
    """What `do` makes of each, in their order, a thread a core; no number may depend on which is first."""
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        return list(pool.map(do, each))
    finally:
        # Whoever stops it does not wait for what nobody wants any more.
        pool.shutdown(wait=False, cancel_futures=True)
