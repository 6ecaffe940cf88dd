"""Grade: what a split that already exists can and cannot tell, and a test that others began, taken in as it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.contracts.experiment_design import (
    AssignedGeo,
    BalanceRule,
    Cell,
    Constraints,
    DesignRequest,
    ExcludedGeo,
    ExistingSplit,
    ExperimentDesign,
    Stratum,
    min_geos_required,
)
from weathervane.contracts.figures import counted
from weathervane.experiments.assign import Rule, random_arms
from weathervane.experiments.balance import (
    Arms,
    BalanceMetrics,
    Floats,
    GeoWeather,
    balance_metrics,
    differences,
    imbalance,
)
from weathervane.experiments.draft import Stamp, of_request
from weathervane.experiments.freeze import panel_sha256
from weathervane.experiments.panel import Panel

# Differences of this size are what rerandomisation is for; a fair coin rarely leaves them with many geos.
_FAIR_SMD = 0.25
_POOR_SMD = 0.5
_COMPARED = 5_000


@dataclass(frozen=True)
class SplitGrade:
    """How a split stands. `balance` as in ExperimentDesign; `worst_smd` its largest absolute value.

    `better_share` is the share of random splits of the same sizes that are at least as well balanced: near 0 the split
    is among the best, near 1 among the worst. `can` and `cannot` are sentences.
    """

    verdict: str  # well balanced | usable | lopsided
    balance: dict[str, float]
    worst_smd: float
    better_share: float
    n_treated: int
    n_control: int
    treated_share: float
    control_share: float
    unassigned: tuple[str, ...]
    can: tuple[str, ...]
    cannot: tuple[str, ...]


def grade_split(panel: Panel, split: ExistingSplit, *, weather: GeoWeather | None = None, seed: int = 0) -> SplitGrade:
    """The grade of a split on the panel of its pre-period; `weather` follows the panel.

    Raises BadInput for a geo without data, NotEnoughData as balance_metrics.
    """
    kept, metrics, weights, arms = _on_panel(panel, split, weather)
    n_cells = len(split.treated)
    rule = _free_rule(kept.geos, split, metrics, weights, arms)
    random = np.concatenate(list(random_arms(rule, seed, _COMPARED, "grade")))
    own = float(imbalance(arms[None, :], metrics.values, n_cells)[0])
    better = float((imbalance(random, metrics.values, n_cells) <= own).mean())
    balance = differences(arms, metrics, n_cells)
    verdict = "well balanced" if own <= _FAIR_SMD else "usable" if own <= _POOR_SMD or better <= 0.5 else "lopsided"
    treated, control = int((arms > 0).sum()), int((arms == 0).sum())
    return SplitGrade(
        verdict=verdict,
        balance=balance,
        worst_smd=own,
        better_share=better,
        n_treated=treated,
        n_control=control,
        treated_share=float(weights[arms > 0].sum()),
        control_share=float(weights[arms == 0].sum()),
        unassigned=tuple(sorted(set(panel.geos) - set(kept.geos))),
        can=_can(control),
        cannot=_cannot(balance, treated, control, float(weights.max()), split),
    )


def import_running(
    panel: Panel,
    split: ExistingSplit,
    request: DesignRequest,
    stamp: Stamp,
    *,
    weather: GeoWeather | None = None,
    declared: str = "",
) -> ExperimentDesign:
    """A test that others drew, as a design: not randomised by us, so it is read by placebos and not by its own chance.

    The panel covers the pre-period of `request`, whose cells must be those of the split. The seed is None, the
    assignment set empty and the test block-permutation conformal, whatever was asked for. `declared` is what its owner
    says of how it was drawn; nobody can check it.
    """
    if [cell.name for cell in request.cells] != sorted(split.treated):
        raise BadInput(f"{split.source} has the cells {', '.join(sorted(split.treated))}.", "describe these, in order.")
    kept, metrics, weights, arms = _on_panel(panel, split, weather)
    left_out = {one.geo: one for one in split.excluded}
    for geo in set(panel.geos) - set(kept.geos) - set(left_out):
        left_out[geo] = ExcludedGeo(geo, f"{split.source} does not name it.")
    names = sorted(split.treated)
    rule = _free_rule(kept.geos, split, metrics, weights, arms)
    return ExperimentDesign(
        **of_request(request, stamp),
        lifecycle="assigned",
        geo_count=len(kept.geos),
        holdout_count=int((arms == 0).sum()),
        holdout_ratio=float((arms == 0).mean()),
        control_share=float(weights[arms == 0].sum()),
        revenue_at_risk=float(Rule.at_risk(_with_cells(rule, request.cells), arms[None, :])[0]),
        assignment=tuple(
            AssignedGeo(geo, "treatment", float(weight), names[arm - 1])
            if arm
            else AssignedGeo(geo, "control", float(weight))
            for geo, arm, weight in zip(kept.geos, arms, weights, strict=True)
        ),
        excluded_geos=tuple(left_out[geo] for geo in sorted(left_out)),
        method="imported",
        seed=None,
        strata=(),
        constraints=Constraints(),
        balance=differences(arms, metrics, len(names)),
        balance_rule=BalanceRule(
            "max_abs_smd",
            None,
            f"not drawn here, but taken from {split.source} ({declared or 'nobody says how they were chosen'})",
        ),
        covariates={name: tuple(metrics.values[:, i].tolist()) for i, name in enumerate(metrics.names)},
        n_draws=0,
        max_assignments=0,
        n_assignments=1,
        assignment_set_sha256="",
        test="block_conformal",
        input_snapshot_sha256=panel_sha256(kept),
    )


def _on_panel(
    panel: Panel, split: ExistingSplit, weather: GeoWeather | None
) -> tuple[Panel, BalanceMetrics, Floats, Arms]:
    arm = dict.fromkeys(split.control, 0)
    for c, name in enumerate(sorted(split.treated), start=1):
        arm |= dict.fromkeys(split.treated[name], c)
    kept = panel.only(tuple(arm))
    if weather is not None:
        rows, rain = panel.rows(kept.geos), weather.precip_mm
        weather = GeoWeather(weather.temp_mean_c[rows], None if rain is None else rain[rows])
    metrics = balance_metrics(kept, weather)
    mean = np.nanmean(kept.outcome, axis=1)
    if mean.sum() <= 0:
        raise NotEnoughData("The places of the split have no sales.", "check the outcome's column.")
    return kept, metrics, mean / mean.sum(), np.array([arm[geo] for geo in kept.geos], dtype=np.int8)


def _free_rule(
    geos: tuple[str, ...], split: ExistingSplit, metrics: BalanceMetrics, weights: Floats, arms: Arms
) -> Rule:
    names = sorted(split.treated)
    cells = tuple(Cell(name, split.kinds.get(name, "go_dark"), "any", 0.5 / len(names)) for name in names)
    sizes = tuple(int((arms == c).sum()) for c in range(1, len(names) + 1))
    stratum = Stratum(tuple((geo,) for geo in geos), sizes)
    return Rule(geos, cells, (stratum,), metrics.values, weights, Constraints(), BalanceRule("max_abs_smd", None, ""))


def _with_cells(rule: Rule, cells: tuple[Cell, ...]) -> Rule:
    return Rule(rule.geos, cells, rule.strata, rule.values, rule.weights, rule.constraints, rule.balance)


def _can(control: int) -> tuple[str, ...]:
    return (
        f"Compare the treated places with what {counted(control, 'control place')} let expect.",
        "Give a range for the effect, supposing that the places would have gone on as before.",
    )


def _cannot(
    balance: dict[str, float], treated: int, control: int, heaviest: float, split: ExistingSplit
) -> tuple[str, ...]:
    found = [
        "Be read by a randomisation test: nobody can say which other splits could have been drawn."
        if split.seed is None
        else f"Be read by a randomisation test: {split.source} states a seed, but its draw cannot be repeated here."
    ]
    if treated + control < min_geos_required():
        found.append(
            f"Tell an effect from chance with confidence: {counted(treated + control, 'place')} are fewer than "
            f"{min_geos_required()}."
        )
    if min(treated, control) < 4:
        found.append(f"Speak for other places: one side has only {counted(min(treated, control), 'place')}.")
    far = {name: value for name, value in balance.items() if abs(value) > _POOR_SMD}
    if far:
        listed = ", ".join(f"{name} {value:+.2f}" for name, value in sorted(far.items()))
        found.append(f"Be read as a plain difference of the two sides: they differ before the test ({listed}).")
    if heaviest > 0.25:
        found.append(f"Survive trouble in its largest place, which holds {heaviest:.0%} of sales.")
    return tuple(found)
