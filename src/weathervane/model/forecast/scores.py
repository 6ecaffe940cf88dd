"""Scores: how forecasts did against what happened, and whether their ranges may be called calibrated (calibration.md).

Cells of one stretch of days err together, so every interval here is made by resampling stretches, not cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from math import ceil

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from weathervane.contracts.calibration import (
    ENDS,
    Coverage,
    Floats,
    ForecastCells,
    Ints,
    PitBin,
    Record,
    Reliability,
    Rules,
    Score,
)
from weathervane.contracts.forecast import LEVELS, Verdict
from weathervane.contracts.grain import NATIONAL, TOTAL
from weathervane.contracts.period import Period

Bools = NDArray[np.bool_]

RULES = Rules()
_MIDDLE, _P10, _P90 = 3, 1, 5
_DRAWS = 4000
_LEAST_ERROR = 0.25  # of the error itself: resamples of a few equal blocks would have none at all
_LEAD_GROUPS = {1: ((1, 3), (4, 7), (8, 14), (15, 28)), 7: ((1, 1), (2, 4), (5, 13), (14, 26))}
_SIZES = ("largest places", "middle places", "smallest places")


def record_of(cells: ForecastCells) -> Record | None:
    """Every score of the cells whose actual and quantiles are known; None where there is none."""
    cells = _in_order(_scorable(cells))
    if not len(cells.actual):
        return None
    tiers = _tiers(cells)
    series = single_series(cells)
    before = replace(series, quantiles=series.raw)
    before = before if np.isfinite(before.raw).all() else None
    leads, sizes, categories = _lead_groups(series), _geo_tiers(series), _categories(series)
    days = _block_days(cells)

    def by(scored: ForecastCells, groups: dict[str, Bools]) -> tuple[Score, ...]:
        return tuple(score(chosen(scored, which), name, days) for name, which in groups.items() if which.any())

    every_lead = {_span(lead, lead, cells.step_days): series.lead == lead for lead in np.unique(series.lead)}
    first, last = cells.date.min().astype(object), cells.date.max().astype(object)
    return Record(
        source=cells.source,
        window=Period(first, last + timedelta(days=cells.step_days - 1)),
        n_origins=len(np.unique(cells.origin)),
        overall=score(series, "all series", days),
        before=None if before is None else score(before, "all series", days),
        reliability=_reliability(series, before, days),
        pit=_pit(series),
        by_lead=by(series, every_lead),
        by_lead_group=by(series, leads),
        before_by_lead_group=() if before is None else by(before, leads),
        by_geo_tier=by(series, sizes),
        by_category=by(series, categories),
        by_tier=by(cells, tiers),
        crossed=tuple(replace(each, coverage=(each.of(RULES.interval),)) for each in by(
            series, dict(_crossed(leads, sizes, categories))
        )),
    )  # fmt: skip


def score(cells: ForecastCells, group: str, block_days: int | None = None) -> Score:
    """The scores of these cells as one group; every cell needs an actual and quantiles (calibration.md, "Scores").

    `block_days` is the length of the stretches that err together, by default as long as the longest lead.
    """
    days = block_days or _block_days(cells)
    actual, middle = cells.actual, cells.quantiles[:, _MIDDLE]
    error = actual - middle
    blocks, size, width = (
        _blocks(cells, days),
        np.abs(actual).sum(),
        cells.quantiles[:, _P90] - cells.quantiles[:, _P10],
    )
    losses = pinball(actual, cells.quantiles).mean(axis=0)
    scaled = np.isfinite(cells.scale) & (cells.scale > 0)
    skill = _skill(cells, blocks)
    return Score(
        group=group,
        n=len(actual),
        n_blocks=len(np.unique(blocks)),
        coverage=tuple(_coverage(cells, nominal, blocks, days) for nominal in ENDS),
        pinball=tuple(float(loss) for loss in losses),
        wis=float(2 * losses.mean()),
        mae=float(np.abs(error).mean()),
        rmse=float(np.sqrt((error**2).mean())),
        bias=float(error.mean()),
        width=float(width.mean()),
        wape=_ratio(np.abs(error).sum(), size),
        bias_rel=_ratio(error.sum(), size),
        sharpness=_ratio(width.sum(), np.abs(middle).sum()),
        mase=float((np.abs(error[scaled]) / cells.scale[scaled]).mean()) if scaled.any() else None,
        wape_floor=skill[0],
        skill=skill[1],
        skill_low=skill[2],
        skill_high=skill[3],
    )


def pinball(actual: Floats, quantiles: Floats) -> Floats:
    """[n, level]: the loss of each quantile at LEVELS, in outcome units (calibration.md, "Scores")."""
    over = actual[:, None] - quantiles
    return np.maximum(np.array(LEVELS) * over, (np.array(LEVELS) - 1) * over)


def wilson(inside: int, n: int, confidence: float = RULES.confidence) -> tuple[float, float]:
    """Wilson's interval of a share, for cells that are independent; (0, 1) where there is none."""
    if not n:
        return 0.0, 1.0
    z, share = float(norm.ppf((1 + confidence) / 2)), inside / n
    middle, half = share + z * z / (2 * n), z * np.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    low, high = ((middle + sign * half) / (1 + z * z / n) for sign in (-1, 1))
    return max(0.0, float(low)), min(1.0, float(high))


