"""Scenario: the plan's own computation with one thing changed, told as differences to the plan in paired draws.

Rules and formulas in docs/modeling/planning.md, "Scenarios".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from weathervane.contracts.choice import known_name
from weathervane.contracts.errors import BadInput
from weathervane.contracts.figures import channel_name, share, whole_money
from weathervane.contracts.forecast import Quantiles
from weathervane.contracts.money import Money
from weathervane.contracts.plan import BudgetPlan, Certificate, PlanAim
from weathervane.contracts.scenario import MAX_MULTIPLIER, Scenario, ScenarioCell, ScenarioPart, ScenarioResult
from weathervane.planning.allocate import best
from weathervane.planning.decision import chance_of_gain, halves
from weathervane.planning.outcome import caused_mean, evaluate
from weathervane.planning.past_weather import Replay
from weathervane.planning.problem import Bools, Floats, Index, Ints, Limit, Problem
from weathervane.planning.question import sorted_series
from weathervane.planning.request import PlanRequest, held_at, question
from weathervane.planning.scenario_demand import Series, demand_in, under_promotion, under_weather
from weathervane.planning.wording import under_test

_ADS_AND_PROMOTIONS = "What ads return is taken to be the same with and without promotions: that is not measured."
_FLAT = "What ads return does not depend on weather in this model, so other weather changes nothing of it."
_NO_RAIN = "The rain of that past period is not known: what ads return by rain stays as forecast."
_CHOSEN = "One half of the model's simulations chose these budgets, the other half judged them."
_CHOSEN_WHERE_THE_PLAN_KEEPS = (
    "The plan keeps today's split, because no other is shown to bring more. A search chose these budgets, so what they "
    "gain at the same total may be luck."
)
Changed = Mapping[Index, Floats]  # the anomaly [g, t] of each index that is other than planned


@dataclass(frozen=True)
class Baseline:
    """A plan as arrays: the problem it answered, its budgets [g, c, t], and draws [g, c, d] of what they cause.

    `scoring` is the problem by the draws that had no part in choosing. `seen` [g, c] is the largest weekly spend.
    """

    request: PlanRequest
    plan: BudgetPlan
    plan_sha256: str
    problem: Problem
    scoring: Problem
    budgets: Ints
    caused: Floats
    seen: Floats


def baseline(request: PlanRequest, plan: BudgetPlan, plan_sha256: str) -> Baseline:
    """What scenarios of this plan start from; `request` is the one it was made from. BadInput where they differ."""
    problem = question(replace(request, limits=plan.limits, aim=plan.aim))
    budgets = _budgets(plan, problem)
    scoring = halves(problem)[1]
    seen = sorted_series(request.curves).spend_max
    return Baseline(request, plan, plan_sha256, problem, scoring, budgets, _caused(scoring, budgets), seen)


def run_scenario(
    base: Baseline,
    scenario: Scenario,
    past: Replay | None = None,
    planned_promotions: Mapping[Series, float] | None = None,
) -> ScenarioResult:
    """What the scenario comes to. `past` is the period to replay where the weather case needs one,
    `planned_promotions` the mean depth by geo and category, none by default.

    Raises BadInput for a channel, place or currency that the plan does not have, PlanImpossible where an optimised
    scenario has no budgets within the limits.
    """
    _check(base, scenario)
    weather, unanswered = _weather(base, scenario, past)
    demand, more = _demand(base, scenario, past, planned_promotions or {})
    unanswered += more
    if scenario.optimised:
        budgets, certificate = _optimised(base, scenario, weather)
    else:
        budgets, certificate = _scaled(base, scenario), None
    same = weather is None and np.array_equal(budgets, base.budgets)
    caused = base.caused if same else _caused(_under(base.scoring, weather), budgets)
    result = _result(base, scenario, budgets, caused, certificate, tuple(unanswered))
    return result if demand is None else replace(result, demand_diff=_quantiles(demand[None])[0])


def needs_past(scenario: Scenario) -> bool:
    """Whether the scenario's weather is that of a past period."""
    return scenario.weather in ("warm", "wet", "replay")


