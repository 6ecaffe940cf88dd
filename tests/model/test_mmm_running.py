"""Programs side by side: they end, in the order they were asked for, and a failure is told."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from weathervane.model.mmm.running import side_by_side

# A batch of places is factorised and solved in a compiled loop, as every step of a chain does, by two threads.
_TWO_CHAINS = """
from weathervane.model.mmm.running import side_by_side
import jax, jax.numpy as jnp

@jax.jit
def steps(k):
    def one(state):
        i, x = state
        root = jnp.linalg.cholesky(x)
        inverse = jax.scipy.linalg.solve_triangular(root, jnp.broadcast_to(jnp.eye(32), x.shape), lower=True)
        return i + 1, x + 1e-9 * inverse.mT @ inverse

    return jax.lax.while_loop(lambda state: state[0] < 50, one, (0, k))[1]

places = jnp.broadcast_to(jnp.eye(32), (64, 32, 32))
print(len(side_by_side(lambda _: float(steps(places).sum()), range(60))))
"""


def test_chains_of_many_places_do_not_wait_for_each_other() -> None:
    # In a process of its own: one that waits forever can only be killed.
    alone = {name: value for name, value in os.environ.items() if name != "NPROC"} | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", _TWO_CHAINS], capture_output=True, text=True, timeout=100, check=True, env=alone
    )
    assert done.stdout.strip() == "60"


def test_results_keep_their_order() -> None:
    def late(i: int) -> int:
        time.sleep(0.01 * (5 - i))
        return i

    assert side_by_side(late, range(5)) == [0, 1, 2, 3, 4]


def test_a_failure_is_told_and_the_rest_is_not_begun() -> None:
    begun: list[int] = []

    def fail(i: int) -> None:
        begun.append(i)
        time.sleep(0.01)
        raise ArithmeticError(f"{i} failed")

    with pytest.raises(ArithmeticError, match="0 failed"):
        side_by_side(fail, range(100))
    assert len(begun) < 20