def block_interval(part: Floats, whole: Floats, confidence: float = RULES.confidence) -> tuple[float, float]:
    """Ends of the interval of Σ part / Σ whole, by drawing blocks with replacement (calibration.md, "Intervals").

    `part` and `whole` are sums by block. Without two blocks nothing is known: minus and plus infinity.
    """
    n = len(part)
    if n < 2:
        return -np.inf, np.inf
    value, error = (float(each[0]) for each in _ratio_and_error(np.ones((1, n)), part, whole))
    values, errors = _ratio_and_error(_resamples(n), part, whole)
    with np.errstate(divide="ignore", invalid="ignore"):
        studentised = (values - value) / np.maximum(errors, _LEAST_ERROR * error)
    tail = (1 - confidence) / 2
    low, high = np.quantile(studentised[np.isfinite(studentised)], [tail, 1 - tail]) if error > 0 else (0.0, 0.0)
    return value - float(high) * error, value - float(low) * error


def _ratio_and_error(weights: Floats, part: Floats, whole: Floats) -> tuple[Floats, Floats]:
    """By row of weights [draw, block]: the ratio of the sums, and its standard error between blocks."""
    n = len(part)
    with np.errstate(divide="ignore", invalid="ignore"):
        below = weights @ whole
        value = weights @ part / below
        squares = weights @ part**2 - 2 * value * (weights @ (part * whole)) + value**2 * (weights @ whole**2)
        return value, np.sqrt(np.maximum(squares, 0.0) * n / (n - 1)) / below


def judge(coverage: float, low: float, high: float, nominal: float) -> Verdict:
    """The verdict on a coverage whose interval is narrow enough for one (calibration.md, "The verdict")."""
    if high < nominal and coverage < nominal - RULES.tolerance:
        return "too narrow"
    if low > nominal and coverage > nominal + RULES.tolerance:
        return "too wide"
    return "calibrated"


def single_series(cells: ForecastCells) -> ForecastCells:
    """The cells that can be scored and are no sum of others."""
    known = _scorable(cells)
    return chosen(known, next(iter(_tiers(known).values()))) if len(known.actual) else known


def chosen(cells: ForecastCells, which: Bools) -> ForecastCells:
    """Those of the cells."""
    names = ("origin", "date", "lead", "geo", "category", "quantiles", "raw", "floor", "actual", "scale")
    return replace(cells, **{name: getattr(cells, name)[which] for name in names})


def _coverage(cells: ForecastCells, nominal: float, blocks: Ints, block_days: int) -> Coverage:
    low_at, high_at = ENDS[nominal]
    inside = (cells.actual >= cells.quantiles[:, low_at]) & (cells.actual <= cells.quantiles[:, high_at])
    held, n_by_block = _sums(blocks, inside), _sums(blocks, np.ones(len(blocks)))
    n, share = len(inside), float(inside.mean())
    wilson_low, wilson_high = wilson(int(inside.sum()), n)
    low, high = block_interval(held, n_by_block)
    effective, more_blocks = _effective(held, n_by_block, nominal)
    more = more_blocks * block_days
    return Coverage(
        nominal=nominal,
        share=share,
        inside=int(inside.sum()),
        n=n,
        # Stretches that happen to agree do not prove that cells are more than independent.
        low=max(0.0, min(low, wilson_low)),
        high=min(1.0, max(high, wilson_high)),
        wilson_low=wilson_low,
        wilson_high=wilson_high,
        n_effective=effective,
        verdict="not enough data" if more else judge(share, min(low, wilson_low), max(high, wilson_high), nominal),
        more_days=more,
    )


