"""Plans on real fits of worlds with known truth: whether lines' ranges hold, and whether what is recommended pays.

    python -m benchmarks.planning --only lines [--kind NAME ...] [--worlds N] [--first SEED]

A line is a place × channel and its range that of the next unit of money at its recent budget, the 80 % range that a
plan shows. Each world is trained and planned as a user's data are; that takes some ten CPU seconds a world.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from benchmarks.figure import Figure
from benchmarks.outside_worlds import AS_OF, INSIDE, LAST_DAY, TENANT, WORDS, Kind, known_world
from weathervane.contracts.errors import WeatherVaneError
from weathervane.contracts.forecast import DemandForecast, DemandPoint, ForecastQuality, Quantiles
from weathervane.contracts.period import Period
from weathervane.contracts.plan import BudgetPlan, PlanLimits
from weathervane.model.mmm.engine import MediaMixSpec
from weathervane.model.pipeline import train
from weathervane.planning.plan import make_budget_plan
from weathervane.planning.request import PlanRequest

Floats = NDArray[np.float64]
# Where no move can be right by more than luck: every line returns the same, or two channels cannot be told apart.
_FALSE_GROUND: tuple[Kind, ...] = ("null", "collinear", "linear")
_PERIOD = Period(LAST_DAY + timedelta(days=1), LAST_DAY + timedelta(days=7))


@dataclass(frozen=True)
class SeenLines:
    """One world. Lines [n]: the true next unit, its range, recent over mean spend. The plan: claimed and true gain."""

    channel: NDArray[np.str_]
    truth: Floats
    low: Floats
    high: Floats
    recent: Floats
    roi_held: NDArray[np.bool_]  # [c]
    changes: bool
    chance: float
    claimed: float
    gained: float

    @property
    def held(self) -> NDArray[np.bool_]:
        """Which lines' ranges hold the truth [n]."""
        return (self.low <= self.truth) & (self.truth <= self.high)


def look(kind: Kind, seed: int) -> SeenLines:
    """A world, trained and planned with the limits that a user starts with."""
    world = known_world(kind, seed)
    fit = train(world.tables, TENANT, MediaMixSpec(), as_of=AS_OF, seed=seed, data_hashes={"world": f"{kind}/{seed}"})
    plan = make_budget_plan(
        PlanRequest(
            tenant=TENANT, generated_at=f"{AS_OF:%Y-%m-%dT%H:%M:%SZ}", period=_PERIOD, fit=fit.report,
            curves=fit.curves, forecast=_no_forecast(fit.curves.geos), quality=_UNKNOWN, limits=PlanLimits(),
        )
    )  # fmt: skip
    panel = world.panel()
    now, then = (_budgets(plan, name) for name in ("current", "recommended"))
    marginal, usual = world.marginal(now), panel.spend[:, :, : panel.n_past].mean(axis=2).T
    lines = sorted(plan.lines, key=lambda line: (line.geo, line.channel))
    roi = {each.channel: (each.roi_p05, each.roi_p95) for each in fit.report.channels}
    bounds = np.array([roi[channel] for channel in sorted(roi)])
    return SeenLines(
        channel=np.array([line.channel for line in lines]),
        truth=marginal.ravel(),
        low=np.array([line.marginal_return.p10 for line in lines]),
        high=np.array([line.marginal_return.p90 for line in lines]),
        recent=(now / np.maximum(usual, 1e-9)).ravel(),
        roi_held=(bounds[:, 0] <= world.roi) & (world.roi <= bounds[:, 1]),
        changes=plan.verdict == "change",
        chance=plan.chance_gain or 0.0,
        claimed=plan.gain.p50,
        gained=world.outcome(then) - world.outcome(now),
    )


def of_lines(kinds: Sequence[Kind], seeds: range) -> Iterator[Figure]:
    """Every figure of these kinds of worlds, and of all of them together, inside and outside the model's family."""
    every: dict[bool, list[SeenLines]] = {True: [], False: []}
    for kind in kinds:
        seen: list[SeenLines] = []
        refused = 0
        for seed in track(seeds, kind, console=Console(stderr=True)):
            try:
                seen.append(look(kind, seed))
            except WeatherVaneError:
                refused += 1
        yield Figure(f"lines, {kind}: worlds refused", refused, "worlds", note=f"of {len(seeds)}; {WORDS[kind]}")
        if not seen:
            continue
        every[kind in INSIDE] += seen
        yield from _coverage(kind, seen, inside=kind in INSIDE)
        yield from _pays(kind, seen)
    for inside, seen in every.items():
        if seen:
            name = "inside the family" if inside else "outside the family"
            yield from _coverage(name, seen, inside=inside, judged=True)
            yield from _pays(name, seen)


