"""Wording: the sentences of a plan, made from its figures; a person could say every one of them aloud."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from weathervane.contracts.figures import (
    amount,
    chance,
    channel_name,
    likelihood,
    returned,
    rounded_money,
    share,
    short_day,
    spread,
    whole_money,
)
from weathervane.contracts.fit import ChannelPosterior, FitReport
from weathervane.contracts.forecast import Quantiles
from weathervane.contracts.grain import NATIONAL
from weathervane.contracts.money import Money
from weathervane.contracts.period import Period
from weathervane.contracts.plan import ChannelEvidence, MediaSignal, PlanAim
from weathervane.contracts.tested_line import HeldLine, TestedLine
from weathervane.planning.decision import MAX_NOISE_P, MIN_CHANCE, Why

_AS_USUAL = 0.03  # last week differs from the usual week by less: not worth a percentage


@dataclass(frozen=True)
class Names:
    """How a tenant's keys are said: its currency, the unit and name of its outcome, and its places by geo."""

    currency: str
    outcome_unit: str
    outcome: str
    places: Mapping[str, str]

    def place(self, geo: str) -> str:
        """The place's name, or the key where it has none."""
        return self.places.get(geo, geo)

    def one(self) -> str:
        """One unit of money: `$1`."""
        return amount(1, self.currency, 1)

    def per_one(self, value: float) -> str:
        """What one unit of money brings: `$0.42`."""
        return returned(value, self.outcome_unit)


@dataclass(frozen=True)
class Move:
    """What one line gains or gives up."""

    geo: str
    channel: str
    change: Money


def change_sentence(
    moves: Sequence[Move],
    gain: Quantiles,
    probability: float,
    when: str,
    names: Names,
    new_total: tuple[Money, Money] | None,
    aim: PlanAim,
) -> str:
    """What to move from where to where, the chance that it gains what the plan is for, and the range.

    `new_total` is (asked for, current).
    """
    down = [move for move in moves if move.change.minor < 0]
    up = [move for move in moves if move.change.minor > 0]
    opening = _new_total(new_total)
    if down and up:
        moved = rounded_money(Money(min(_sum(up), -_sum(down)), names.currency))
        action = (
            f"{opening or ''}{'move' if opening else 'Move'} {moved} from {_side(down, names)} to {_side(up, names)}"
        )
    else:
        verb, side = ("add the most to", up) if up else ("cut the most from", down)
        action = f"{opening or ''}{verb if opening else verb.capitalize()} {_side(side, names)}"
    action = f"{action} {when}{_mostly_in(moves, names)}"
    than = "the same total split as now" if opening else "today's split"
    return (
        f"{action}. {_capital(chance(probability))} that this brings {_more(aim, names)} than {than}: "
        f"{spread(gain, names.outcome_unit)}."
    )


def keep_sentence(why: Why, new_total: tuple[Money, Money] | None, *, forced: bool = False) -> str:
    """What to hold, and the shortest honest cause. `forced`: the limits do not allow the current split as it is."""
    nothing = "No other split of this total is shown to bring more"
    cause = {
        "no_media_signal": f"{nothing}: spend does not yet explain the outcome better than chance.",
        "not_measured": f"{nothing}: the data measure no channel.",
        "nothing_may_move": "The limits leave nothing to move.",
        "no_room": "At this total every line is at the end of what the limits allow, so there is nothing to choose.",
        "nothing_clear": f"{nothing}: no line is clearly better while another is clearly worse.",
        "no_better": "No better split was found within the limits.",
        "noise": f"{nothing}: the best one found gains no more than a search finds by chance alone.",
        "unsure": f"{nothing}: the best one found may lose as well as gain.",
    }
    if new_total is not None:
        return f"{_new_total(new_total)}keep the split as it is. {cause.get(why, '')}".strip()
    opening = "Keep the split as near to where it is as the limits allow." if forced else "Keep the split as it is."
    return f"{opening} {cause.get(why, '')}".strip()


