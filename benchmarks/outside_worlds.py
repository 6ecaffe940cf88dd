"""Worlds whose ads work as the media mix model believes, and worlds in which they do not; every true return is known.

Eight places, four channels (search and social always on, tv and video in bursts), two years of days. A channel's
spend a head carries over by the day and is bent by its curve; a return is what the channel brought over what it cost.
Used by `python -m benchmarks.planning --only lines`; `KnownWorld.panel` is what `benchmarks.mmm` fits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from weathervane.contracts.tables import TABLES
from weathervane.contracts.tenant import Place, Tenant
from weathervane.model.features.build import Panel, build_panel
from weathervane.model.features.grain import select_grain

Floats = NDArray[np.float64]
Curve = Callable[[Floats], Floats]  # outcome by exposure, in multiples of the channel's mean, of one unit of strength

INSIDE = ("believed", "named", "null", "collinear")
OUTSIDE = (
    "linear",
    "s-shaped",
    "threshold",
    "interaction",
    "autocorrelated",
    "confounded",
    "promoted",
    "late",
)
KINDS = (*INSIDE, *OUTSIDE)
Kind = Literal[
    "believed", "named", "null", "collinear", "linear", "s-shaped", "threshold", "interaction", "autocorrelated",
    "confounded", "promoted", "late",
]  # fmt: skip
WORDS: Mapping[str, str] = {
    "believed": "returns and curves drawn from the priors",
    "named": "curves and returns of the generated demo worlds",
    "null": "ads do nothing",
    "collinear": "search and social are always spent together (correlation 0.99)",
    "linear": "every channel's response is a straight line",
    "s-shaped": "little, then much, then little more for each unit of spend",
    "threshold": "nothing below 60 % of the mean spend",
    "interaction": "search and social work better together",
    "autocorrelated": "noise that lasts for weeks",
    "confounded": "demand that nobody records moves sales and search spend",
    "promoted": "promotions and prices move sales, and spend rises with them",
    "late": "video began 10 weeks ago",
}

CHANNELS = ("search", "social", "tv", "video")
N_GEOS, N_WEEKS, LATE_WEEKS = 8, 104, 10
LAST_DAY, AS_OF = date(2026, 5, 31), datetime(2026, 6, 1, 6, tzinfo=UTC)
TENANT = Tenant("world", "A world", "USD", demo=True, places=tuple(Place(f"g{i}", f"Place {i}") for i in range(N_GEOS)))

_DTYPES: Mapping[str, pl.DataType] = {
    "text": pl.String(), "date": pl.Date(), "instant": pl.Datetime("us", "UTC"), "float": pl.Float64(),
    "int": pl.Int64(), "bool": pl.Boolean(),
}  # fmt: skip
_DAYS, _BEFORE = 7 * N_WEEKS, 56  # before the first day spend already ran
_SHARES = np.array([0.04, 0.03, 0.025, 0.02])  # of a place's level
_NAMED_ROI, _NAMED_HALF = np.array([2.4, 1.5, 0.8, 1.2]), np.array([1.6, 1.2, 1.8, 1.4])
_NAMED_SLOPE, _NAMED_LIFE = np.array([0.9, 1.0, 1.4, 1.2]), np.array([2.0, 4.0, 14.0, 7.0])
_BONUS = 0.5  # interaction: at mean spend, the part of search and social that they owe to each other


@dataclass(frozen=True)
class KnownWorld:
    """A world's tables and its truth. Geos and channels are sorted by name in every array.

    `roi` [c] is what each channel brought over what it cost, in the whole history; `share` [c] its part of the sales.
    """

    kind: Kind
    seed: int
    tables: Mapping[str, pl.DataFrame]
    roi: Floats
    share: Floats
    brings: Callable[[Floats], Floats]

    def panel(self) -> Panel:
        """The weekly panel that a fit sees."""
        known = {name: frame.filter(pl.col("known_at") <= AS_OF) for name, frame in self.tables.items()}
        return build_panel(known, select_grain(known), as_of=AS_OF, step_days=7, horizon=1, total=True)

    def outcome(self, weekly: Floats) -> float:
        """What all ads bring a week at this weekly spend [g, c] held steady, in normal weather, no promotion."""
        return float(self.brings(weekly).sum())

    def marginal(self, weekly: Floats, step: float = 0.05) -> Floats:
        """What one more unit of weekly money brings in each line [g, c], `step` either side of spend held steady."""
        result = np.empty_like(weekly)
        for cell, at in np.ndenumerate(weekly):
            low, high = weekly.copy(), weekly.copy()
            low[cell], high[cell] = at * (1 - step), at * (1 + step) + (1.0 if at == 0 else 0.0)
            result[cell] = (self.outcome(high) - self.outcome(low)) / (high[cell] - low[cell])
        return result


def known_world(kind: Kind, seed: int) -> KnownWorld:
    """The world of that kind and seed."""
    rng = np.random.default_rng([seed, *kind.encode()])
    days, weeks = _BEFORE + _DAYS, (_BEFORE + _DAYS) // 7
    level = np.exp(rng.normal(9.0, 0.6, N_GEOS))
    hidden = 0.06 * _persistent(rng, (N_GEOS, weeks), 0.7)
    promoted = np.repeat(rng.uniform(size=weeks) < 0.15, 7) if kind == "promoted" else np.zeros(days, bool)
    spend = _spend(rng, kind, level, hidden, promoted)
    mean = spend[:, :, _BEFORE:].sum(axis=(1, 2)) / level.sum() / np.maximum(1, (spend[:, 0, _BEFORE:] > 0).sum(axis=1))
    paid = spend[:, :, _BEFORE:].reshape(4, N_GEOS, N_WEEKS, 7).mean(axis=3) / level[:, None] / mean[:, None, None]
    roi, life, curves = _responses(rng, kind, (paid**2).sum(axis=(1, 2)) / paid.sum(axis=(1, 2)))
    strength = np.exp(rng.normal(0.0, 0.25, (4, N_GEOS)) - 0.25**2 / 2)
    raw = np.empty_like(spend)
    for c in range(4):
        raw[c] = (
            strength[c][:, None] * level[:, None] * curves[c](_carried(spend[c] / level[:, None] / mean[c], life[c]))
        )
    history = slice(_BEFORE, None)
    own = raw[:, :, history].sum(axis=(1, 2))
    scale = roi * spend[:, :, history].sum(axis=(1, 2)) / np.where(own > 0, own, 1.0)
    media, bonus = raw * scale[:, None, None], np.zeros((N_GEOS, days))
    if kind == "interaction":
        bonus = _together(media[0], media[1])
    sales = _sales(rng, kind, level, hidden, promoted) + media.sum(axis=0) + bonus
    caused = media[:, :, history].sum(axis=(1, 2))
    caused[:2] += bonus[:, history].sum()  # without either of the two, all of it is gone
    order = np.arange(4)

    def brings(weekly: Floats) -> Floats:
        found = np.empty((N_GEOS, 4))
        for c in order:
            x = weekly[:, c] / 7 / level / mean[c]
            found[:, c] = 7 * scale[c] * strength[c] * level * curves[c](x)
        if kind == "interaction":
            found[:, 0] += _together(found[:, 0] / 7, found[:, 1] / 7) * 7
        return found

    total = float(sales[:, history].sum())
    tables = _tables(spend[:, :, history], sales[:, history], promoted[history], kind, seed)
    return KnownWorld(kind, seed, tables, caused / spend[:, :, history].sum(axis=(1, 2)), caused / total, brings)


def _spend(rng: np.random.Generator, kind: Kind, level: Floats, hidden: Floats, promoted: NDArray[np.bool_]) -> Floats:
    """Currency a day [c, g, day]: national drift and bursts, a place's own runs of weeks, jitter."""
    weeks = hidden.shape[1]
    week = np.arange(7 * weeks) // 7
    national = np.exp(0.25 * _persistent(rng, (4, 1, weeks), 0.9))
    for c in (2, 3):
        national[c] *= _runs(rng, weeks, low=0.05, high=1.8)
    local = np.exp(0.35 * rng.standard_normal((4, N_GEOS, weeks)) + 0.2 * rng.standard_normal((4, N_GEOS, 1)))
    local = local * np.stack([[_runs(rng, weeks, low=0.55, high=1.45) for _ in range(N_GEOS)] for _ in range(4)])
    by_week = national * local
    if kind == "collinear":
        by_week[1] = by_week[0] * np.exp(0.03 * rng.standard_normal(by_week[1].shape))
    if kind == "confounded":
        by_week[0] *= np.exp(5.0 * hidden)
    spend = (_SHARES[:, None, None] * level[:, None])[:, :, :] * by_week[:, :, week]
    spend = spend * np.exp(0.08 * rng.standard_normal(spend.shape))
    spend = spend * np.where(promoted, 1.6, 1.0)
    if kind == "late":
        spend[3, :, : -7 * LATE_WEEKS] = 0.0
    return np.round(spend, 2)


