"""Forecast: error, coverage and the value of weather on public sets and in worlds of known truth; time and memory."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure, print_figures
from benchmarks.forecast.archived import archived
from benchmarks.forecast.broken import broken
from benchmarks.forecast.known_truth import known_truth
from benchmarks.forecast.on_public_sets import figures_of
from benchmarks.forecast.public_sets import SETS
from benchmarks.forecast.speed import speed

_PARTS = (*(one.name for one in SETS), "archived", "worlds", "broken", "speed")
_FEW_SERIES = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="few series and worlds, three months of origins")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the public sets")
    parser.add_argument("--only", choices=_PARTS, help="one part alone")
    asked = parser.parse_args()
    print_figures(_figures(asked.only, asked.data, small=asked.small))


def _figures(only: str | None, data: Path, *, small: bool) -> Iterator[Figure]:
    for one in SETS:
        if only in (None, one.name):
            if not (data / "demand_weather").exists():
                yield Figure(f"{one.name}_wape", float("nan"), "%", note=f"left out: no data in {data}")
                continue
            yield from figures_of(one, data, _FEW_SERIES if small else None)
    if only in (None, "archived") and (data / "weather").exists():
        yield from archived(data, 2 if small else 10)
    if only in (None, "worlds"):
        yield from known_truth(8 if small else 67)
    if only in (None, "broken"):
        yield from broken(3 if small else 30)
    if only in (None, "speed"):
        yield from speed(90 if small else 365)


if __name__ == "__main__":
    main()