def reason(
    why: Why,
    signal: MediaSignal,
    gain: Quantiles,
    probability: float,
    noise_p: float,
    names: Names,
    aim: PlanAim,
) -> str:
    """Why the plan changes or keeps, with the figures."""
    more = _more(aim, names)
    found = f"The best change found looks as if it would bring {spread(gain, names.outcome_unit)}"
    return {
        "pays": (
            f"{_capital(likelihood(probability))} ({chance(probability)}) to bring {more} than today's split of the "
            f"same total. Money moves only to lines whose next {names.one()} clearly brings more than the average, and "
            f"from lines where it clearly brings less. The gain was worked out on one half of the model's simulations "
            f"after the other half had chosen the moves, so the choice cannot flatter itself."
        ),
        "no_media_signal": f"{signal.sentence} Until that is told apart, moving money would follow chance.",
        "not_measured": (
            "The data say no more of what each channel brings than was believed before them, and a plan moves no money "
            "by belief. Budgets that are varied on purpose, or a geo test, would measure it."
        ),
        "nothing_may_move": "Fewer than two lines may change under the limits, so no money can move between them.",
        "no_room": (
            "Where one line could give money up, no other could take it. A total further inside the limits, or wider "
            "limits, would leave a choice."
        ),
        "nothing_clear": (
            "Money moves only from a line that is clearly worse than the average to one that is clearly better, and "
            "the data do not show both."
        ),
        "no_better": "Every line that may move already has the budget that is best for it within the limits.",
        "noise": (
            f"{found}. But a search among as many lines that are all equally good finds a gain this large in "
            f"{round(100 * noise_p)} of 100 tries, by chance alone, so this one is not shown to be real. A plan "
            f"changes something only if that is {round(100 * MAX_NOISE_P)} of 100 or fewer."
        ),
        "unsure": (
            f"{found}, with {chance(probability)} that it brings {more} than today's split. A plan changes something "
            f"only from {chance(MIN_CHANCE)}, and only if even the low end of the gain's 90 % range is above zero."
        ),
    }[why]


def now(weekly: float, last_week: int | None, names: Names) -> str:
    """What "now" is, in minor units a week, beside what last week cost."""
    average = whole_money(Money(round(weekly), names.currency))
    usual = f"“Now” is the spend of an average week of the last four, {average}"
    if last_week is None:
        return f"{usual}."
    last = whole_money(Money(last_week, names.currency))
    if weekly <= 0 or abs(last_week / weekly - 1) < _AS_USUAL:
        return f"{usual}; last week it was {last}."
    apart = last_week / weekly - 1
    return f"{usual}; last week it was {last}, {share(abs(apart))} {'more' if apart > 0 else 'less'}."


def total(average: Quantiles | None, margin: float | None, names: Names, *, money: bool) -> str:
    """Whether the total itself looks too high or too low: what the average next unit of money brings, less costs."""
    if average is None:
        return "Whether the total is too high or too low the data do not say: what ads bring is not measured."
    one = names.one()
    brings = (
        f"Across these lines the next {one} brings {names.per_one(average.p50)} of {names.outcome} (8 in 10: from "
        f"{names.per_one(average.p10)} to {names.per_one(average.p90)})"
    )
    if not money:
        return f"{brings}. Whether the total is right depends on what one is worth to you; the plan only splits it."
    if margin is None:
        if average.p90 < 1:
            return f"{brings}, less than the {one} spent, even before the cost of the goods: the total looks too high."
        return (
            f"{brings}, before the cost of the goods. Whether the total is too high or too low depends on your "
            "margin: give it, like `weathervane plan --margin 0.4`."
        )
    kept = Quantiles(*(margin * each for each in (average.p10, average.p50, average.p90)))
    left = (
        f"{brings}; at a margin of {share(margin)} {names.per_one(kept.p50)} of that is left (from "
        f"{names.per_one(kept.p10)} to {names.per_one(kept.p90)})"
    )
    if kept.p90 < 1:
        return f"{left}, less than the {one} spent: the total looks too high."
    if kept.p10 > 1:
        return f"{left}, more than the {one} spent: the total looks too low."
    return f"{left}, about the {one} spent: the data do not show the total to be too high or too low."


