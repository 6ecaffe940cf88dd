"""GeoX: a design of Meridian GeoX, read from the JSON that it exports."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from weathervane.contracts.errors import BadInput
from weathervane.contracts.experiment_design import ExcludedGeo, ExistingSplit, Kind

_KINDS: dict[int, Kind] = {1: "holdback", 2: "go_dark", 3: "heavy_up"}
_METHODOLOGY = {1: "time-based regression", 2: "synthetic difference-in-differences"}
_DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T0S)?")
_KNOWN = {
    "designs",
    "control_geos",
    "excluded_geos",
    "excluded_dates",
    "design_config",
    "geo_stratum_labels",
}


def read_geox_design(path: Path) -> ExistingSplit:
    """The split of a GeoX design file; BadInput where it is no such file or puts a geo into two arms.

    `ignored` lists what the file says and the split has no word for: its search settings, its constraints, its data.
    """
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise BadInput(f"{path.name} is not valid JSON.", "export the design from GeoX again.") from error
    if not isinstance(content, dict) or not {"designs", "control_geos"} <= set(content):
        raise BadInput(
            f"{path.name} is not a GeoX design.", "export one design (not a design set) with export_to_json."
        )
    try:
        return _split(path.name, content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"{path.name} is not a GeoX design as we know it: {error}.", "export it again.") from error


def _split(source: str, content: dict[str, Any]) -> ExistingSplit:
    cells: Mapping[str, Any] = content["designs"]
    config: Mapping[str, Any] = content.get("design_config") or {}
    kinds: Mapping[str, int] = config.get("experiment_types") or {}
    treated = {name: tuple(sorted(map(str, cell["treatment_geos"]))) for name, cell in sorted(cells.items())}
    control = tuple(sorted(map(str, content["control_geos"])))
    excluded = tuple(sorted(map(str, content.get("excluded_geos") or ())))
    assigned = sorted({*control, *(geo for geos in treated.values() for geo in geos)})
    labels: list[int] = content.get("geo_stratum_labels") or []
    return ExistingSplit(
        source=source,
        treated=treated,
        control=control,
        excluded=tuple(ExcludedGeo(geo, f"{source} excludes it.") for geo in excluded),
        kinds={name: _KINDS[kinds[name]] for name in treated if name in kinds},
        duration_days=_days(config.get("experiment_duration")),
        alpha=config.get("alpha"),
        power=config.get("power"),
        seed=config.get("seed"),
        mde_rel={name: float(cell["minimum_detectable_effect"]) for name, cell in sorted(cells.items())},
        budget={name: float(cell["budget"]) for name, cell in sorted(cells.items())},
        strata=dict(zip(assigned, labels, strict=True)) if len(labels) == len(assigned) else {},
        ignored=_ignored(content, config),
    )


def _days(text: object) -> int | None:
    """An ISO 8601 duration of whole days or weeks, in days."""
    if text is None:
        return None
    found = _DURATION.fullmatch(str(text))
    if not found or not any(found.groups()):
        raise ValueError(f"the duration {text} is not in whole days")
    return 7 * int(found[1] or 0) + int(found[2] or 0)


def _ignored(content: Mapping[str, Any], config: Mapping[str, Any]) -> tuple[str, ...]:
    found = sorted(name for name, value in content.items() if name not in _KNOWN and value)
    if content.get("excluded_dates"):
        found.append(f"excluded_dates: {len(content['excluded_dates'])} days")
    if config.get("methodology") in _METHODOLOGY:
        found.append(f"methodology: {_METHODOLOGY[config['methodology']]}")
    return tuple(found)
