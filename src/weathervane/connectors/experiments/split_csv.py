"""Split CSV: an existing split as one row a geo: `geo,group[,cell]`, the group being treatment, control or excluded."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from weathervane.contracts.errors import BadInput
from weathervane.contracts.experiment_design import ExcludedGeo, ExistingSplit

_TREATED = {"treatment", "treated", "test", "1"}
_CONTROL = {"control", "0"}
_EXCLUDED = {"excluded", "exclude", ""}


def read_split_csv(path: Path) -> ExistingSplit:
    """The split of a file; without a `cell` column all treated geos are one cell. BadInput for an unknown group."""
    try:
        rows = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadInput(f"{path.name} is no readable CSV.", "save it as CSV UTF-8 with a header.") from error
    names = {column.strip().lower(): column for column in rows.columns}
    missing = {"geo", "group"} - set(names)
    if missing:
        raise BadInput(f"{path.name} has no column {min(missing)!r}.", "give it the columns geo and group.")
    cells = rows[names["cell"]].to_list() if "cell" in names else [None] * rows.height
    treated: dict[str, list[str]] = {}
    control: list[str] = []
    excluded: list[ExcludedGeo] = []
    for geo, group, cell in zip(rows[names["geo"]].to_list(), rows[names["group"]].to_list(), cells, strict=True):
        arm = str(group or "").strip().lower()
        if arm in _TREATED:
            treated.setdefault(str(cell or "treated").strip(), []).append(str(geo).strip())
        elif arm in _CONTROL:
            control.append(str(geo).strip())
        elif arm in _EXCLUDED:
            excluded.append(ExcludedGeo(str(geo).strip(), f"{path.name} excludes it."))
        else:
            raise BadInput(f"{path.name} puts {geo} into {group!r}.", "write treatment, control or excluded.")
    return ExistingSplit(
        path.name,
        {name: tuple(sorted(geos)) for name, geos in treated.items()},
        tuple(sorted(control)),
        tuple(excluded),
    )