def changes_of_mind(why: Why, fit: FitReport, names: Names) -> tuple[str, ...]:
    """What data or test would turn the decision, the strongest first; of tests, what `examine` says of them."""
    channels, n_days = fit.channels, fit.grain.n_days
    result = [each.test for each in fit.joint]
    if fit.next_tests:
        result.append(fit.next_tests[0].sentence)
    elif channels:
        widest = max(channels, key=lambda each: (each.roi_p95 - each.roi_p05, each.channel))
        name = channel_name(widest.channel)
        test = (
            f"A geo holdout of {name}: its return is the least certain, from {names.per_one(widest.roi_p05)} to "
            f"{names.per_one(widest.roi_p95)} per {names.one()}"
        )
        result.append(f"{test}; a result outside that range would change this plan.")
    if why == "pays":
        result.append("A new fit in which the range of the gain reaches below zero.")
        return tuple(result)
    result.append("A few weeks in which budgets of channels or places are varied on purpose, not along with demand.")
    result.append(f"More history: the model has seen {n_days:,} days.")
    return tuple(result)


def when(period: Period, is_next: bool) -> str:
    """The plan period as it is said: `next week`, or `over the four weeks from Mon 23 Nov`."""
    if period.n_days == 7:
        return "next week" if is_next else f"in the week of {short_day(period.start)}"
    count = {14: "two", 21: "three", 28: "four"}.get(period.n_days, str(period.n_days // 7))
    return f"over the {count} weeks from {short_day(period.start)}"


def line_reason(state: str, marginal: Quantiles, average: float, saturation: str, weather: str, names: Names) -> str:
    """One sentence on one line. `state` is up, down, unclear, no_room, held, at_zero or fixed."""
    if state == "at_zero":
        return "Nothing is spent here now, so there is nothing to judge a budget by; it stays at zero."
    if state == "not_measured":
        return "The data do not measure this channel, so nothing can be recommended for it; it stays as it is."
    next_one = (
        f"The next {names.one()} here brings {names.per_one(marginal.p50)} (8 in 10: from "
        f"{names.per_one(marginal.p10)} to {names.per_one(marginal.p90)}); on average over the plan's lines it brings "
        f"{names.per_one(average)}"
    )
    ending = {
        "up": "It is clearly better here, so this line gets more",
        "down": "It is clearly worse here, so this line gives up money",
        "unclear": "The two are too close to tell apart, so this budget stays",
        "no_room": "It is clearly different here, but the limits leave nothing more to move",
        "held": "The budget stays, because no change of the whole plan is shown to pay",
        "fixed": "The limits leave this budget no room",
    }[state]
    return " ".join(f"{part}." for part in (next_one, ending, saturation, weather) if part)


def line_turns(state: str, channel: str, place: str, average: float, names: Names) -> str:
    """One sentence on what would change our mind on one line."""
    here = f"{channel_name(channel)}{place}"
    return {
        "up": f"A geo holdout of {here} that finds less than {names.per_one(average)} per {names.one()}.",
        "down": f"A geo holdout of {here} that finds more than {names.per_one(average)} per {names.one()}.",
        "unclear": f"A narrower range: a geo holdout of {here}, or weeks in which its spend varies more.",
        "no_room": "Wider limits, or a clearer difference elsewhere.",
        "held": f"A geo holdout of {here}, or more weeks in which its spend varies.",
        "fixed": "Wider limits.",
        "at_zero": "A small test budget here: without spend there is nothing to measure.",
        "not_measured": f"A geo holdout of {here}: the history alone does not measure it.",
        "under_test": "The result of the geo test that this line is part of.",
    }[state]


def saturation(shape: ChannelPosterior | None, weekly_now: float, evidence: ChannelEvidence | None) -> str:
    """Where the channel stands on its curve: the part of its largest effect that today's budget reaches."""
    if shape is None or evidence is None or not shape.half_saturation or evidence.weekly_spend.minor <= 0:
        return ""
    times = weekly_now / (shape.half_saturation * evidence.weekly_spend.major)
    reached = times**shape.slope / (1 + times**shape.slope) if times > 0 else 0.0
    name = _capital(channel_name(shape.channel))
    return f"{name} as a whole now reaches {share(reached)} of the most that it could ever bring"


def weather(name: str, temp_anomaly_c: float | None, demand_weather_rel: float | None, in_curve: bool) -> str:
    """The geo's outlook, as context, or as part of the estimate where the curve itself depends on weather."""
    if temp_anomaly_c is None:
        return ""
    size = f"{abs(temp_anomaly_c):.1f}"
    text = (
        f"{name} expects {size} °C {'above' if temp_anomaly_c > 0 else 'below'} normal"
        if size != "0.0"
        else (f"{name} expects normal temperatures")
    )
    if demand_weather_rel is not None:
        text += f", which moves demand by {share(demand_weather_rel, signed=True)}"
    return f"{text}{', and this estimate counts it' if in_curve else ''}"


def driver(state: str, names: Names) -> str:
    """The one cause of what happens to a line."""
    one = f"the next {names.one()}"
    return {
        "up": f"{_capital(one)} brings clearly more here than on average",
        "down": f"{_capital(one)} brings clearly less here than on average",
        "unclear": f"What {one} brings cannot be told from the average",
        "no_room": "The limits leave nothing to move",
        "held": "No change of the whole plan is shown to pay",
        "fixed": "The limits fix this line",
        "at_zero": "Nothing is spent here, so nothing is measured",
        "not_measured": "The data do not measure this channel",
        "under_test": "A geo test holds this line",
    }[state]


def line_under_test(test: HeldLine) -> str:
    """Why a line under test stays as the test's design says."""
    return (
        f"Under test {_test_days(test)}: the budget stays at what the design of {test.experiment_id} says, so that the "
        "test can be read."
    )


def under_test(tests: Sequence[HeldLine], places: Mapping[str, str]) -> str:
    """Which lines a geo test holds, in one sentence; empty where none is."""
    if not tests:
        return ""
    told: list[str] = []
    for name in dict.fromkeys((each.experiment_id, each.channel) for each in tests):
        group = [each for each in tests if (each.experiment_id, each.channel) == name]
        where = ", ".join(places.get(each.geo, each.geo) for each in group[:3])
        more = f" and {len(group) - 3} more" if len(group) > 3 else ""
        told.append(f"{channel_name(name[1])} in {where}{more} {_test_days(group[0])}")
    count = f"{len(tests)} lines are" if len(tests) > 1 else "1 line is"
    return (
        f"{count} in a geo test: {'; '.join(told)}. Leave {'them' if len(tests) > 1 else 'it'} as the test's design "
        f"says; the plan does too, and counts {'them' if len(tests) > 1 else 'it'} in neither its gain nor its chance."
    )


def changed_under_test(tests: Sequence[TestedLine]) -> str:
    """That a plan would change lines that a geo test needs still."""
    first = tests[0]
    more = f" and {len(tests) - 1} more {'lines' if len(tests) > 2 else 'line'}" if len(tests) > 1 else ""
    return (
        f"The plan would change {channel_name(first.channel)} in {first.geo}{more}, which {first.experiment_id} has "
        f"under test {_test_days(first)}."
    )


def _test_days(test: HeldLine | TestedLine) -> str:
    """`until Sun 14 Jun, and held until Sun 21 Jun while its effect fades`."""
    until = f"until {short_day(test.window.end)}"
    return until if test.until <= test.window.end else f"{until}, held until {short_day(test.until)} while ads wear off"


def assumptions(*, carries: bool, weather: bool) -> tuple[str, ...]:
    """What the figures of a line take for granted."""
    lasting = "Before and after the period spend is as in the last four weeks."
    return (
        "Ads work next week as they did in the weeks the model has seen.",
        lasting if carries else "The budget is held steady over the period.",
        "The weather comes as its outlook says." if weather else "The weather is normal.",
    )


def risks(straddles: bool, extrapolates: bool, not_calibrated: bool, names: Names) -> tuple[str, ...]:
    """What may prove a line wrong."""
    said = {
        f"What the next {names.one()} brings here may be no better than the average.": straddles,
        "The budget lies above any spend seen here.": extrapolates,
        "The demand forecast's ranges are not shown to be right.": not_calibrated,
    }
    return tuple(text for text, holds in said.items() if holds)


def weather_worth(gain: Quantiles, moved: Money, names: Names) -> str:
    """What knowing the weather is worth, in a sentence."""
    if moved.minor == 0:
        return "Knowing the weather moves no money in this plan."
    if gain.p10 <= 0:
        return (
            "Planning by the coming weather, rather than for normal weather, is worth "
            f"{spread(gain, names.outcome_unit)}: it may be nothing."
        )
    return (
        f"Knowing the weather moves {rounded_money(moved)} and is worth {spread(gain, names.outcome_unit)}, compared "
        "with the best budgets for normal weather."
    )


def in_place(geo: str, names: Names) -> str:
    """` in Texas`, or nothing at national level."""
    return "" if geo == NATIONAL else f" in {names.place(geo)}"


def _more(aim: PlanAim, names: Names) -> str:
    """What the chance is of: what the plan is for."""
    return {"profit": "more profit", "target": "a lower cost"}.get(aim.goal, f"more {names.outcome}")


def _side(moves: Sequence[Move], names: Names) -> str:
    """One side of a change: its two or three largest channels, with their places where they are one or two."""
    sizes: dict[str, int] = {}
    for move in moves:
        sizes[move.channel] = sizes.get(move.channel, 0) + abs(move.change.minor)
    ranked = sorted(sizes, key=lambda channel: (-sizes[channel], channel))
    shown = ranked if len(ranked) <= 3 else ranked[:2]
    told = [_channel_side([move for move in moves if move.channel == channel], names) for channel in shown]
    if len(ranked) > len(shown):
        told.append(f"{len(ranked) - len(shown)} more channels")
    return f"{', '.join(told[:-1])} and {told[-1]}" if len(told) > 1 else told[0]


def _channel_side(moves: Sequence[Move], names: Names) -> str:
    name = channel_name(moves[0].channel)
    if moves[0].geo == NATIONAL:
        return name
    ranked = sorted(moves, key=lambda move: (-abs(move.change.minor), move.geo))
    return name if len(ranked) > 2 else f"{name} in {' and '.join(names.place(move.geo) for move in ranked)}"


def _mostly_in(moves: Sequence[Move], names: Names) -> str:
    """The two places where most money moves, if a channel moves in more places than its side can name."""
    sizes: dict[str, int] = {}
    for move in moves:
        sizes[move.geo] = sizes.get(move.geo, 0) + abs(move.change.minor)
    sides = [(move.channel, move.change.minor > 0) for move in moves if move.change.minor]
    if max((sides.count(side) for side in set(sides)), default=0) <= 2:
        return ""
    largest = sorted(sizes, key=lambda geo: (-sizes[geo], geo))[:2]
    return f", most of it in {' and '.join(names.place(geo) for geo in largest)}"


def _new_total(new_total: tuple[Money, Money] | None) -> str:
    if new_total is None:
        return ""
    asked, now = new_total
    return f"With {rounded_money(asked)} instead of {rounded_money(now)}, "


def _sum(moves: Sequence[Move]) -> int:
    return sum(move.change.minor for move in moves)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
