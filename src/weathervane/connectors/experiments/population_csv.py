"""Population CSV: people by geo, as `geo,population`, for arms that hold their share of the people."""

from __future__ import annotations

import math
from pathlib import Path

import polars as pl

from weathervane.connectors.experiments.long_csv import GEO
from weathervane.contracts.errors import BadInput


def read_population(path: Path) -> dict[str, float]:
    """People by geo. BadInput for a file without the columns, a geo named twice, or a count that is none."""
    try:
        rows = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadInput(
            f"{path.name} is not a readable CSV file.", "save it as CSV UTF-8 with geo,population."
        ) from error
    by_lower = {name.strip().lower(): name for name in rows.columns}
    geo = next((by_lower[name] for name in GEO if name in by_lower), None)
    if geo is None or "population" not in by_lower:
        raise BadInput(f"{path.name} lacks a column.", "give it the columns geo and population.")
    found: dict[str, float] = {}
    for name, text in zip(rows[geo].to_list(), rows[by_lower["population"]].to_list(), strict=True):
        try:
            count = float(text)
        except (TypeError, ValueError):
            count = math.nan
        if name is None or name in found or not (math.isfinite(count) and count > 0.0):
            raise BadInput(f"{path.name} has {text!r} people for {name!r}.", "give each geo one positive count.")
        found[str(name).strip()] = count
    return found
