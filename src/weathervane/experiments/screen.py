"""Screen: what is wrong or unusual in a panel before it carries an experiment; nothing is dropped silently.

See docs/modeling/experiments.md, "Screen".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.errors import BadInput
from weathervane.contracts.experiment_design import ExcludedGeo
from weathervane.contracts.period import Period
from weathervane.experiments.panel import Panel, panel_from_rows

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
FindingKind = Literal[
    "missing_days",
    "duplicate_days",
    "all_zero",
    "near_zero",
    "negative",
    "dominant_geo",
    "outlier_geo",
    "outlier_days",
    "outlier_date",
    "holiday",
    "past_test",
    "stock_out",
    "weather_extreme",
]

# Above this share of days missing, a geo's own history says too little about it.
_MAX_MISSING = 0.05
# Under this share of days with any outcome, or of the median geo's outcome, a geo cannot show an effect.
_MIN_ACTIVE = 0.2
_MIN_LEVEL = 0.001
_MAX_STOCK_OUT = 0.2
_IN_STOCK = 0.5
_DOMINANT = 0.25
_OUTLIER_Z = 6.0
_EXTREME_Z = 3.5


@dataclass(frozen=True)
class Finding:
    """One thing found: where, what it is, what it does to a test, and whether it excludes the geo."""

    kind: FindingKind
    geo: str | None  # None: all geos
    days: tuple[date, ...]
    what: str
    effect: str
    excludes: bool = False


@dataclass(frozen=True)
class ScreenReport:
    """Everything found in a panel, the geos that can take part, and why the others cannot."""

    geos: tuple[str, ...]
    findings: tuple[Finding, ...]
    excluded: tuple[ExcludedGeo, ...]

    def of(self, kind: FindingKind) -> tuple[Finding, ...]:
        """The findings of one kind."""
        return tuple(one for one in self.findings if one.kind == kind)


@dataclass(frozen=True)
class PastTest:
    """An earlier experiment: when it ran, and where something was changed."""

    experiment_id: str
    window: Period
    treated_geos: tuple[str, ...]


@dataclass(frozen=True)
class Surroundings:
    """What is known beside the outcome. Arrays are [g, t] on the panel's geos and dates, NaN where unknown.

    `holidays` are days by name, in the pre-period and in the test window alike; `temp_z` is the temperature anomaly in
    local standard deviations; `in_stock_share` runs from 0 to 1.
    """

    holidays: Mapping[date, str]
    past_tests: tuple[PastTest, ...] = ()
    in_stock_share: Floats | None = None
    temp_z: Floats | None = None


def collect_panel(
    geo: Sequence[str], day: Sequence[date], value: Sequence[float]
) -> tuple[Panel, tuple[tuple[str, date], ...]]:
    """Rows in any order as a panel, and the geo-days that have several rows.

    Equal rows count once; rows of one geo-day that differ leave it missing, for which of them holds is not known.
    Raises as panel_from_rows.
    """
    cells: dict[tuple[str, date], list[float]] = {}
    for g, d, v in zip(geo, day, value, strict=True):
        cells.setdefault((g, d), []).append(float(v))
    kept = [found[0] if len(set(found)) == 1 else np.nan for found in cells.values()]
    panel = panel_from_rows([g for g, _ in cells], [d for _, d in cells], kept)
    return panel, tuple(sorted(cell for cell, found in cells.items() if len(found) > 1))


def screen_panel(
    panel: Panel,
    *,
    test_window: Period | None = None,
    duplicates: Sequence[tuple[str, date]] = (),
    around: Surroundings | None = None,
) -> ScreenReport:
    """Everything unusual in the panel, by geo and day.

    Raises BadInput where the arrays in `around` do not have the panel's shape.
    """
    names, dates, values = panel.geos, panel.days, panel.outcome
    around = around or Surroundings({})
    findings = [
        *_missing(names, dates, values),
        *_duplicates(duplicates),
        *_levels(names, values),
        *_outliers(names, dates, values),
        *_holidays(around.holidays, dates, test_window),
        *_past_tests(names, dates, around.past_tests),
        *_stock_outs(names, dates, _same_shape(around.in_stock_share, panel)),
        *_weather(names, dates, _same_shape(around.temp_z, panel)),
    ]
    reasons: dict[str, list[str]] = {}
    for one in findings:
        if one.excludes and one.geo is not None:
            reasons.setdefault(one.geo, []).append(one.what)
    excluded = tuple(ExcludedGeo(geo, " ".join(reasons[geo])) for geo in sorted(reasons))
    return ScreenReport(tuple(geo for geo in names if geo not in reasons), tuple(findings), excluded)


def _same_shape(values: Floats | None, panel: Panel) -> Floats | None:
    if values is not None and values.shape != panel.outcome.shape:
        raise BadInput(
            f"An array has shape {values.shape}, the outcome {panel.outcome.shape}.",
            "give both the same geos and days.",
        )
    return values


def _missing(geos: Sequence[str], dates: Sequence[date], values: Floats) -> list[Finding]:
    found: list[Finding] = []
    for geo, row in zip(geos, values, strict=True):
        gone = ~np.isfinite(row)
        if gone.any():
            excludes = bool(gone.mean() > _MAX_MISSING)
            effect = "The geo cannot take part." if excludes else "Its other days are used; the gaps are not filled."
            what = f"{geo} misses {gone.sum()} of {len(row)} days."
            found.append(Finding("missing_days", geo, _days(dates, gone), what, effect, excludes))
    return found


def _duplicates(cells: Sequence[tuple[str, date]]) -> list[Finding]:
    return [
        Finding(
            "duplicate_days",
            geo,
            tuple(sorted(d for g, d in cells if g == geo)),
            f"{geo} has several rows for one day.",
            "Equal rows count once; days whose rows differ count as missing.",
        )
        for geo in sorted({g for g, _ in cells})
    ]


def _levels(geos: Sequence[str], values: Floats) -> list[Finding]:
    total = np.nansum(values, axis=1)
    active = (np.isfinite(values) & (values != 0)).sum(axis=1) / np.maximum(np.isfinite(values).sum(axis=1), 1)
    median, everything = float(np.median(np.abs(total))), float(np.abs(total).sum())
    found: list[Finding] = []
    for geo, row, size, share in zip(geos, values, total, active, strict=True):
        if not np.isfinite(row).any():
            continue  # said as missing
        if share == 0:
            found.append(Finding("all_zero", geo, (), f"{geo} never has an outcome.", "It can show no effect.", True))
        elif share < _MIN_ACTIVE or size < _MIN_LEVEL * median:
            what = f"{geo} has next to no outcome ({share:.0%} of days, {size:,.0f} in all)."
            found.append(Finding("near_zero", geo, (), what, "It adds noise and no information.", True))
        if (row < 0).any():
            what = f"{geo} has {(row < 0).sum()} days below zero."
            found.append(Finding("negative", geo, (), what, "Relative effects of single days mean nothing there."))
        if everything > 0 and abs(size) > _DOMINANT * everything and len(geos) > 2:
            what = f"{geo} holds {abs(size) / everything:.0%} of the outcome."
            found.append(
                Finding("dominant_geo", geo, (), what, "No other geo is like it; whichever arm has it is heavier.")
            )
    return found


def _outliers(geos: Sequence[str], dates: Sequence[date], values: Floats) -> list[Finding]:
    """Outliers against what the geo and the day would make usual: a robust two-way fit on the relative outcome."""
    level = _row_median(np.abs(values))
    usable = level > 0
    if usable.sum() < 3 or len(dates) < 14:
        return []
    relative = values[usable] / level[usable, None]
    names = [geo for geo, use in zip(geos, usable, strict=True) if use]
    usual = _column_median(relative)
    return [
        *_outlier_dates(dates, usual),
        *_outlier_days(names, dates, relative - usual),
        *_outlier_geos(names, relative - usual),
    ]


def _outlier_dates(dates: Sequence[date], usual: Floats) -> list[Finding]:
    weekday = np.array([d.weekday() for d in dates])
    rest = usual.copy()
    for w in range(7):
        mine = weekday == w
        for i in np.flatnonzero(mine):
            near = mine & (np.abs(np.arange(len(dates)) - i) <= 28)
            rest[i] = usual[i] - _median(usual[near])
    z = _robust_z(rest)
    return [
        Finding(
            "outlier_date",
            None,
            (dates[i],),
            f"On {dates[i]} the typical geo stood {rest[i]:+.0%} from what is usual for the weekday.",
            "It moves all geos alike and so both arms; in the test window it widens the interval.",
        )
        for i in np.flatnonzero(np.abs(z) > _OUTLIER_Z).tolist()
    ]


def _outlier_days(geos: Sequence[str], dates: Sequence[date], rest: Floats) -> list[Finding]:
    found: list[Finding] = []
    for geo, row in zip(geos, rest, strict=True):
        far = np.abs(_robust_z(row)) > _OUTLIER_Z
        if far.any():
            days = _days(dates, far)
            what = f"{geo} has {len(days)} days far from its own and the other geos' usual, the first on {days[0]}."
            found.append(Finding("outlier_days", geo, days, what, "They pull its fitted level and trend."))
    return found


def _outlier_geos(geos: Sequence[str], rest: Floats) -> list[Finding]:
    noise = np.log(np.array([_mad(row) for row in rest]) + 1e-12)
    z = _robust_z(noise)
    return [
        Finding(
            "outlier_geo",
            geos[i],
            (),
            f"{geos[i]} moves {np.exp(noise[i] - _median(noise)):.1f} times as much around the others as is typical.",
            "It makes the arm that has it noisier; consider excluding it.",
        )
        for i in np.flatnonzero(z > _OUTLIER_Z).tolist()
    ]


def _holidays(holidays: Mapping[date, str], dates: Sequence[date], window: Period | None) -> list[Finding]:
    found: list[Finding] = []
    seen = {name for d, name in holidays.items() if dates[0] <= d <= dates[-1]}
    for day, name in sorted(holidays.items()):
        if window is not None and window.start <= day <= window.end:
            known = "the pre-period has one too" if name in seen else "the pre-period has none to learn from"
            effect = f"It falls inside the test; {known}."
            found.append(Finding("holiday", None, (day,), f"{name} on {day}.", effect))
    return found


def _past_tests(geos: Sequence[str], dates: Sequence[date], tests: Sequence[PastTest]) -> list[Finding]:
    found: list[Finding] = []
    for test in tests:
        days = tuple(d for d in dates if test.window.start <= d <= test.window.end)
        if not days:
            continue
        for geo in sorted(set(test.treated_geos) & set(geos)):
            what = f"{geo} was treated in {test.experiment_id} from {days[0]} to {days[-1]}."
            found.append(Finding("past_test", geo, days, what, "Sales of those days are not business as usual."))
    return found


def _stock_outs(geos: Sequence[str], dates: Sequence[date], share: Floats | None) -> list[Finding]:
    if share is None:
        return []
    found: list[Finding] = []
    for geo, row in zip(geos, share, strict=True):
        out = np.isfinite(row) & (row < _IN_STOCK)
        if out.any():
            known = max(int(np.isfinite(row).sum()), 1)
            excludes = bool(out.sum() / known > _MAX_STOCK_OUT)
            what = f"{geo} was under {_IN_STOCK:.0%} in stock on {out.sum()} of {known} days."
            effect = "Ads could not sell there." if excludes else "On those days ads could not sell there."
            found.append(Finding("stock_out", geo, _days(dates, out), what, effect, excludes))
    return found


def _weather(geos: Sequence[str], dates: Sequence[date], temp_z: Floats | None) -> list[Finding]:
    if temp_z is None:
        return []
    found: list[Finding] = []
    for geo, row in zip(geos, temp_z, strict=True):
        far = np.abs(np.nan_to_num(row)) > _EXTREME_Z
        if far.any():
            what = f"{geo} had {far.sum()} days of extreme temperature, to {np.nanmax(np.abs(row)):.1f} local SD."
            found.append(
                Finding(
                    "weather_extreme",
                    geo,
                    _days(dates, far),
                    what,
                    "Demand on those days is not a guide to usual ones.",
                )
            )
    return found


def _days(dates: Sequence[date], chosen: Bools) -> tuple[date, ...]:
    return tuple(d for d, c in zip(dates, chosen, strict=True) if c)


def _median(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else 0.0


def _row_median(values: Floats) -> Floats:
    return np.array([_median(row) for row in values])


def _column_median(values: Floats) -> Floats:
    return np.array([_median(column) for column in values.T])


def _mad(values: Floats) -> float:
    return 1.4826 * _median(np.abs(values - _median(values)))


def _robust_z(values: Floats) -> Floats:
    """Deviations from the median in robust standard deviations; zeros where there is no spread or no value."""
    spread = _mad(values)
    if spread < 1e-12:
        return np.zeros_like(values)
    return np.nan_to_num((values - _median(values)) / spread)