def _responses(rng: np.random.Generator, kind: Kind, unit: Floats) -> tuple[Floats, Floats, list[Curve]]:
    """(return [c], half-life in days [c], curve of each channel).

    `unit` [c] is the spend at which the average unit of money was spent, in multiples of the mean.
    """
    roi, half, slope, life = (each.copy() for each in (_NAMED_ROI, _NAMED_HALF, _NAMED_SLOPE, _NAMED_LIFE))
    if kind == "believed":
        roi = rng.normal(1.0, 1.5, 4)
        life, half = 6.0 * np.exp(0.6 * rng.standard_normal(4)), 1.5 * unit * np.exp(1.1 * rng.standard_normal(4))
        slope = np.exp(0.3 * rng.standard_normal(4))
    elif kind == "null":
        roi = np.zeros(4)
    elif kind == "collinear":
        roi[:2] = rng.permutation([0.8, 2.4])
    else:
        roi = rng.permutation(roi)
    if kind == "linear":
        return roi, life, [lambda x: x] * 4
    if kind == "threshold":
        return roi, life, [lambda x: np.maximum(0.0, x - 0.6) / (1.0 + np.maximum(0.0, x - 0.6))] * 4
    if kind == "s-shaped":
        slope, half = np.full(4, 3.5), rng.uniform(0.8, 1.4, 4)
    return roi, life, [_hill(half[c], slope[c]) for c in range(4)]