def _effective(held: Floats, n_by_block: Floats, nominal: float) -> tuple[float, int]:
    """How many independent cells would know as much, and how many blocks are missing for a verdict (its page says why).

    Between-block variance is taken as if one more block had been seen whose cells all err as one.
    """
    b, n, whole = len(held), float(n_by_block.sum()), nominal * (1 - nominal)
    between = ((held - held.sum() / n * n_by_block) ** 2).sum() / (b - 1) / (n / b) ** 2 if b > 1 else 0.0
    error = (RULES.margin / float(norm.ppf((1 + RULES.confidence) / 2))) ** 2
    effective = min(n, whole * b**2 / ((b - 1) * between + whole))
    # The number of blocks at which the error of the share is small enough, and that of cells too.
    for_variance = (between + np.sqrt(between**2 + 4 * error * max(0.0, whole - between))) / (2 * error)
    wanted = max(RULES.min_blocks, ceil(for_variance), ceil(whole / error / (n / b)))
    return float(effective), max(0, wanted - b)


def _skill(cells: ForecastCells, blocks: Ints) -> tuple[float | None, float | None, float | None, float | None]:
    """WAPE of the floor, and by how much ours is below it, with its interval; Nones where no floor is known."""
    known = np.isfinite(cells.floor)
    actual, blocks = cells.actual[known], np.unique(blocks[known], return_inverse=True)[1]
    ours = np.abs(actual - cells.quantiles[known, _MIDDLE])
    theirs = np.abs(actual - cells.floor[known])
    if not theirs.sum() > 0:
        return None, None, None, None
    by_block = _sums(blocks, ours), _sums(blocks, theirs)
    low, high = block_interval(*by_block)
    skill = 1 - float(ours.sum() / theirs.sum())
    wape = _ratio(theirs.sum(), np.abs(actual).sum())
    return (wape, skill, 1 - high, 1 - low) if np.isfinite(low) else (wape, skill, None, None)


def _reliability(cells: ForecastCells, before: ForecastCells | None, block_days: int) -> tuple[Reliability, ...]:
    blocks = _blocks(cells, block_days)
    n_by_block = _sums(blocks, np.ones(len(blocks)))
    found: list[Reliability] = []
    for place, level in enumerate(LEVELS):
        under = cells.actual <= cells.quantiles[:, place]
        low, high = block_interval(_sums(blocks, under), n_by_block)
        wilson_low, wilson_high = wilson(int(under.sum()), len(under))
        was = None if before is None else float((before.actual <= before.quantiles[:, place]).mean())
        bounds = max(0.0, min(low, wilson_low)), min(1.0, max(high, wilson_high))
        found.append(Reliability(level, float(under.mean()), *bounds, was))
    return tuple(found)


def _pit(cells: ForecastCells) -> tuple[PitBin, ...]:
    """Shares of actuals by bin; one that equals several quantiles is spread over the bins between by their width."""
    edges = np.array([0.0, *LEVELS, 1.0])
    first = (cells.quantiles < cells.actual[:, None]).sum(axis=1)
    last = np.maximum(first, (cells.quantiles <= cells.actual[:, None]).sum(axis=1) - 1)
    # A bin gets its width over that of all bins from `first` to `last`.
    bins = np.arange(len(edges) - 1)
    mine = (bins >= first[:, None]) & (bins <= last[:, None])
    weights = mine * np.diff(edges)
    shares = (weights / weights.sum(axis=1, keepdims=True)).mean(axis=0)
    expected = np.diff(edges)
    return tuple(PitBin(float(edges[i]), float(edges[i + 1]), float(shares[i]), float(expected[i])) for i in bins)


