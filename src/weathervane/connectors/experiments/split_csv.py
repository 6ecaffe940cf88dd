"""Split CSV: an existing split as `geo,group[,cell]`, the group being treatment, control or excluded.

A long CSV, with a row a geo and day, is read as well: a geo that is ever treated is treated.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from weathervane.connectors.experiments.long_csv import GEO
from weathervane.contracts.errors import BadInput
from weathervane.contracts.experiment_design import ExcludedGeo, ExistingSplit

_GROUP = ("group", "arm", "treated", "treatment")
_TREATED = {"treatment", "treated", "test", "1", "true"}
_CONTROL = {"control", "0", "false"}
_EXCLUDED = {"excluded", "exclude", ""}


def read_split_csv(path: Path) -> ExistingSplit:
    """The split of a file; without a `cell` column all treated geos are one cell. BadInput for an unknown group."""
    try:
        rows = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadInput(f"{path.name} is not a readable CSV file.", "save it as CSV UTF-8 with a header.") from error
    names = {column.strip().lower(): column for column in reversed(rows.columns)}
    geo, group = (_column(path, names, usual) for usual in (GEO, _GROUP))
    cells = rows[names["cell"]].to_list() if "cell" in names else [None] * rows.height
    arms: dict[str, set[tuple[str, str]]] = {}
    for place, said, cell in zip(rows[geo].to_list(), rows[group].to_list(), cells, strict=True):
        if place is None or not str(place).strip():
            raise BadInput(f"{path.name} has a row without a geo.", "name the geo of every row.")
        arms.setdefault(str(place).strip(), set()).add(_arm(path, str(place), said, cell))
    treated: dict[str, list[str]] = {}
    control: list[str] = []
    excluded: list[ExcludedGeo] = []
    for place, found in arms.items():
        names_of = sorted(cell for arm, cell in found if arm == "treatment")
        if len(names_of) > 1 or {"control", "excluded"} <= {arm for arm, _ in found}:
            raise BadInput(f"{path.name} puts the geo {place} into two arms.", "give each geo one arm.")
        if names_of:
            treated.setdefault(names_of[0], []).append(place)
        elif ("control", "") in found:
            control.append(place)
        else:
            excluded.append(ExcludedGeo(place, f"{path.name} excludes it."))
    return ExistingSplit(
        path.name,
        {name: tuple(sorted(geos)) for name, geos in treated.items()},
        tuple(sorted(control)),
        tuple(excluded),
    )


def _arm(path: Path, geo: str, group: object, cell: object) -> tuple[str, str]:
    """The arm, and the cell of a treated row."""
    arm = str(group or "").strip().lower()
    if arm in _TREATED:
        return "treatment", str(cell or "treated").strip()
    if arm in _CONTROL:
        return "control", ""
    if arm in _EXCLUDED:
        return "excluded", ""
    raise BadInput(f"{path.name} puts {geo} into {group!r}.", "write treatment, control or excluded.")


def _column(path: Path, names: dict[str, str], usual: tuple[str, ...]) -> str:
    found = next((names[name] for name in usual if name in names), None)
    if found is None:
        raise BadInput(f"{path.name} has no column {usual[0]!r}.", "give it the columns geo and group.")
    return found