def _hill(half: float, slope: float) -> Curve:
    return lambda x: x**slope / (x**slope + half**slope)


def _together(search: Floats, social: Floats) -> Floats:
    """What search and social bring more because both are there: half of their geometric mean."""
    return _BONUS * np.sqrt(np.maximum(search, 0.0) * np.maximum(social, 0.0))


def _sales(rng: np.random.Generator, kind: Kind, level: Floats, hidden: Floats, promoted: NDArray[np.bool_]) -> Floats:
    """Sales a day without ads [g, day]."""
    weeks = hidden.shape[1]
    day, week = np.arange(7 * weeks), np.arange(7 * weeks) // 7
    shape = 0.8 + 0.1 * np.cos(2 * np.pi * day / 365.25) + 0.05 * (day % 7 >= 5)
    shared = 0.015 * rng.standard_normal(weeks)
    lasting = 0.85 if kind == "autocorrelated" else 0.0
    noise = 0.05 * _persistent(rng, (N_GEOS, weeks), lasting)[:, week] + 0.08 * rng.standard_normal((N_GEOS, day.size))
    base = shape + shared[week] + noise + (hidden[:, week] if kind == "confounded" else 0.0)
    if kind == "promoted":
        base = base * np.where(promoted, 1.25, 1.0)
    return level[:, None] * base