def _tiers(cells: ForecastCells) -> dict[str, Bools]:
    """Single series first, then sums: of a place, of a category, of all."""
    national = np.array([geo == NATIONAL for geo in cells.geos])[cells.geo]
    total = np.array([category == TOTAL for category in cells.categories])[cells.category]
    national = national & ~national.all()
    total = total & ~total.all()
    tiers = {
        "single series": ~national & ~total,
        "places": ~national & total,
        "categories": national & ~total,
        "all together": national & total,
    }
    return {name: which for name, which in tiers.items() if which.any()}


def _lead_groups(cells: ForecastCells) -> dict[str, Bools]:
    groups = ((low, high) for low, high in _LEAD_GROUPS[7 if cells.step_days == 7 else 1])
    named = {_span(low, high, cells.step_days): (cells.lead >= low) & (cells.lead <= high) for low, high in groups}
    return {name: which for name, which in named.items() if which.any()}


def _span(low: int, high: int, step_days: int) -> str:
    unit = "week" if step_days == 7 else "day"
    return f"{low} {unit}{'s' if low > 1 else ''}" if low == high else f"{low}–{high} {unit}s"


def _geo_tiers(cells: ForecastCells) -> dict[str, Bools]:
    """Thirds of the places by what they sell; none where there are fewer than three."""
    sold = np.bincount(cells.geo, np.abs(cells.actual), len(cells.geos))
    there = np.bincount(cells.geo, minlength=len(cells.geos)) > 0
    ranked = [g for g in sorted(range(len(sold)), key=lambda g: (-sold[g], cells.geos[g])) if there[g]]
    if len(ranked) < len(_SIZES):
        return {}
    thirds = np.array_split(np.array(ranked), len(_SIZES))
    return {name: np.isin(cells.geo, third) for name, third in zip(_SIZES, thirds, strict=True)}


def _categories(cells: ForecastCells) -> dict[str, Bools]:
    names = sorted({cells.categories[k] for k in np.unique(cells.category)})
    return {name: cells.category == cells.categories.index(name) for name in names}


def _crossed(*axes: dict[str, Bools]) -> Iterator[tuple[str, Bools]]:
    """Every combination of one group of each axis; nothing where only one axis has more than one group."""
    axes = tuple(axis for axis in axes if len(axis) > 1)
    if len(axes) < 2:
        return
    crossed: list[tuple[str, Bools]] = list(axes[0].items())
    for axis in axes[1:]:
        crossed = [(f"{one}, {name}", which & also) for one, which in crossed for name, also in axis.items()]
    yield from crossed


def _blocks(cells: ForecastCells, block_days: int) -> Ints:
    """The stretch of days each cell's date lies in, from 0."""
    days = (cells.date - cells.date.min()).astype("timedelta64[D]").astype(np.int64)
    return np.unique(days // block_days, return_inverse=True)[1].astype(np.int64)


def _block_days(cells: ForecastCells) -> int:
    """The longest lead: forecasts further apart than that are about other days."""
    return int(cells.lead.max()) * cells.step_days


def _sums(blocks: Ints, values: NDArray[np.generic]) -> Floats:
    return np.bincount(blocks, values.astype(np.float64)).astype(np.float64)


@cache
def _resamples(n_blocks: int) -> Floats:
    """[draw, block]: how often each block is drawn. The same for the same number, so equal cells give equal ends."""
    rng = np.random.default_rng(n_blocks)
    return rng.multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), size=_DRAWS).astype(np.float64)


def _scorable(cells: ForecastCells) -> ForecastCells:
    return chosen(cells, np.isfinite(cells.actual) & np.isfinite(cells.quantiles).all(axis=1))


def _in_order(cells: ForecastCells) -> ForecastCells:
    """By key, so that the order of cells, and of names, changes no last digit."""

    def rank(names: Sequence[str], at: Ints) -> Ints:
        order = np.argsort(np.array(names))
        return np.argsort(order)[at].astype(np.int64)

    order = np.lexsort((rank(cells.categories, cells.category), rank(cells.geos, cells.geo), cells.origin, cells.date))
    names = ("origin", "date", "lead", "geo", "category", "quantiles", "raw", "floor", "actual", "scale")
    return replace(cells, **{name: getattr(cells, name)[order] for name in names})


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole > 0 else None
