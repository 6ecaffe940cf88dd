"""What a read-out says in words: one sentence a director can read, and the caveats that go with the number."""

from __future__ import annotations

from weathervane.contracts.experiment import Fit, LiftResult
from weathervane.contracts.experiment_design import TriggerPlan
from weathervane.contracts.figures import counted
from weathervane.experiments.panel import named

_SERIAL = 0.2
_STRONG_SERIAL = 0.6
_POOR_FIT = 0.8
_SHORT_HISTORY = 4  # lengths of the test
FEW_WINDOWS = 5  # of the past, without overlap, under which a share of them says nothing worth printing
_FAR_OFF = 0.25
_FEWER = 0.5  # of the trigger days that were expected


def sentence(result: LiftResult) -> str:
    """The lift, its range and how often such ranges are right; no such claim where that is measured not to hold."""
    name = f"Ads on {result.channel}" + (f" ({result.cell})" if result.cell else "")
    if result.triggered_geo_days is not None:
        name += " that answered the weather"
    verb = "added" if result.lift_rel >= 0.0 else "cost"
    said = f"{name} {verb} {_percent(abs(result.lift_rel))} of what would have been sold without them."
    low, high = result.lift_rel_low, result.lift_rel_high
    if low is None and high is None:
        return f"{said} The data set no bounds to the true effect, so this proves nothing."
    reach = _reach(low, high)
    if result.false_alarm_share is not None:
        few = result.false_alarm_windows < FEW_WINDOWS
        rate = " too" if few else f" {_percent(result.false_alarm_share)} of the time"
        claim = (
            f"The test gives a range {reach}, but it is less sure than it should be: in weeks before the test, when "
            f"nothing had changed, the same method reported an effect{rate}"
            + (f" (how often cannot be told from {_separate(result)})." if few else f" (from {_separate(result)}).")
        )
    elif not result.trusted:
        claim = f"The test gives a range {reach}, which cannot be relied on: see the warnings."
    else:
        claim = f"The true effect probably lies {reach}: {_often(1.0 - result.alpha)} ranges made this way hold it."
    verdict = "" if result.p_value <= result.alpha else " It may be no effect at all: the range includes zero."
    return f"{said} {claim}{verdict}"


def _separate(result: LiftResult) -> str:
    return f"{counted(result.false_alarm_windows, 'window')} without overlap"


def _reach(low: float | None, high: float | None) -> str:
    if low is None:
        return f"anywhere up to {_signed(high or 0.0)}, with no lower end"
    if high is None:
        return f"anywhere from {_signed(low)}, with no upper end"
    return f"between {_signed(low)} and {_signed(high)}"


def lift_in_words(result: LiftResult) -> str:
    """A lift with its ends, as part of a sentence: `+10.9 % (+6.2 % to +16.1 %)`."""
    low, high = ("no end" if end is None else _signed(end) for end in (result.lift_rel_low, result.lift_rel_high))
    return f"{_signed(result.lift_rel)} ({low} to {high})"


def on_request(geos: tuple[str, ...]) -> str:
    """Places that a person left out."""
    return f"Left out on request: {named(geos)}. The plan had {_them(geos)} take part."


def left_out_for(geos: tuple[str, ...], everything: LiftResult) -> str:
    """What the result with the unusual places would be."""
    return (
        f"This result leaves {named(geos)} out. With {_them(geos)} it would be {lift_in_words(everything)}, "
        "but then it would count those days as an effect of ads."
    )


def kept_in(geos: tuple[str, ...]) -> str:
    """Why the unusual places are still in the result."""
    return (
        f"{named(geos)} could not be left out, because too few places would remain for a test. So this result counts "
        "those days as an effect of ads: do not act on it before the days are corrected or explained."
    )


def _them(geos: tuple[str, ...]) -> str:
    return "it" if len(geos) == 1 else "them"


def disagreement(fitted_rel: float) -> str:
    """What a reader must know where the test rejects the estimate of the fit to the days before."""
    return (
        f"Fit and test disagree. The control places, matched to the days before the test, put the effect at "
        f"{_signed(fitted_rel)}; the test, which looks at all days, rules that out. Shown is the effect that fits all "
        "days best and the range around it."
    )