def depends_on_weather(base: Baseline) -> bool:
    """Whether what ads return depends on weather at all."""
    return bool(base.problem.modulations)


def _caused(problem: Problem, budgets: Ints) -> Floats:
    found = evaluate(problem, budgets)
    return found.by_cell.sum(axis=2) + found.carry_out


def _budgets(plan: BudgetPlan, problem: Problem) -> Ints:
    """The plan's recommended budgets [g, c, t] in minor units."""
    lines = {(line.geo, line.channel): line for line in plan.lines}
    if set(lines) != {(geo, channel) for geo in problem.geos for channel in problem.channels}:
        raise BadInput(f"{plan.plan_id} has other lines than the model in use.", "run `weathervane plan` again.")
    found = np.zeros(problem.shape, np.int64)
    for g, geo in enumerate(problem.geos):
        for c, channel in enumerate(problem.channels):
            line = lines[geo, channel]
            parts = [each.recommended.minor for each in line.periods] or [line.recommended.minor]
            if len(parts) != problem.n_periods:
                raise BadInput(f"{plan.plan_id} has other periods than asked for.", "run `weathervane plan` again.")
            found[g, c] = parts
    return found


def _check(base: Baseline, scenario: Scenario) -> None:
    problem = base.problem
    for kind, names, known in (
        ("channel", scenario.channel_multipliers, problem.channels),
        ("place", scenario.geo_tilt, problem.geos),
    ):
        for name in sorted(names):
            known_name(name, known, kind)
    extra = scenario.aim.extra if scenario.aim is not None else None
    for money in (scenario.total, extra):
        if money is not None and money.currency != problem.currency:
            raise BadInput(
                f"The scenario is in {money.currency}, the plan in {problem.currency}.", f"write {problem.currency}."
            )
    most = round(MAX_MULTIPLIER * int(base.budgets.sum()))
    if scenario.total is not None and scenario.total.minor > most:
        raise BadInput(
            f"The total of {whole_money(scenario.total)} is far beyond anything that was spent.",
            f"give at most {whole_money(Money(most, problem.currency))}, {MAX_MULTIPLIER:g} times the plan's.",
        )


def _weather(base: Baseline, scenario: Scenario, past: Replay | None) -> tuple[Changed | None, list[str]]:
    """The anomalies that are other than planned, None where all stay; and what cannot be answered."""
    if scenario.weather == "forecast":
        return None, []
    if scenario.weather != "normal":
        missing = [geo for geo in base.problem.geos if past is None or geo not in past.z]
        if past is None or missing:
            where = "anywhere" if past is None or len(missing) == len(base.problem.geos) else f"in {missing[0]}"
            return None, [f"The weather of that past period is not known {where}: it stays as forecast."]
    if not depends_on_weather(base):
        return None, [_FLAT]
    changed, unanswered = dict[Index, Floats](), list[str]()
    for each in base.problem.modulations:
        index = each.index
        if past is None or scenario.weather == "normal":
            changed[index] = np.zeros((len(base.problem.geos), base.problem.n_periods))
            continue
        by_geo = past.z if index == "temperature" else past.wet
        if set(base.problem.geos) <= set(by_geo):
            changed[index] = np.stack([by_geo[geo] for geo in base.problem.geos])
        else:
            unanswered.append(_NO_RAIN)
    return changed, unanswered


def _demand(
    base: Baseline, scenario: Scenario, past: Replay | None, planned: Mapping[Series, float]
) -> tuple[Floats | None, list[str]]:
    """Draws [d] of what the scenario's weather and promotions do to demand, None where nothing; and what is not told.

    The two are added up: how they work together is not measured.
    """
    fit, demand = base.request.fit, demand_in(base.request.forecast, base.plan.period)
    changes, said = list[Floats](), list[str]()
    indices = {} if scenario.weather == "normal" else None if past is None else past.indices
    if (
        scenario.weather != "forecast"
        and indices is not None
        and not set(base.problem.geos) - set(indices or base.problem.geos)
    ):
        change, why = under_weather(demand, fit.weather.effects, indices)
        changes += [] if change is None else [change]
        said += () if scenario.weather == "warm" and change is not None else why
    if scenario.promotion != "as_planned":
        change, why = under_promotion(demand, fit.promotions, scenario.promotion, planned)
        changes += [] if change is None else [change]
        said += why
    return (sum(changes[1:], changes[0]) if changes else None), said


