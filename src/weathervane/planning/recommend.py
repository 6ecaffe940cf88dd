"""Recommend: scenarios that the allocator finds for a plan, and the reason where it finds none."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from weathervane.contracts.errors import PlanImpossible
from weathervane.contracts.plan import PlanAim
from weathervane.contracts.scenario import Recommendations, RecommendedScenario, Scenario, ScenarioResult
from weathervane.planning.decision import halves
from weathervane.planning.outcome import evaluate
from weathervane.planning.scenario import Baseline, run_scenario

SAFEST = "Safest"
_Worth = Callable[[ScenarioResult], float]


def recommend(base: Baseline, margin: float | None) -> Recommendations:
    """Up to three scenarios within the plan's limits: the safest, the most profitable, the cheapest of like outcome.

    `margin` is the profit in a unit of outcome; without it nothing can be said of profit. Each has to be worth more
    than the plan on the draws that had no part in choosing it.
    """
    plan_id, signal = base.plan.plan_id, base.request.fit.media_signal
    if not signal.told_from_zero:
        return Recommendations(plan_id, (), (f"{signal.sentence} A scenario chosen on that would follow noise.",))
    found: list[RecommendedScenario] = []
    reasons: list[str] = []
    for name, description, aim, worth in _asked(base, margin):
        if aim is None:
            reasons.append(f"{name}: {description}")
            continue
        try:
            result = run_scenario(base, Scenario(aim=aim))
        except PlanImpossible as error:
            reasons.append(f"{name}: {error.problem}")
            continue
        if name == SAFEST and base.plan.verdict == "keep":
            reasons.append(f"{name}: the plan found no other split of the same total that is shown to pay.")
        elif any(result.cells == other.result.cells for other in found):
            reasons.append(f"{name}: it is the same as {found[-1].name.lower()}.")
        elif worth(result) > 0:
            found.append(RecommendedScenario(name, description, result))
        else:
            reasons.append(
                f"{name}: nothing within the limits is worth more than the plan on draws that did not choose."
            )
    return Recommendations(plan_id, tuple(found), tuple(reasons))


def _asked(base: Baseline, margin: float | None) -> Iterator[tuple[str, str, PlanAim | None, _Worth]]:
    """(name, description, aim, what it is worth more than the plan); without an aim the description is the reason."""
    planned = run_scenario(base, Scenario()).outcome
    yield (
        SAFEST,
        "The split of the same total whose outcome is highest in a bad case, one in ten.",
        PlanAim("outcome", risk="p10"),
        lambda result: result.outcome.p10 - planned.p10,
    )
    if margin is None:
        said = "no margin is known; give one, like margin=0.4, the profit in each unit of outcome."
        yield "Most profit", said, None, lambda _: 0.0
    else:
        yield (
            "Most profit",
            f"As much of the total as pays at a margin of {margin:g}.",
            PlanAim("profit", margin=margin),
            lambda result: margin * result.outcome_diff.p50 - result.spend_diff.major,
        )
    choosing = halves(base.problem)[0]
    target = float(evaluate(choosing, base.budgets).caused.mean())
    if target <= 0:
        yield "Same for less", "the plan's ads are not expected to bring anything.", None, lambda _: 0.0
    else:
        yield (
            "Same for less",
            "The least money that is expected to bring what the plan brings.",
            PlanAim("target", target=target),
            lambda result: -result.spend_diff.major,
        )
