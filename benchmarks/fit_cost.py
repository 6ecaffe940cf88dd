"""What training costs beside what it said it would: CPU seconds and memory of panels of many sizes.

    python -m benchmarks.fit_cost [--small] [--made-from]

Each size runs in a process of its own, compiling included: a fit, the placebo tests, and the refit for unseen weeks.
The sizes are others than the rule of engines.md, "Time and memory", was made from; `--made-from` runs those.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from benchmarks.figure import Figure, print_figures
from benchmarks.panels import simulate
from weathervane.model.mmm.cost import hierarchical_cost
from weathervane.model.mmm.engine import MediaMixSpec, fit, placebo_test
from weathervane.model.mmm.unseen import can_be_tested, unseen_weeks

Size = tuple[int, int, int, int]  # places, periods, days a period, channels
MADE_FROM: tuple[Size, ...] = (
    (1, 104, 7, 3), (1, 208, 7, 8), (6, 104, 7, 4), (6, 208, 7, 10), (2, 400, 1, 3), (24, 104, 7, 4), (40, 168, 7, 5),
    (20, 400, 1, 4), (40, 730, 1, 5),
)  # fmt: skip
OTHERS: tuple[Size, ...] = (
    (1, 156, 7, 5), (3, 130, 7, 6), (16, 156, 7, 3), (50, 110, 7, 8), (10, 500, 1, 6), (30, 600, 1, 4),
)  # fmt: skip
_ONE = "--one"


def cpu() -> float:
    """CPU seconds of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def run_one(g: int, t: int, step: int, c: int) -> None:
    """Trains on a panel of that size, and prints what it cost and what it was expected to."""
    panel = simulate(g, t, c, step, seed=1).panel
    spec = MediaMixSpec(step="week" if step == 7 else "day")
    expected = hierarchical_cost(g, t, step, c, n_fits=1 + can_be_tested(panel))
    before = cpu()
    found = fit(panel, spec, 1)
    placebo_test(panel, spec)
    unseen_weeks(panel, spec.priors, 1, lambda _: None, start=found.peak)
    print(
        json.dumps(
            {
                "seconds": cpu() - before,
                "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                "expected": [expected.cpu_seconds, expected.memory_bytes],
                "blocks": len(found.roi) // 800,
            }
        )
    )


def figures(sizes: tuple[Size, ...]) -> Iterator[Figure]:
    """Measured over expected, of time and of memory, size by size."""
    for size in sizes:
        command = [sys.executable, "-m", "benchmarks.fit_cost", _ONE, *map(str, size)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found: dict[str, Any] = json.loads(done.stdout)
        g, t, step, c = size
        name = f"{g} x {t} {'weeks' if step == 7 else 'days'} x {c}"
        seconds, memory = found["expected"]
        note = f"{found['blocks']} blocks of draws"
        yield Figure(f"{name}: CPU, measured over expected", found["seconds"] / seconds, "ratio", note=note)
        yield Figure(f"{name}: memory, measured over expected", found["memory"] / memory, "ratio")


def main() -> None:
    """Reads the command line and prints the figures."""
    if sys.argv[1:2] == [_ONE]:
        g, t, step, c = (int(word) for word in sys.argv[2:])
        run_one(g, t, step, c)
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="the two smallest")
    parser.add_argument("--made-from", action="store_true", help="the sizes the rule was made from")
    chosen = parser.parse_args()
    sizes = MADE_FROM if chosen.made_from else OTHERS
    print_figures(figures(sizes[:2] if chosen.small else sizes))


if __name__ == "__main__":
    main()
