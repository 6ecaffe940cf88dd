"""The regression behind the media mix model: outcome, baseline and exposure as scaled arrays (mmm.md, "Model")."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Literal

import jax
import numpy as np
from jax import Array
from numpy.typing import NDArray

from weathervane.contracts.errors import BadInput
from weathervane.model.features.build import Panel
from weathervane.model.features.weather import INDICES
from weathervane.model.mmm.likelihood import Form, Link, all_heard, saturated
from weathervane.model.mmm.priors import Exposure
from weathervane.model.mmm.transforms import Shape, n_lags

Floats = NDArray[np.float64]
# What the outcome is taken to scatter like (mmm.md, "Likelihoods").
Likelihood = Literal["normal", "log_normal", "student", "censored", "negative_binomial"]


def link_of(likelihood: Likelihood) -> Link:
    """Whether effects add to the outcome or to its logarithm."""
    return "log" if likelihood in ("log_normal", "negative_binomial") else "identity"


LEVEL, SEASON = "level", ("trend", "season cos 1", "season sin 1")
# How often the level may turn. With week effects these are what moves fast; alone, the level does.
_STEP_DAYS, _STEP_DAYS_WITH_WEEKS = 56, 182
_TREND_A_YEAR = 0.1
_MIN_DAYS_FOR_SEASON = 420
_MIN_DAYS_FOR_CALENDAR = 728
_MIN_GEOS_FOR_WEEK_EFFECTS = 4
_BEFORE_DAYS = 28  # what is taken to have been spent before the data: the mean of their first weeks
_WEATHER_LAG_DAYS = 6
_PULL_BACK_DAYS = 14
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


@dataclass(frozen=True)
class Design:
    """Arrays over geo g and period t. Outcome is relative to the geo's mean `level`; rows are whitened by `lead`,
    `follow` (lag-1 noise correlation) and divided by the geo's residual spread, so that noise is about N(0, 1).

    Baseline columns: the first `n_fixed` are shared columns with prior `prior_mean`, `prior_sd`; the last `n_weeks`
    (none for few geos) are one effect a week common to all geos, with a spread that is learnt.
    `varies` lists the baseline columns with a deviation by geo.
    """

    step_days: int
    columns: tuple[str, ...]
    prior_mean: Floats  # [p]
    prior_sd: Floats  # [p]
    n_weeks: int
    learnt: tuple[str, ...]  # of each column: the learnt spread its prior sd is in units of, or nothing
    varies: tuple[int, ...]
    relative: Floats  # [g, t], outcome over level, zero where it does not count
    outcome: Floats  # [g, t], the same whitened
    baseline: Floats  # [g, t, p + n_weeks], whitened
    exposure: Floats  # [c, g, t + lags - 1], exposure over level, over its channel's unit
    frequency: Floats  # [f, g, t + lags - 1], over its channel mean, of the channels that are reach and frequency
    exposure_unit: Floats  # [c], exposure over level at which the average unit of it was bought
    unit_in_means: Floats  # [c], that unit over the channel's mean
    paid: Floats  # [c, g, t], spend, at the mean price of what was shown where it is not known
    cost: Floats  # [c], currency per unit of exposure; one where exposure is spend
    spend_share: Floats  # [c], spend of all geos over Σ level
    level: Floats  # [g], mean outcome a period, currency
    z: Floats  # [g, t]
    wet: Floats  # [g, t], anomaly of the share of wet days
    lead: Floats  # [g, t], factor on this period
    follow: Floats  # [g, t], factor on the one before
    raw_baseline: Floats  # [g, t, p]
    observed: Floats  # [g, t], 1 where the period counts
    sold_out: NDArray[np.bool_]  # [g, t], counts, but more would have been sold
    noise_correlation: float
    noise_spread: Floats  # [g], relative

    @property
    def run_up(self) -> int:
        """Periods of exposure before the first of the data."""
        return n_lags(self.step_days) - 1

    @property
    def week_of(self) -> NDArray[np.int64]:
        """[t]: which week effect each period has a part in."""
        return np.arange(self.z.shape[1]) * self.step_days // 7

    @property
    def raw_columns(self) -> Floats:
        """[g, t, p + n_weeks]: the baseline before whitening, week effects included."""
        weeks = (self.week_of[:, None] == np.arange(self.n_weeks)).astype(np.float64)
        return np.concatenate(
            [self.raw_baseline, np.broadcast_to(weeks, (*self.relative.shape, self.n_weeks))], axis=-1
        )

    @property
    def log_variance(self) -> Floats:
        """[g]: the variance of the noise itself, not of its innovations, at a noise factor of one."""
        return self.noise_spread**2 / (1 - self.noise_correlation**2)

    def whiten(self, rows: Floats) -> Floats:
        """[..., g, t] multiplied by the whitening of the noise along t."""
        before = np.concatenate([np.zeros_like(rows[..., :1]), rows[..., :-1]], axis=-1)
        return self.lead * rows + self.follow * before


def build_design(
    panel: Panel,
    shape: Shape,
    form: Form,
    likelihood: Likelihood = "normal",
    exposed: tuple[Exposure, ...] | None = None,
) -> Design:
    """The design of a panel of totals; `shape` [c] is a first guess at each channel's.

    The lag-1 correlation and the geo's noise spread come from a first penalised fit at that guess (mmm.md, "Noise").
    Of a logarithmic likelihood `relative` is 1 + log(outcome / level), which is near outcome / level. BadInput where
    the likelihood cannot be of this outcome.
    """
    n = panel.n_past
    outcome, spend = panel.outcome[0, :, :n], panel.spend[:, :, :n]
    shown = spend if exposed is None else _shown(panel, exposed)
    known = np.isfinite(outcome) & np.isfinite(spend).all(axis=0) & np.isfinite(shown).all(axis=0)
    observed = known & (panel.in_stock[0, :, :n] > 0.9)
    _check_outcome(outcome[observed], likelihood)
    level = np.maximum(np.nanmean(np.where(observed, outcome, np.nan), axis=1), 1e-9)
    sold_out = known & ~observed if likelihood == "censored" else np.zeros_like(known)
    observed = observed | sold_out
    if form.link == "log":
        # A count of zero has no logarithm; half of one stands in, in the first fit alone.
        per_level = np.where(observed, np.maximum(outcome, 0.5), 1.0) / np.where(observed, level[:, None], 1.0)
        relative = np.where(observed, 1 + np.log(per_level), 0.0)
    else:
        relative = np.where(observed, outcome / level[:, None], 0.0)
    per_outcome = shown / level[:, None]
    usual = np.maximum(np.nanmean(per_outcome, axis=(1, 2)), 1e-12)
    # Weighted by exposure itself, so that weeks before a launch or between two bursts do not count (mmm.md, "Model").
    unit = np.maximum(np.nanmean(per_outcome**2, axis=(1, 2)) / usual, 1e-12)
    exposure = per_outcome / unit[:, None, None]
    typical = np.nanmean(exposure, axis=2, keepdims=True)
    exposure = np.where(np.isfinite(exposure), exposure, typical)
    cost = np.nansum(spend, axis=(1, 2)) / np.maximum(np.nansum(shown, axis=(1, 2)), 1e-12)
    names, raw, mean, sd, learnt, varies = _baseline(panel)
    shared = len(panel.geos) >= _MIN_GEOS_FOR_WEEK_EFFECTS
    design = Design(
        step_days=panel.step_days,
        columns=names,
        prior_mean=mean,
        prior_sd=sd,
        learnt=learnt,
        n_weeks=-(-n * panel.step_days // 7) if shared else 0,
        varies=varies,
        relative=relative,
        outcome=relative,
        baseline=raw,
        exposure=with_run_up(exposure, panel.step_days),
        frequency=_frequencies(panel, form),
        exposure_unit=unit,
        unit_in_means=unit / usual,
        paid=np.where(np.isfinite(spend), spend, exposure * (unit * cost)[:, None, None] * level[:, None]),
        cost=cost,
        spend_share=np.nansum(spend, axis=(1, 2)) / level.sum(),
        level=level,
        z=panel.z[:, :n],
        wet=panel.weather[INDICES.index("wet"), :, :n],
        lead=np.ones_like(relative),
        follow=np.zeros_like(relative),
        raw_baseline=raw,
        observed=observed.astype(np.float64),
        sold_out=sold_out,
        noise_correlation=0.0,
        noise_spread=np.ones(len(panel.geos)),
    )
    response = np.asarray(_saturated(design.exposure, design.frequency, shape, form), dtype=np.float64)
    rho, spread = _noise(replace(design, observed=(observed & ~sold_out).astype(np.float64)), response)
    # A count's noise follows from its mean, period by period.
    return whitened(design, 0.0 if likelihood == "negative_binomial" else rho, spread)


@partial(jax.jit, static_argnames=("form",))
def _saturated(exposure: Array, frequency: Array, shape: Shape, form: Form) -> Array:
    # One program instead of one an operation.
    return saturated(all_heard(exposure, shape, frequency, form), shape, form)


def _frequencies(panel: Panel, form: Form) -> Floats:
    """[f, g, t + lags - 1]: how often those reached saw each channel, over its mean; BadInput where none is known."""
    n, rows = panel.n_past, np.ones((len(form.frequency), len(panel.geos), panel.n_past))
    for row, c in zip(rows, form.frequency, strict=True):
        seen = panel.exposure.get("impressions")
        if seen is None or not np.nansum(seen[c, :, :n]) > 0:
            raise BadInput(
                f"The priors measure {panel.channels[c]} by reach and frequency, and its impressions are not known.",
                "import its impressions, which are reach times frequency.",
            )
        reach, shown = panel.exposure["reach"][c, :, :n], seen[c, :, :n]
        counts = np.isfinite(reach) & np.isfinite(shown) & (reach > 0)
        mean = shown[counts].sum() / reach[counts].sum()
        row[counts] = shown[counts] / reach[counts] / mean
    return with_run_up(rows, panel.step_days)


def _shown(panel: Panel, exposed: tuple[Exposure, ...]) -> Floats:
    """[c, g, t]: what each channel's effect is taken to follow; BadInput where it is not known."""
    n = panel.n_past
    rows: list[Floats] = []
    for c, (channel, name) in enumerate(zip(panel.channels, exposed, strict=True)):
        series = panel.spend if name == "spend" else panel.exposure.get(name)
        if series is None or (name != "spend" and not np.nansum(series[c, :, :n]) > 0):
            raise BadInput(
                f"The priors measure {channel} by its {name}, and none are known.",
                f"import its {name}, or measure it by spend.",
            )
        rows.append(series[c, :, :n])
    return np.stack(rows)