def _under(problem: Problem, weather: Changed | None) -> Problem:
    """The problem under other weather, which is the same in every draw."""
    if weather is None:
        return problem
    return replace(
        problem,
        modulations=tuple(
            replace(each, anomaly=np.repeat(weather[each.index][..., None], problem.n_draws, axis=2))
            if each.index in weather
            else each
            for each in problem.modulations
        ),
    )


def _factors(base: Baseline, scenario: Scenario) -> tuple[Floats, Floats]:
    """Factors of channels [c] and places [g]."""
    channels = [scenario.channel_multipliers.get(name, 1.0) for name in base.problem.channels]
    return np.array(channels), np.array([scenario.geo_tilt.get(name, 1.0) for name in base.problem.geos])


def _scaled(base: Baseline, scenario: Scenario) -> Ints:
    """The plan's budgets times the scenario's factors, in whole minor units that add up to its total."""
    by_channel, by_geo = _factors(base, scenario)
    under_test = base.problem.is_held
    kept = np.where(under_test, base.budgets, 0)
    raw = np.where(under_test, 0, base.budgets * by_channel[:, None])
    asked = round(float(raw.sum())) if scenario.total is None else scenario.total.minor - int(kept.sum())
    if asked < 0:
        raise BadInput(
            f"The lines under test alone cost {whole_money(Money(int(kept.sum()), base.problem.currency))}.",
            "give a total above that.",
        )
    raw = raw * by_geo[:, None, None]
    if asked and not raw.any():
        raise BadInput("The scenario leaves no budget that its total could go to.", "raise a multiplier above 0.")
    if raw.any() and float(raw.sum()) != float(asked):
        raw = raw * (asked / raw.sum())
    return kept + _whole(raw, asked)


def _whole(raw: Floats, total: int) -> Ints:
    """Whole minor units that add up to the total; what rounding leaves goes to the largest rests, by name."""
    found = np.floor(raw + 1e-6).astype(np.int64)
    missing = total - int(found.sum())
    if missing:
        rest = np.argsort(-(raw - found).ravel(), kind="stable")
        more = found.ravel()
        # Where rounding up overshot, the smallest rests give back.
        chosen = rest[:missing] if missing > 0 else rest[missing:]
        more[chosen] += 1 if missing > 0 else -1
        found = more.reshape(raw.shape)
    return found


def _optimised(base: Baseline, scenario: Scenario, weather: Changed | None) -> tuple[Ints, Certificate]:
    """The allocator's best budgets within the plan's limits; what a multiplier sets is held, not chosen."""
    limits = base.plan.limits if scenario.total is None else replace(base.plan.limits, total=scenario.total)
    problem = _under(question(replace(base.request, limits=limits, aim=_aim(base, scenario))), weather)
    by_channel, by_geo = _factors(base, scenario)
    fixed = np.rint(base.budgets * by_channel[:, None] * by_geo[:, None, None]).astype(np.int64)
    problem = held_at(problem, fixed, _named(base, scenario) & ~problem.is_held)
    found = best(halves(problem)[0], start=base.budgets)
    return found.budgets, found.certificate


def _aim(base: Baseline, scenario: Scenario) -> PlanAim:
    aim = scenario.aim or PlanAim(risk=base.plan.aim.risk, tail=base.plan.aim.tail)
    if scenario.roas_floor is None:
        return aim
    return replace(aim, goal="return_floor", return_floor=scenario.roas_floor)


