"""An examination: the champion fitted again, taken apart and questioned (docs/modeling/mmm.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import gaussian_kde

from weathervane.contracts.errors import BadInput
from weathervane.contracts.examination import (
    CurveChart,
    DensityChart,
    Examination,
    Pair,
    Range,
    Recovery,
    Stability,
)
from weathervane.contracts.experiment import LiftResult
from weathervane.contracts.fit import FitReport
from weathervane.contracts.response import ResponseCurves
from weathervane.contracts.tenant import Tenant
from weathervane.model.features.build import Panel, build_panel
from weathervane.model.features.grain import select_grain
from weathervane.model.mmm.curves import response_curves
from weathervane.model.mmm.decomposition import band, decompose
from weathervane.model.mmm.engine import told_by
from weathervane.model.mmm.hierarchical import ENGINE, MediaMixFit, fit_media_mix
from weathervane.model.mmm.holdout import WEEKS, holdout_sd
from weathervane.model.mmm.joint import Group, joined, joint_name
from weathervane.model.mmm.next_test import next_tests
from weathervane.model.mmm.prior_predictive import PriorDraws, prior_draws, prior_predictive
from weathervane.model.mmm.priors import Priors
from weathervane.model.mmm.recovery import REPLICATIONS, recover
from weathervane.model.mmm.separability import correlations, pairs
from weathervane.model.mmm.stability import earlier_ends, rolling_stability
from weathervane.model.pipeline import Progress, Tables, known_at

Floats = NDArray[np.float64]
Clock = Callable[[], float]

_GRID = 120  # points of a density
_SAME = 1e-6  # relative: the champion's own numbers, made again


@dataclass(frozen=True)
class _Asked:
    """What a deep examination fits again, and how it is told."""

    panel: Panel
    priors: Priors
    experiments: tuple[LiftResult, ...]
    seed: int
    unit: str
    progress: Progress


def examine(
    tables: Tables,
    tenant: Tenant,
    champion: FitReport,
    priors: Priors,
    *,
    deep: bool = False,
    experiments: tuple[LiftResult, ...] = (),
    start: Floats | None = None,
    progress: Progress = lambda _: None,
    clock: Clock = lambda: 0.0,
) -> Examination:
    """Fits the champion again, as of its own instant, with its own seed and start, and asks everything of it.

    `deep` adds recovery and stability, seven more fits; `clock` gives seconds, to say how long those will take. Raises
    BadInput for a champion of another engine, and what training raises.
    """
    if champion.summary.engine.partition(" ")[0] != ENGINE:
        raise BadInput(
            f"The model in use was fitted by the {champion.summary.engine} engine, which cannot be examined.",
            "train with the hierarchical engine, then examine.",
        )
    likelihood, step = told_by(champion.summary.engine)
    if deep and likelihood != "normal":
        raise BadInput(
            f"A deep examination simulates sales with normal noise, and the model in use is {likelihood}.",
            "leave out --deep, or train with `--likelihood normal`.",
        )
    as_of = datetime.strptime(champion.created_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    known = known_at(tables, as_of)
    progress("building features")
    panel = build_panel(
        known, select_grain(known), as_of=as_of, step_days=7 if step == "week" else 1, horizon=1, total=True
    )
    one = joined(panel, priors, experiments, likelihood)
    panel, priors = one.panel, one.priors
    begun = clock()
    fit = fit_media_mix(
        panel, priors, champion.seed, progress, experiments=experiments, start=start, likelihood=likelihood
    )
    seconds, seed = clock() - begun, champion.seed
    unit = tenant.currency if tenant.outcome_is_money else tenant.outcome.replace("_", " ")
    asked = _Asked(panel, priors, experiments, seed, unit, progress)
    progress("taking the outcome apart")
    adds = fit.form.link == "identity"
    contributions = decompose(fit, seed).report(panel.starts[: panel.n_past]) if adds else None
    progress("asking the priors")
    prior = prior_draws(fit.data, fit.form, seed)
    curves = response_curves(fit, champion.model_id)
    same = _is_champion(fit, champion, one.groups)
    recovery, stability = _deeply(asked, fit, seconds) if deep else (None, None)
    return Examination(
        model_id=champion.model_id,
        tenant_id=tenant.tenant_id,
        tenant_name=tenant.name,
        demo=tenant.demo,
        currency=tenant.currency,
        outcome=tenant.outcome,
        outcome_is_money=tenant.outcome_is_money,
        as_of=champion.created_at,
        seed=seed,
        step_days=panel.step_days,
        same_as_champion=same,
        contributions=contributions,
        pairs=(*_joint_pairs(champion), *pairs(fit)),
        priors=prior_predictive(fit.design, fit.data, fit.channels, prior),
        next_tests=next_tests(curves, holdout_sd(fit, WEEKS)[fit.design.cost > 0], unit=unit),
        curves=_curves(curves),
        densities=_densities(fit, prior),
        correlations=correlations(fit),
        recovery=recovery,
        stability=stability,
        caveats=(*panel.notes, *(() if adds else (_MULTIPLIES,)), *(() if same else (_OTHER,))),
    )


_MULTIPLIES = (
    "In this model ads multiply sales, so sales are not taken apart into a baseline and what each channel added: the "
    "parts would not add up."
)
_OTHER = (
    "The refit does not give the champion's numbers: its data, its experiments or the program have changed since. "
    "Train again to examine the model in use."
)


def _deeply(asked: _Asked, fit: MediaMixFit, seconds: float) -> tuple[Recovery, Stability]:
    """Recovery and stability, after saying how long they are likely to take."""
    n_fits = REPLICATIONS + len(earlier_ends(asked.panel))
    if seconds > 0:
        asked.progress(f"{n_fits} more fits, about {max(1, round(n_fits * seconds / 60))} min")
    recovery = recover(asked.panel, asked.priors, fit, asked.seed, progress=asked.progress)
    stability = rolling_stability(
        asked.panel,
        asked.priors,
        fit,
        asked.seed,
        unit=asked.unit,
        experiments=asked.experiments,
        progress=asked.progress,
    )
    return recovery, stability


def _is_champion(fit: MediaMixFit, champion: FitReport, groups: tuple[Group, ...]) -> bool:
    """Whether the refit's returns are the champion's; channels that were fitted as one share theirs."""
    fitted = {each: joint_name(group) for group in groups for each in group}
    names = [fitted.get(each.channel, each.channel) for each in champion.channels]
    priced = {fit.channels[c] for c in np.flatnonzero(fit.design.cost > 0)}
    if set(names) != priced:
        return False
    again = np.quantile(fit.roi[:, [fit.channels.index(name) for name in names]], 0.5, axis=0)
    before = np.array([each.roi.p50 for each in champion.channels])
    return bool(np.allclose(again, before, rtol=_SAME, atol=_SAME, equal_nan=True))


def _joint_pairs(champion: FitReport) -> tuple[Pair, ...]:
    """Channels that were fitted as one, pair by pair; what each caused is not known, so neither is a correlation."""
    return tuple(
        Pair(
            first=first,
            second=second,
            correlation=None,
            told_apart=False,
            joint_roi=Range(joint.roi_p05, joint.roi.p50, joint.roi_p95),
            sentence=f"{joint.sentence} {joint.test}",
        )
        for joint in champion.joint
        for first, second in combinations(joint.channels, 2)
    )


def _curves(curves: ResponseCurves) -> tuple[CurveChart, ...]:
    """Every channel's curve of all places, each place from nothing to the end of its own grid."""
    return tuple(
        CurveChart(
            channel=channel,
            budget=tuple(float(value) for value in curves.budget[:, c].sum(axis=0)),
            outcome=band(curves.outcome[:, c].sum(axis=0).T),
            recent=float(curves.spend_recent[:, c].sum()),
            most=float(curves.spend_max[:, c].sum()),
        )
        for c, channel in enumerate(curves.channels)
    )


def _densities(fit: MediaMixFit, prior: PriorDraws) -> tuple[DensityChart, ...]:
    """Prior and posterior of every return, on a grid that holds both; channels that cost nothing left out."""
    out: list[DensityChart] = []
    for c, channel in enumerate(fit.channels):
        spent = fit.design.spend_share[c]
        if spent <= 0:
            continue
        before, after = prior.share[:, c] * fit.design.z.shape[1] / spent, fit.roi[:, c]
        low, high = (float(np.quantile(np.concatenate([before, after]), q)) for q in (0.002, 0.998))
        grid = np.linspace(low, high, _GRID)
        out.append(
            DensityChart(
                channel,
                tuple(float(value) for value in grid),
                tuple(float(value) for value in gaussian_kde(before)(grid)),
                tuple(float(value) for value in gaussian_kde(after)(grid)),
            )
        )
    return tuple(out)