def _check_outcome(outcome: Floats, likelihood: Likelihood) -> None:
    """BadInput where no outcome [n] like this can come of the likelihood."""
    if likelihood == "log_normal" and outcome.min(initial=1.0) <= 0:
        raise BadInput(
            "A log-normal outcome is above zero, and this one is not in every period.",
            "model by week, or use another likelihood.",
        )
    if likelihood == "negative_binomial" and (outcome.min(initial=0.0) < 0 or (outcome != np.round(outcome)).any()):
        raise BadInput(
            "A negative binomial outcome is a count, and this one holds fractions or losses.",
            "use it for orders or units, or use another likelihood.",
        )


def with_run_up(exposure: Floats, step_days: int) -> Floats:
    """Exposure [..., t] led by periods before the data, taken to be like its first four weeks."""
    first = exposure[..., : _BEFORE_DAYS // step_days].mean(axis=-1, keepdims=True)
    return np.concatenate([np.repeat(first, n_lags(step_days) - 1, axis=-1), exposure], axis=-1)


def _baseline(panel: Panel) -> tuple[tuple[str, ...], Floats, Floats, Floats, tuple[str, ...], tuple[int, ...]]:
    """Column names, raw columns [g, t, p], prior mean, sd, learnt spread; which vary by geo (mmm.md, "Baseline")."""
    n, g, step = panel.n_past, len(panel.geos), panel.step_days
    columns: list[tuple[str, Floats, float, str, bool]] = []  # name, values, prior sd, learnt spread, varies by geo

    def add(name: str, values: Floats, sd: float, *, learnt: str = "", varies: bool = False) -> None:
        if name == LEVEL or np.ptp(values) > 0:
            columns.append((name, np.broadcast_to(values, (g, n)), sd, learnt, varies))

    shared = g >= _MIN_GEOS_FOR_WEEK_EFFECTS
    turn_days = _STEP_DAYS_WITH_WEEKS if shared else _STEP_DAYS
    time, turn = np.arange(n, dtype=np.float64), turn_days // step
    add(LEVEL, np.ones(n), 0.3, varies=True)
    add("trend", (time - time.mean()) / max(n - 1, 1), _TREND_A_YEAR * n * step / 365.25, varies=True)
    # A random walk of the level, in ramps from one knot to the next: beyond the data it stays where it got to. Each
    # ramp is held against its own mean, so that the level is that of the whole history.
    for i, knot in enumerate(np.arange(0, n - turn / 2, turn)):
        ramp = np.clip((time - knot) / turn, 0.0, 1.0)
        add(f"step {i}", ramp - ramp.mean(), float(np.sqrt(turn_days / 365.25)), learnt="walk")
    middle = np.array([start.timetuple().tm_yday for start in panel.starts[:n]], dtype=np.float64) + (step - 1) / 2
    angle = 2 * np.pi * middle / 365.25
    seasonal = n * step >= _MIN_DAYS_FOR_SEASON
    if seasonal:
        for order in (1, 2, 3):
            add(f"season cos {order}", np.cos(order * angle), 0.2, varies=order == 1)
            add(f"season sin {order}", np.sin(order * angle), 0.2, varies=order == 1)
    if n * step >= _MIN_DAYS_FOR_CALENDAR and not shared:
        # What comes back in the same week every year, as pay days and holidays do, is sharper than any harmonic.
        week = np.array([min((start + timedelta(days=step // 2)).isocalendar().week, 52) for start in panel.starts[:n]])
        for number in range(1, 53):
            add(f"week {number} of the year", (week == number).astype(np.float64), 1.0, learnt="calendar")
    if step == 1:
        weekday = np.array([start.weekday() for start in panel.starts[:n]])
        for day, name in enumerate(_WEEKDAYS):
            add(name, (weekday == day).astype(np.float64), 0.2)
    for e, name in enumerate(panel.events):
        add(name, panel.event_days[e, :, :n], 0.3)
    for i, name in enumerate(INDICES):
        values = panel.weather[i, :, :n]
        add(name, values, 0.2, varies=True)
        if seasonal:
            # What sells in summer answers to summer's weather; spend that leans on a season would else take the credit.
            add(f"{name} by season cos", values * np.cos(angle), 0.1)
            add(f"{name} by season sin", values * np.sin(angle), 0.1)
        if step == 1:
            add(f"{name} in the days before", _mean_before(values, _WEATHER_LAG_DAYS), 0.2)
    promotion = panel.promotion[0, :, :n]
    add("promotion", promotion, 2.0, varies=True)
    add("after a promotion", _mean_before(promotion, max(_PULL_BACK_DAYS // step, 1)), 1.0)
    add("price", panel.log_price[0, :, :n], 2.0, varies=True)
    mean = np.array([1.0 if name == LEVEL else 0.0 for name, *_ in columns])
    return (
        tuple(name for name, *_ in columns),
        np.stack([values for _, values, *_ in columns], axis=-1),
        mean,
        np.array([sd for _, _, sd, *_ in columns]),
        tuple(learnt for *_, learnt, _ in columns),
        tuple(i for i, (*_, varies) in enumerate(columns) if varies),
    )


def _mean_before(values: Floats, n: int) -> Floats:
    """[g, t]: the mean of the `n` periods before each; before the data there is nothing."""
    padded = np.concatenate([np.zeros((len(values), n + 1)), np.cumsum(values, axis=1)], axis=1)
    return (padded[:, n:-1] - padded[:, : -n - 1]) / n


def whitened(design: Design, rho: float, spread: Floats) -> Design:
    """The design with this lag-1 correlation [-] and these spreads [g] of the noise taken out of every row."""
    g, n = design.relative.shape
    before = np.concatenate([np.zeros((g, 1)), design.observed[:, :-1]], axis=1)
    lead = np.where(before > 0, 1.0, np.sqrt(1 - rho**2)) * design.observed / spread[:, None]
    follow = -rho * before * design.observed / spread[:, None]
    made = replace(design, lead=lead, follow=follow, noise_correlation=rho, noise_spread=spread)
    columns = np.stack([made.whiten(design.raw_baseline[..., i]) for i in range(design.raw_baseline.shape[-1])], -1)
    if design.n_weeks:
        weeks = np.zeros((g, n, design.n_weeks))
        time, week = np.arange(n), design.week_of
        weeks[:, time, week] = lead
        weeks[:, time[1:], week[:-1]] += follow[:, 1:]
        columns = np.concatenate([columns, weeks], axis=-1)
    return replace(made, outcome=made.whiten(design.relative), baseline=columns)


def _noise(design: Design, response: Floats) -> tuple[float, Floats]:
    """Lag-1 correlation and spread by geo [g] of what a first penalised fit leaves over (mmm.md, "Noise").

    Each geo is fitted after the mean over geos is taken out where there are many, as week effects will; the correlation
    is freed of the bias that fitting p columns to n periods brings (it pulls the residuals' correlation down).
    """
    shared = design.n_weeks > 0
    media = np.moveaxis(response, 0, -1)
    steady = [i for i in range(design.raw_baseline.shape[-1]) if not shared or i in design.varies]
    if shared and design.step_days == 1:
        steady = list(range(design.raw_baseline.shape[-1]))
    columns = np.concatenate([design.raw_baseline[:, :, steady], media], axis=-1)
    target = _without_weeks(design, design.relative) if shared else design.relative
    columns = _without_weeks(design, columns) if shared else columns
    lagged = total = pull = 0.0
    spread = np.empty(len(target))
    for i, rows in enumerate(design.observed > 0):
        x, y = columns[i, rows], target[i, rows]
        gram = x.T @ x
        solved = np.linalg.solve(gram + 1e-3 * np.trace(gram) / len(gram) * np.eye(len(gram)), x.T)  # [p, n]
        left = y - x @ (solved @ y)
        freedom = max(float(len(y) - np.sum(solved.T * x)), 0.2 * len(y))
        spread[i] = np.sqrt(left @ left / freedom)
        unit = left / max(spread[i], 1e-9)
        lagged += float(unit[1:] @ unit[:-1])
        total += float(unit @ unit)
        # Under independent noise the residuals' expected lag-1 product is minus the hat matrix's off-diagonal sum.
        pull -= float(np.sum(solved.T[1:] * x[:-1]))
    rho = float(np.clip((lagged - pull) / max(total, 1e-9), 0.0, 0.8))
    return rho, np.maximum(spread, 1e-6)


def _without_weeks(design: Design, rows: Floats) -> Floats:
    """Rows [g, t, ...] less the mean over geos of their week."""
    by_week = np.zeros((design.n_weeks, *rows.shape[2:]))
    np.add.at(by_week, design.week_of, rows.mean(axis=0))
    periods = np.bincount(design.week_of, minlength=design.n_weeks).astype(np.float64)
    mean = by_week / periods.reshape(-1, *(1,) * (rows.ndim - 2))
    return rows - mean[design.week_of]