def _named(base: Baseline, scenario: Scenario) -> Bools:
    """The cells [g, c, t] that a factor names, one of 1 too: it holds them at the plan's budget."""
    channels = np.array([name in scenario.channel_multipliers for name in base.problem.channels])
    geos = np.array([name in scenario.geo_tilt for name in base.problem.geos])
    return np.broadcast_to((channels[None, :] | geos[:, None])[:, :, None], base.problem.shape)


def _result(
    base: Baseline,
    scenario: Scenario,
    budgets: Ints,
    caused: Floats,
    certificate: Certificate | None,
    unanswered: tuple[str, ...],
) -> ScenarioResult:
    problem, plan = base.problem, base.plan
    spend, planned = int(budgets.sum()), int(base.budgets.sum())
    more = caused.sum(axis=(0, 1)) - base.caused.sum(axis=(0, 1))
    outcome, before = caused.sum(axis=(0, 1)), base.caused.sum(axis=(0, 1))
    beyond = np.asarray((budgets * problem.per_week > base.seen[:, :, None] * (1 + 1e-9) + 1e-6).any(axis=2))
    roas, roas_before = (_ratio(draws, money, problem.minor) for draws, money in ((outcome, spend), (before, planned)))
    return ScenarioResult(
        scenario=scenario,
        plan_id=plan.plan_id,
        plan_sha256=base.plan_sha256,
        model_id=plan.model.model_id,
        currency=plan.currency,
        outcome_is_money=plan.outcome_is_money,
        spend=Money(spend, plan.currency),
        spend_diff=Money(spend - planned, plan.currency),
        outcome=_quantiles(outcome[None])[0],
        outcome_diff=_quantiles(more[None])[0],
        profit_diff=_profit(scenario, more, spend - planned, problem.minor),
        chance_more=chance_of_gain(more) if more.any() else None,
        roas=None if roas is None else _quantiles(roas[None])[0],
        roas_diff=None if roas is None or roas_before is None else _quantiles((roas - roas_before)[None])[0],
        by_channel=_parts(problem.channels, base, budgets, caused, 0),
        by_geo=_parts(problem.geos, base, budgets, caused, 1),
        cells=tuple(
            ScenarioCell(
                geo,
                channel,
                Money(int(base.budgets[g, c].sum()), plan.currency),
                Money(int(budgets[g, c].sum()), plan.currency),
                bool(beyond[g, c]),
            )
            for g, geo in enumerate(problem.geos)
            for c, channel in enumerate(problem.channels)
        ),
        breaches=tuple(_breaches(base, scenario, budgets)),
        unanswered=unanswered,
        notes=_notes(base, scenario, int(beyond.sum())),
        certificate=certificate,
    )


def _parts(
    names: tuple[str, ...], base: Baseline, budgets: Ints, caused: Floats, over: int
) -> tuple[ScenarioPart, ...]:
    """One part a name; `over` is the axis that is added up: 0 leaves channels, 1 geos."""
    outcome, before = caused.sum(axis=over), base.caused.sum(axis=over)
    spend, planned = (each.sum(axis=(over, 2)) for each in (budgets, base.budgets))
    of_outcome, of_diff = _quantiles(outcome), _quantiles(outcome - before)
    per_unit = _quantiles(outcome / np.maximum(spend, 1)[:, None] * base.problem.minor)
    currency = base.plan.currency
    return tuple(
        ScenarioPart(
            name,
            Money(int(planned[i]), currency),
            Money(int(spend[i]), currency),
            of_outcome[i],
            of_diff[i],
            per_unit[i] if spend[i] else None,
        )
        for i, name in enumerate(names)
    )


