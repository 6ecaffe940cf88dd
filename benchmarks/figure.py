"""Figure: one measured number beside the bar it must hold, printed as one JSON object a line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
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


def print_figures(figures: Iterable[Figure]) -> None:
    """Prints each figure as it comes; exits with 1 at the end if one missed its bar."""
    missed = False
    for figure in figures:
        print(json.dumps(asdict(figure), ensure_ascii=False), flush=True)
        missed = missed or figure.holds is False
    if missed:
        sys.exit(1)