def _coverage(name: str, seen: list[SeenLines], *, inside: bool, judged: bool = False) -> Iterator[Figure]:
    held = np.concatenate([one.held for one in seen])
    low, high = (0.76, 0.84) if inside else (0.70, 1.0)
    share = float(held.mean())
    channel = np.concatenate([one.channel for one in seen])
    by_channel = ", ".join(f"{each} {held[channel == each].mean():.2f}" for each in np.unique(channel))
    recent = np.concatenate([one.recent for one in seen])
    ends = "; ".join(
        f"recent spend {word} the mean {held[of].mean():.2f} of {of.sum()}"
        for word, of in (("under 0.1 of", recent < 0.1), ("over 1.5 of", recent > 1.5))
        if of.any()
    )
    note = f"{held.sum()} of {len(held)} lines in {len(seen)} worlds; {by_channel}{'; ' if ends else ''}{ends}"
    bar = f"{low} to {high}" if inside else f">= {low}"
    yield Figure(
        f"lines, {name}: next unit of money in its 80 % range", share, "share", bar * judged,
        low <= share <= high if judged else None, note,
    )  # fmt: skip
    roi = np.concatenate([one.roi_held for one in seen])
    roi_low, roi_high = (0.86, 0.94) if inside else (0.80, 1.0)
    value = float(roi.mean())
    yield Figure(
        f"lines, {name}: channel's return in its 90 % range", value, "share",
        (f"{roi_low} to {roi_high}" if inside else f">= {roi_low}") * judged,
        roi_low <= value <= roi_high if judged else None, f"{roi.sum()} of {len(roi)}",
    )  # fmt: skip


def _pays(name: str, seen: list[SeenLines]) -> Iterator[Figure]:
    plans = [one for one in seen if one.changes]
    n = len(seen)
    yield Figure(f"lines, {name}: plans that move money", len(plans) / n, "share", note=f"{len(plans)} of {n}")
    if plans:
        paid = sum(one.gained > 0 for one in plans)
        claim = float(np.mean([one.chance for one in plans]))
        judged = name.endswith("family")
        yield Figure(
            f"lines, {name}: moves that pay in truth", paid / len(plans), "share", ">= 0.85" * judged,
            paid / len(plans) >= 0.85 if judged else None, f"{paid} of {len(plans)}; they claim {claim:.2f} on average",
        )  # fmt: skip
    if name in _FALSE_GROUND:
        false = sum(one.gained <= 0 for one in plans)
        yield Figure(
            f"lines, {name}: money moved on a false ground", false / n, "share", "<= 0.05", false / n <= 0.05,
            f"{false} of {n} worlds: the plan moves money and the true gain is not above zero",
        )  # fmt: skip
        half = sum(one.gained < one.claimed / 2 for one in plans)
        yield Figure(
            f"lines, {name}: claimed gain of which less than half is true", half / n, "share", "<= 0.05",
            half / n <= 0.05, f"{half} of {n} worlds",
        )  # fmt: skip


_UNKNOWN = ForecastQuality("none", (), (), 0.0, 0.0, 1.0, 0, "not enough data", "No forecast was tested.")


def _no_forecast(geos: Sequence[str]) -> DemandForecast:
    """A forecast that says nothing of the weather; these worlds' returns do not depend on it."""
    nothing = Quantiles(0.0, 0.0, 0.0)
    points = tuple(
        DemandPoint(geo, "total", day, i + 1, nothing) for geo in geos for i, day in enumerate(_PERIOD.days())
    )
    total = tuple(DemandPoint("total", "total", day, i + 1, nothing) for i, day in enumerate(_PERIOD.days()))
    return DemandForecast(
        forecast_id="none", tenant_id=TENANT.tenant_id, issued_at=f"{AS_OF:%Y-%m-%dT%H:%M:%SZ}", model="none",
        step_days=1, points=points, total=total, weather_source="none", note="", outlook=(), days=(),
    )  # fmt: skip


def _budgets(plan: BudgetPlan, name: str) -> Floats:
    """The plan's weekly budgets [g, c], sorted by name."""
    lines = sorted(plan.lines, key=lambda line: (line.geo, line.channel))
    n_channels = len({line.channel for line in lines})
    return np.array([getattr(line, name).major for line in lines]).reshape(-1, n_channels)
