"""Figure: one measured number beside the bar it must hold, printed as one JSON object a line."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """`holds` is None where there is no bar, and the figure is only worth knowing."""

    figure: str
    value: float
    unit: str
    bar: str = ""
    holds: bool | None = None
    note: str = ""


def print_figures(figures: Sequence[Figure]) -> None:
    """Prints the figures; exits with 1 if one misses its bar."""
    for figure in figures:
        print(json.dumps(asdict(figure), ensure_ascii=False), flush=True)
    if any(figure.holds is False for figure in figures):
        sys.exit(1)
