"""The regression behind the media mix model: outcome, baseline and exposure as scaled arrays (mmm.md, "Model")."""

from __future__ import annotations

from dataclasses import dataclass, replace

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from weathervane.model.features.build import Panel
from weathervane.model.features.weather import INDICES
from weathervane.model.mmm.transforms import N_LAGS, carry_over, hill

Floats = NDArray[np.float64]

LEVEL, SEASON = "level", ("trend", "season cos 1", "season sin 1")
_KNOT_WEEKS = 26
_MIN_WEEKS_FOR_SEASON = 60
_MIN_GEOS_FOR_WEEK_EFFECTS = 4


@dataclass(frozen=True)
class Design:
    """Weekly arrays over geo g and week t. Outcome is relative to the geo's mean `level`; rows are whitened by `lead`,
    `follow` (lag-1 noise correlation) and divided by the geo's residual spread, so that noise is about N(0, 1).

    Baseline columns: the first `n_fixed` are shared columns with prior `prior_mean`, `prior_sd`; the last `n_weeks`
    (none for few geos) are one effect a week common to all geos, with a spread that is learnt.
    `varies` lists the baseline columns with a deviation by geo.
    """

    columns: tuple[str, ...]
    prior_mean: Floats  # [p]
    prior_sd: Floats  # [p]
    n_weeks: int
    varies: tuple[int, ...]
    outcome: Floats  # [g, t], whitened
    baseline: Floats  # [g, t, p], whitened
    exposure: Floats  # [c, g, t + N_LAGS - 1], spend over level, over its channel mean
    exposure_mean: Floats  # [c]
    spend_share: Floats  # [c], spend of all geos over Σ level
    level: Floats  # [g], mean weekly outcome, currency
    z: Floats  # [g, t]
    lead: Floats  # [g, t], factor on this week
    follow: Floats  # [g, t], factor on the week before
    raw_baseline: Floats  # [g, t, p]
    observed: Floats  # [g, t], 1 where the week counts

    def whiten(self, rows: Floats) -> Floats:
        """[..., g, t] multiplied by the whitening of the noise along t."""
        before = np.concatenate([np.zeros_like(rows[..., :1]), rows[..., :-1]], axis=-1)
        return self.lead * rows + self.follow * before


def build_design(panel: Panel, shape: tuple[Floats, Floats, Floats]) -> Design:
    """The design of a weekly panel of totals; `shape` is a first guess of half-life, half-saturation, slope [c] each.

    The lag-1 correlation and the geo's noise spread come from a first penalised fit at that guess (mmm.md, "Noise").
    """
    n = panel.n_past
    outcome, spend = panel.outcome[0, :, :n], panel.spend[:, :, :n]
    observed = np.isfinite(outcome) & np.isfinite(spend).all(axis=0) & (panel.in_stock[0, :, :n] > 0.9)
    level = np.maximum(np.nanmean(np.where(observed, outcome, np.nan), axis=1), 1e-9)
    relative = np.where(observed, outcome / level[:, None], 0.0)
    per_outcome = spend / level[:, None]
    exposure_mean = np.maximum(np.nanmean(per_outcome, axis=(1, 2)), 1e-12)
    exposure = per_outcome / exposure_mean[:, None, None]
    typical = np.nanmean(exposure, axis=2, keepdims=True)
    exposure = np.where(np.isfinite(exposure), exposure, typical)
    names, raw, mean, sd, varies = _baseline(panel)
    n_weeks = n if len(panel.geos) >= _MIN_GEOS_FOR_WEEK_EFFECTS else 0
    design = Design(
        columns=names,
        prior_mean=mean,
        prior_sd=sd,
        n_weeks=n_weeks,
        varies=varies,
        outcome=relative,
        baseline=raw,
        exposure=with_run_up(exposure),
        exposure_mean=exposure_mean,
        spend_share=np.nansum(spend, axis=(1, 2)) / level.sum(),
        level=level,
        z=panel.z[:, :n],
        lead=np.ones_like(relative),
        follow=np.zeros_like(relative),
        raw_baseline=raw,
        observed=observed.astype(np.float64),
    )
    rho, spread = _noise(design, relative, _response_at(design, shape))
    return _whitened(design, relative, rho, spread)


def with_run_up(exposure: Floats) -> Floats:
    """Exposure [c, g, t] led by weeks before the data, taken to be like its first four."""
    run_up = np.repeat(exposure[:, :, :4].mean(axis=2, keepdims=True), N_LAGS - 1, axis=2)
    return np.concatenate([run_up, exposure], axis=2)