def caveats(result: LiftResult, fit: Fit, *, n_pre: int, negatives: bool) -> tuple[str, ...]:
    """Everything that a reader should hold against the number, each a sentence."""
    found = _limits(result, "this design")
    if result.test == "trimmed_t":
        found.append(
            "The most unusual pairs of places are left out. The range does not pay for choosing how many, so it is "
            "somewhat too narrow."
        )
    elif result.test != "randomisation":
        found.append(
            "Its places were not drawn by chance here (the assignment set is not known), so the result supposes that "
            "they would have gone on as before."
        )
    if result.test == "block_conformal" and n_pre < _SHORT_HISTORY * result.n_days:
        found.append(
            f"The history before the test is only {n_pre / result.n_days:.1f} windows as long as the test. With so "
            "little to compare with, its chance of a false alarm is only roughly what it says."
        )
    if result.test == "block_conformal" and fit.autocorrelation > _STRONG_SERIAL:
        found.append(
            f"Sales of one day depend strongly on the day before (correlation {fit.autocorrelation:.2f}). In simulated "
            "sales of this kind, a test meant to raise a false alarm 5 % of the time did so up to 9 % of the time."
        )
    if result.test in ("iid_conformal", "posterior_t") and fit.autocorrelation > _SERIAL:
        found.append(
            f"Sales of one day depend on the day before (correlation {fit.autocorrelation:.2f}), which this test "
            "does not allow for: the range is too narrow."
        )
    if result.test == "placebo_normal":
        found.append("The range supposes that treated places vary as much as control places, and normally.")
    if fit.imbalance_scaled > _POOR_FIT and result.estimator in ("synthetic_control", "augmented", "synthetic_did"):
        found.append("The matched control places follow the treated ones hardly better than a plain average would.")
    if fit.rmse_rel > _FAR_OFF:
        found.append(
            "Before the test, the estimate from the control places already misses the treated ones by "
            f"{_percent(fit.rmse_rel)} on a typical day. Look for control places of a like size."
        )
    return (*found, *_checks(result, negatives))


def _limits(result: LiftResult, what: str) -> list[str]:
    """What the test could not have shown, and where its range has no end."""
    found: list[str] = []
    if result.p_floor > result.alpha:
        found.append(
            f"The smallest p-value that {what} can give is {result.p_floor:.3g}, and an effect would need "
            f"{result.alpha:g} or less: it cannot show any effect."
        )
    if result.lift_abs_low is None or result.lift_abs_high is None:
        found.append("The range is open at one end or both: the data rule out no effect there, however large.")
    return found


def _checks(result: LiftResult, negatives: bool) -> list[str]:
    """What holds for every kind of test."""
    found: list[str] = []
    if negatives:
        found.append(
            "What is measured goes below zero on some days, so the test looks for the same amount each day, not the "
            "same percentage."
        )
    if result.placebo_pass is False:
        found.append("The same test also finds effects in weeks before it, when nothing had changed.")
    if result.spend_change_abs is not None and result.iroas is None and result.cpic is None:
        found.append(
            "No return per unit of spend is given: the spend did not change as planned, or sales went the other way."
        )
    return found


def chosen_by_model(n_windows: int) -> str:
    """What a reader must know of places that nobody drew by chance."""
    return (
        "Its treated places were chosen by a model and not by chance. To pay for that, the result is held against "
        f"the same choice made again before {counted(n_windows, 'window')} of its past."
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
    treated, untreated = n_episodes
    found = [
        f"It holds for days with {plan.definition} and for no other weather. It compares "
        f"{counted(treated, 'treated spell')} ({counted(result.triggered_geo_days or 0, 'day')} of a place) with "
        f"{counted(untreated, 'untreated spell')}.",
        f"Sales up to {counted(plan.washout_days, 'day')} after a spell count to it. Later ones do not, and would "
        "make the effect look smaller than it was.",
        *_limits(result, "this number of spells"),
    ]
    if fired_geo_days < _FEWER * plan.expected_geo_days:
        found.append(
            f"The weather came on {counted(fired_geo_days, 'day')} of a place where {plan.expected_geo_days:.0f} were "
            "expected, so the test can find less than was foretold."
        )
    if crowded_days:
        found.append(f"On {counted(crowded_days, 'day')} every place was in a spell: there was none to compare with.")
    return (*found, *_checks(result, negatives))


def _often(share: float) -> str:
    for base in (10, 20, 100):
        if abs(share * base - round(share * base)) < 1e-9:
            return f"{round(share * base)} in {base}"
    return f"{100.0 * share:.1f} %"


def _percent(share: float) -> str:
    return f"{100.0 * share:.1f} %"


def _signed(share: float) -> str:
    return f"{100.0 * share:+.1f} %"