def _breaches(base: Baseline, scenario: Scenario, budgets: Ints) -> list[str]:
    """The plan's limits that these budgets break, each with its name."""
    problem = base.problem
    off = problem.may_pause & (budgets == 0)
    found: list[str] = []
    for bound in problem.bounds:
        broken = ((budgets < bound.lo) | (budgets > bound.hi)) & ~off
        if broken.any():
            found.append(f"{_cells(problem, broken)}: {bound.name}")
    if problem.ramp_rel is not None and problem.n_periods > 1:
        step = np.abs(np.diff(budgets, axis=2)) > problem.ramp_rel * budgets[:, :, :-1] + 1
        free = problem.may_pause | problem.is_held
        step &= ~(free[:, :, 1:] | free[:, :, :-1])
        if step.any():
            most = share(problem.ramp_rel)
            found.append(f"{_cells(problem, step)}: a change of at most {most} from one period to the next")
    brought = (
        caused_mean(halves(problem)[0], budgets) if any(x.outcome_weight is not None for x in problem.limits) else None
    )
    for limit in problem.limits:
        asked = scenario.total is not None or scenario.aim is not None
        if not (asked and _is_total(limit)) and _broken(problem, limit, budgets, brought):
            found.append(f"all lines together: {limit.name}")
    return found


def _is_total(limit: Limit) -> bool:
    return limit.outcome_weight is None and limit.budget_weight is not None and bool((limit.budget_weight == 1).all())


def _broken(problem: Problem, limit: Limit, budgets: Ints, brought: Floats | None) -> bool:
    value, size = 0.0, 1.0
    if limit.budget_weight is not None:
        value += float((limit.budget_weight * budgets).sum())
        size += float((np.abs(limit.budget_weight) * budgets).sum()) * 1e-3
    if limit.outcome_weight is not None and brought is not None:
        inside = limit.outcome_weight * brought[:, :, : problem.n_periods]
        value += float(inside.sum())
        if limit.carried_out:
            after = limit.outcome_weight.mean(axis=2)[:, :, None] * brought[:, :, problem.n_periods :]
            value += float(after.sum())
        size += float(np.abs(inside).sum())
    room = 1e-6 * size
    return value < limit.low - room or value > limit.high + room


def _cells(problem: Problem, broken: Bools) -> str:
    """`search in austin`, and how many more, of the cells [g, c, t] that are broken in some period."""
    where = np.argwhere(np.asarray(broken.any(axis=2)))
    g, c = (int(each) for each in where[0])
    first = f"{channel_name(problem.channels[c])} in {problem.geos[g]}"
    return first if len(where) == 1 else f"{first} and {len(where) - 1} more"


def _notes(base: Baseline, scenario: Scenario, n_beyond: int) -> tuple[str, ...]:
    said: list[str] = []
    signal = base.request.fit.media_signal
    if not signal.told_from_zero:
        said.append(f"{signal.sentence} The differences follow noise.")
    if scenario.optimised:
        said.append(_CHOSEN if base.plan.verdict == "change" else _CHOSEN_WHERE_THE_PLAN_KEEPS)
    if scenario.promotion != "as_planned":
        said.append(_ADS_AND_PROMOTIONS)
    tests = base.request.under_test
    if tests and (scenario.optimised or scenario.total or scenario.channel_multipliers or scenario.geo_tilt):
        names = {place.geo: place.name for place in base.request.tenant.places}
        said.append(under_test(tests, names))
    if n_beyond:
        one = "line goes" if n_beyond == 1 else "lines go"
        said.append(f"{n_beyond} {one} above the most ever spent there: what that brings is extrapolated.")
    return tuple(said)


def _profit(scenario: Scenario, more: Floats, spend_diff: int, minor: int) -> Quantiles | None:
    """What the scenario earns more than the plan at its margin, None without one."""
    if scenario.aim is None or scenario.aim.margin is None:
        return None
    return _quantiles((scenario.aim.margin * more - spend_diff / minor)[None])[0]


def _ratio(outcome: Floats, spend: int, minor: int) -> Floats | None:
    return outcome / spend * minor if spend else None


def _quantiles(draws: Floats) -> list[Quantiles]:
    """Of each row [n, d]."""
    low, mid, high = np.quantile(draws, [0.1, 0.5, 0.9], axis=1)
    return [Quantiles(float(a), float(b), float(c)) for a, b, c in zip(low, mid, high, strict=True)]