def _baseline(panel: Panel) -> tuple[tuple[str, ...], Floats, Floats, Floats, tuple[int, ...]]:
    """Column names, raw columns [g, t, p], prior mean and sd, positions that vary by geo (mmm.md, "Baseline")."""
    n, g = panel.n_past, len(panel.geos)
    columns: list[tuple[str, Floats, float, bool]] = []  # name, values, prior sd, varies by geo

    def add(name: str, values: Floats, sd: float, *, varies: bool) -> None:
        if name == LEVEL or np.ptp(values) > 0:
            columns.append((name, np.broadcast_to(values, (g, n)), sd, varies))

    time = np.arange(n, dtype=np.float64)
    add(LEVEL, np.ones(n), 0.3, varies=True)
    add("trend", (time - time.mean()) / max(n - 1, 1), 0.3, varies=True)
    for i, knot in enumerate(np.arange(_KNOT_WEEKS, n - _KNOT_WEEKS / 2, _KNOT_WEEKS)):
        add(f"knot {i}", np.maximum(0.0, 1 - np.abs(time - knot) / _KNOT_WEEKS), 0.1, varies=False)
    if n >= _MIN_WEEKS_FOR_SEASON:
        middle = np.array([start.timetuple().tm_yday for start in panel.starts[:n]], dtype=np.float64) + 3
        for order in (1, 2, 3):
            angle = 2 * np.pi * order * middle / 365.25
            add(f"season cos {order}", np.cos(angle), 0.2, varies=order == 1)
            add(f"season sin {order}", np.sin(angle), 0.2, varies=order == 1)
    for e, name in enumerate(panel.events):
        add(name, panel.event_days[e, :, :n], 0.3, varies=False)
    for i, name in enumerate(INDICES):
        add(name, panel.weather[i, :, :n], 0.2, varies=True)
    add("promotion", panel.promotion[0, :, :n], 2.0, varies=True)
    add("price", panel.log_price[0, :, :n], 2.0, varies=True)
    mean = np.array([1.0 if name == LEVEL else 0.0 for name, *_ in columns])
    return (
        tuple(name for name, *_ in columns),
        np.stack([values for _, values, *_ in columns], axis=-1),
        mean,
        np.array([sd for _, _, sd, _ in columns]),
        tuple(i for i, (*_, varies) in enumerate(columns) if varies),
    )


def _response_at(design: Design, shape: tuple[Floats, Floats, Floats]) -> Floats:
    """The media response [c, g, t] at given half-life, half-saturation and slope."""
    half_life, half_saturation, slope = (jnp.asarray(values) for values in shape)
    carried = carry_over(jnp.asarray(design.exposure), half_life)
    return np.asarray(hill(carried, half_saturation[:, None, None], slope[:, None, None]), dtype=np.float64)


def _whitened(design: Design, relative: Floats, rho: float, spread: Floats) -> Design:
    """The design with this lag-1 correlation [-] and these spreads [g] of the noise taken out of every row."""
    g, n = relative.shape
    before = np.concatenate([np.zeros((g, 1)), design.observed[:, :-1]], axis=1)
    lead = np.where(before > 0, 1.0, np.sqrt(1 - rho**2)) * design.observed / spread[:, None]
    follow = -rho * before * design.observed / spread[:, None]
    whitened = replace(design, lead=lead, follow=follow)
    columns = np.moveaxis(whitened.whiten(np.moveaxis(design.raw_baseline, -1, 0)), 0, -1)
    if design.n_weeks:
        weeks = np.moveaxis(whitened.whiten(np.broadcast_to(np.eye(n)[:, None, :], (n, g, n))), 0, -1)
        columns = np.concatenate([columns, weeks], axis=-1)
    return replace(whitened, outcome=whitened.whiten(relative), baseline=columns)


def _noise(design: Design, relative: Floats, response: Floats) -> tuple[float, Floats]:
    """Lag-1 correlation and spread by geo [g] of what a first penalised fit leaves over (mmm.md, "Noise").

    Each geo is fitted after the mean over geos is taken out where there are many, as week effects will; the correlation
    is freed of the bias that fitting p columns to n weeks brings (it pulls the residuals' correlation down).
    """
    shared = design.n_weeks > 0
    columns = np.concatenate([design.raw_baseline[:, :, list(design.varies)], np.moveaxis(response, 0, -1)], axis=-1)
    if not shared:
        columns = np.concatenate([design.raw_baseline, np.moveaxis(response, 0, -1)], axis=-1)
    target = relative - relative.mean(axis=0) if shared else relative
    columns = columns - columns.mean(axis=0) if shared else columns
    lagged = total = pull = 0.0
    spread = np.empty(len(relative))
    for i, rows in enumerate(design.observed > 0):
        x, y = columns[i, rows], target[i, rows]
        gram = x.T @ x
        hat = x @ np.linalg.solve(gram + 1e-3 * np.trace(gram) / len(gram) * np.eye(len(gram)), x.T)
        left = y - hat @ y
        freedom = max(float(len(y) - np.trace(hat)), 0.2 * len(y))
        spread[i] = np.sqrt(left @ left / freedom)
        unit = left / max(spread[i], 1e-9)
        lagged += float(unit[1:] @ unit[:-1])
        total += float(unit @ unit)
        # Under independent noise the residuals' expected lag-1 product is minus the hat matrix's off-diagonal sum.
        pull -= float(np.trace(hat, offset=1))
    rho = float(np.clip((lagged - pull) / max(total, 1e-9), 0.0, 0.8))
    return rho, np.maximum(spread, 1e-6)
