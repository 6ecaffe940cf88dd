"""What a read-out says in words: one sentence a director can read, and the caveats that go with the number."""

from __future__ import annotations

from weathervane.contracts.experiment import Fit, LiftResult
from weathervane.contracts.experiment_design import TriggerPlan

_SERIAL = 0.2
_STRONG_SERIAL = 0.6
_POOR_FIT = 0.8
_FEW_WINDOWS = 4
_FAR_OFF = 0.25
_FEWER = 0.5  # of the trigger days that were expected


def sentence(result: LiftResult) -> str:
    """The lift, its interval and how often such intervals are right."""
    name = f"Ads on {result.channel}" + (f" ({result.cell})" if result.cell else "")
    if result.triggered_geo_days is not None:
        name += " that answered the trigger"
    verb = "added" if result.lift_rel >= 0.0 else "cost"
    said = f"{name} {verb} {_percent(abs(result.lift_rel))} of the outcome without them"
    low, high = result.lift_rel_low, result.lift_rel_high
    often = f"{_often(1.0 - result.alpha)} intervals made this way hold the truth"
    if low is None and high is None:
        reach = "the data set no bounds to that"
    elif low is None:
        reach = f"{often}, and this one has no lower bound and ends at {_signed(high or 0.0)}"
    elif high is None:
        reach = f"{often}, and this one starts at {_signed(low)} and has no upper bound"
    else:
        reach = f"{often}, and this one runs from {_signed(low)} to {_signed(high)}"
    verdict = "" if result.p_value <= result.alpha else "; it cannot be told from no effect"
    return f"{said}: {reach}{verdict}."


def caveats(result: LiftResult, fit: Fit, *, n_pre: int, negatives: bool) -> tuple[str, ...]:
    """Everything that a reader should hold against the number, each a sentence."""
    found: list[str] = []
    if result.p_floor > result.alpha:
        found.append(
            f"The smallest p-value that this design can give is {result.p_floor:.3g}, above {result.alpha:g}: "
            "it cannot show any effect."
        )
    if result.lift_abs_low is None or result.lift_abs_high is None:
        found.append("The interval is unbounded: the data do not rule out effects of any size on that side.")
    if result.test != "randomisation":
        found.append("The assignment set is not known, so the result rests on the geos going on as they did before.")
    if result.test == "block_conformal" and n_pre < _FEW_WINDOWS * result.n_days:
        found.append(
            f"The history holds only {n_pre / result.n_days:.1f} windows as long as the test: "
            "the p-value is coarse and its error rate only roughly what it says."
        )
    if result.test == "block_conformal" and fit.autocorrelation > _STRONG_SERIAL:
        found.append(
            f"Days depend strongly on those before (lag-1 correlation {fit.autocorrelation:.2f}): in simulations "
            "of such days a 5 % test over time rejected up to 9 % of the time."
        )
    if result.test in ("iid_conformal", "posterior_t") and fit.autocorrelation > _SERIAL:
        found.append(
            f"Days are serially dependent (lag-1 correlation {fit.autocorrelation:.2f}) and this test takes them as "
            "independent: the interval is too narrow."
        )
    if result.test == "placebo_normal":
        found.append("The interval takes treated geos to be as noisy as control geos, and errors to be normal.")
    if fit.imbalance_scaled > _POOR_FIT and result.estimator in ("synthetic_control", "augmented", "synthetic_did"):
        found.append("The weighted controls follow the treated geos hardly better than a plain average.")
    if fit.rmse_rel > _FAR_OFF:
        found.append(
            f"Before the test the counterfactual already misses the treated geos by {_percent(fit.rmse_rel)} of their "
            "size on a typical day: look for controls of their size, or for an estimator that weighs them."
        )
    if negatives:
        found.append("The KPI goes below zero, so a constant absolute effect was tested instead of a relative one.")
    if result.placebo_pass is False:
        found.append("The same test finds effects in windows before the test, where there were none.")
    if result.spend_change_abs is not None and result.iroas is None and result.cpic is None:
        found.append("No return is stated: the change of spend or the lift does not have the sign that one needs.")
    return tuple(found)


def chosen_by_model(n_windows: int) -> str:
    """What a reader must know of geos that nobody drew by chance."""
    return (
        "Its treated geos were chosen by a model and not by chance: the p-value and the interval are held against the "
        f"same choice made anew before {n_windows} windows of its past."
    )


def trigger_caveats(
    result: LiftResult,
    plan: TriggerPlan,
    *,
    n_episodes: tuple[int, int],
    fired_geo_days: int,
    crowded_days: int,
    negatives: bool,
) -> tuple[str, ...]:
    """As `caveats`, of a trigger test with so many treated and untreated episodes; on `crowded_days` every geo was in
    one, or cooling down from it."""
    found = [
        f"It speaks of {result.triggered_geo_days} days of a geo with {plan.definition}, in {n_episodes[0]} treated "
        f"against {n_episodes[1]} untreated episodes, and of no other weather.",
        f"What ads sell up to {plan.washout_days} days after an episode is counted; what they sell later is not, and "
        "would make the episodes look more alike than they were.",
    ]
    if result.p_floor > result.alpha:
        found.append(
            f"The smallest p-value that these episodes can give is {result.p_floor:.3g}, above {result.alpha:g}: "
            "they cannot show any effect."
        )
    if result.lift_abs_low is None or result.lift_abs_high is None:
        found.append("The interval is unbounded: the data do not rule out effects of any size on that side.")
    if fired_geo_days < _FEWER * plan.expected_geo_days:
        found.append(
            f"The trigger fired on {fired_geo_days} days of a geo where {plan.expected_geo_days:.0f} were expected: "
            "the test can find less than was foretold."
        )
    if crowded_days:
        found.append(f"On {crowded_days} days no geo was free of the trigger to compare with.")
    if negatives:
        found.append("The KPI goes below zero, so a constant absolute effect was tested instead of a relative one.")
    if result.placebo_pass is False:
        found.append("The same test finds effects in windows before the test, where there were none.")
    if result.spend_change_abs is not None and result.iroas is None and result.cpic is None:
        found.append("No return is stated: the change of spend or the lift does not have the sign that one needs.")
    return tuple(found)


def _often(share: float) -> str:
    for base in (10, 20, 100):
        if abs(share * base - round(share * base)) < 1e-9:
            return f"{round(share * base)} in {base}"
    return f"{100.0 * share:.1f} %"


def _percent(share: float) -> str:
    return f"{100.0 * share:.1f} %"


def _signed(share: float) -> str:
    return f"{100.0 * share:+.1f} %"