def _tables(
    spend: Floats, sales: Floats, promoted: NDArray[np.bool_], kind: Kind, seed: int
) -> dict[str, pl.DataFrame]:
    days = [LAST_DAY - timedelta(days=_DAYS - 1 - i) for i in range(_DAYS)]
    geos = [place.geo for place in TENANT.places]
    base = pl.DataFrame({"geo": np.repeat(geos, _DAYS), "date": days * N_GEOS})
    sold = base.with_columns(category=pl.lit("total"), net_revenue=pl.Series(np.round(sales, 2).ravel()))
    paid = pl.concat(
        [base.with_columns(channel=pl.lit(name), spend=pl.Series(spend[c].ravel())) for c, name in enumerate(CHANNELS)]
    )
    if kind == "late":
        first = LAST_DAY - timedelta(days=7 * LATE_WEEKS - 1)
        paid = paid.filter((pl.col("channel") != "video") | (pl.col("date") >= first))
    tables = {"sales": sold, "spend": paid.sort("geo", "date", "channel"), "weather": _weather(base, days, seed)}
    if kind == "promoted":
        depth = np.tile(np.where(promoted, 0.2, 0.0), N_GEOS)
        tables["promotions"] = base.with_columns(category=pl.lit("total"), depth_share=pl.Series(depth))
        tables["prices"] = base.with_columns(category=pl.lit("total"), price_index=pl.Series(1.0 - depth))
    midnight = pl.col("date").cast(pl.Datetime("us")).dt.replace_time_zone("UTC") + pl.duration(days=1)
    return {name: _whole(name, tables.get(name)).with_columns(known_at=midnight) for name in TABLES}


def _whole(name: str, frame: pl.DataFrame | None) -> pl.DataFrame:
    """The frame with every column of its contract, null where the world has none; without a frame no rows."""
    schema = {column.name: _DTYPES[column.kind] for column in TABLES[name].columns}
    if frame is None:
        return pl.DataFrame(schema=schema | {"date": pl.Date})
    return frame.with_columns(**{c: pl.lit(None, dtype) for c, dtype in schema.items() if c not in frame.columns})


def _weather(base: pl.DataFrame, days: list[date], seed: int) -> pl.DataFrame:
    """A season and noise of temperature that change no sales."""
    rng = np.random.default_rng([seed, 6])
    of_year = np.array([day.timetuple().tm_yday for day in days])
    usual = 12.0 - 10.0 * np.cos(2 * np.pi * (of_year - 20) / 365.25)
    warm = usual + 3.0 * np.repeat(_persistent(rng, (N_GEOS, len(days) // 7), 0.3), 7, axis=1)
    return base.with_columns(
        lead_days=pl.lit(0), member=pl.lit(0), issued_at=pl.lit(None, pl.Datetime("us", "UTC")),
        temp_mean_c=pl.Series(warm.ravel()), precip_mm=pl.lit(0.0),
    )  # fmt: skip


def _carried(exposure: Floats, half_life: float) -> Floats:
    """Geometric carry-over along the days with weights that sum to one."""
    keep = 0.5 ** (1.0 / half_life)
    out = np.empty_like(exposure)
    out[:, 0] = exposure[:, 0]
    for day in range(1, exposure.shape[1]):
        out[:, day] = keep * out[:, day - 1] + (1 - keep) * exposure[:, day]
    return out


def _runs(rng: np.random.Generator, weeks: int, *, low: float, high: float) -> Floats:
    """Three to six weeks high, two to five low, and so on."""
    values, week, on = np.empty(weeks), 0, bool(rng.integers(2))
    while week < weeks:
        length = int(rng.integers(3, 7) if on else rng.integers(2, 6))
        values[week : week + length] = high if on else low
        week, on = week + length, not on
    return values


def _persistent(rng: np.random.Generator, shape: tuple[int, ...], rho: float) -> Floats:
    """An AR(1) of unit variance along the last axis."""
    out = rng.standard_normal(shape)
    for t in range(1, shape[-1]):
        out[..., t] = rho * out[..., t - 1] + np.sqrt(1 - rho**2) * out[..., t]
    return out
