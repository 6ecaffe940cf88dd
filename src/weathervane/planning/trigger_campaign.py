"""Trigger campaign: how often a weather rule would have run, how often it is going to, its cost and what it would add.

Formulas in docs/modeling/planning.md, "Trigger campaigns".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from weathervane.contracts.figures import channel_name
from weathervane.contracts.fit import FitReport
from weathervane.contracts.forecast import Quantiles
from weathervane.contracts.money import Money, minor_digits
from weathervane.contracts.period import Period
from weathervane.contracts.response import ResponseCurves
from weathervane.contracts.trigger import (
    TriggerCampaign,
    TriggerDay,
    TriggerEstimate,
    TriggerHoldout,
    TriggerLift,
    TriggerYear,
)
from weathervane.planning.decision import chance_of_gain
from weathervane.planning.trigger_rule import Floats, runs
from weathervane.planning.trigger_weather import Paths, TriggerWeather, Whole, paths, wet_ahead

_COMPLETE = 0.9
_SAMPLES = 1000
_TEMPERATURES = ("temp_mean_c", "temp_max_c", "temp_min_c", "temp_anomaly_c", "temp_anomaly_z")


@dataclass(frozen=True)
class MediaKnown:
    """What is known of the channel: the fit in use and its curves, and whether the outcome is money."""

    fit: FitReport
    curves: ResponseCurves
    outcome_is_money: bool


def past_runs(campaign: TriggerCampaign, weather: TriggerWeather) -> Floats:
    """Whether the rule would have run [g, t] on each observed day; NaN where the weather leaves it open."""
    return runs(campaign.rule, weather.observed)


def estimate_trigger(
    campaign: TriggerCampaign,
    weather: TriggerWeather,
    media: MediaKnown | None,
    currency: str,
    holdout: TriggerHoldout | None,
    notes: tuple[str, ...] = (),
) -> TriggerEstimate:
    """Everything known of the campaign before it runs.

    `weather` holds the rule's variables and `temp_anomaly_z`, on which curves may depend. NotEnoughData where too
    little weather is known.
    """
    said = list(notes)
    cost = _cost(campaign, weather.geos, media)
    if cost is None:
        said.append(
            f"What it costs is not known: no fit says what {channel_name(campaign.channel)} spends there. "
            "Give an amount instead of a multiplier, or train a model."
        )
    past = past_runs(campaign, weather)
    years = _years(weather, past, cost, currency)
    complete = [one.geo_days for one in years if one.complete]
    if not complete:
        said.append("No past year of weather is complete, so there is no distribution over years.")
    courses = paths(weather)
    blind = [name for name in campaign.rule.variables if name not in courses.with_forecast]
    if blind:
        said.append(
            f"{', '.join(blind)} of the coming days is as in past years at this time: no forecast of it is stored, or "
            "too few archived ones to know their error."
        )
    ahead = _ahead(campaign, weather, courses)
    totals = np.nansum(ahead, axis=(1, 2))
    lift, why_not = _lift(campaign, weather, courses, ahead, media, cost)
    return TriggerEstimate(
        rule=campaign.rule.text,
        channel=campaign.channel,
        geos=weather.geos,
        currency=currency,
        cost_per_geo_day=None if cost is None else _money(float(cost.mean()), currency),
        years=years,
        past=_quantiles(np.array(complete, dtype=np.float64)) if complete else None,
        coming=Period(weather.ahead[0], weather.ahead[-1]),
        days=_days(weather, ahead),
        ahead=_quantiles(totals),
        expected_geo_days=float(totals.mean()),
        cost=None if cost is None else _quantiles(np.nansum(ahead, axis=2) @ cost),
        lift=lift,
        holdout=holdout,
        notes=tuple(dict.fromkeys([*said, *why_not])),
    )


def _ahead(campaign: TriggerCampaign, weather: TriggerWeather, courses: Paths) -> Floats:
    """Whether it runs [p, g, h] on each course, given the days that were observed just before."""
    back = campaign.rule.hold_days + campaign.rule.keep_days
    n = next(iter(courses.values.values())).shape[0]
    with_past: dict[str, Floats] = {}
    for name in campaign.rule.variables:
        before = weather.observed[name][:, -back:]
        with_past[name] = np.concatenate([np.broadcast_to(before, (n, *before.shape)), courses.values[name]], axis=2)
    h = weather.lead.shape[1]
    return runs(campaign.rule, with_past)[:, :, -h:]


def _days(weather: TriggerWeather, ahead: Floats) -> tuple[TriggerDay, ...]:
    known = np.isfinite(ahead).sum(axis=0)
    chance = np.nansum(ahead, axis=0) / np.maximum(known, 1)
    return tuple(
        TriggerDay(geo, day, float(chance[g, h]))
        for g, geo in enumerate(weather.geos)
        for h, day in enumerate(weather.ahead)
        if known[g, h]
    )


def _years(weather: TriggerWeather, past: Floats, cost: Floats | None, currency: str) -> tuple[TriggerYear, ...]:
    of_day = np.array([day.year for day in weather.days])
    found: list[TriggerYear] = []
    for year in sorted(set(of_day.tolist())):
        here = past[:, of_day == year]
        possible = len(weather.geos) * (366 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 365)
        known = int(np.isfinite(here).sum())
        money = None if cost is None else _money(float(np.nansum(here, axis=1) @ cost), currency)
        found.append(TriggerYear(year, int(np.nansum(here)), known, known >= _COMPLETE * possible, money))
    return tuple(found)


def _cost(campaign: TriggerCampaign, geos: tuple[str, ...], media: MediaKnown | None) -> Floats | None:
    """What a geo gets more on a day that it runs [g], in major units; None where present spend is not known."""
    if campaign.amount is not None:
        return np.full(len(geos), campaign.amount.major)
    now = _spend_a_day(campaign.channel, geos, media)
    assert campaign.multiplier is not None
    return None if now is None else (campaign.multiplier - 1.0) * now


def _spend_a_day(channel: str, geos: tuple[str, ...], media: MediaKnown | None) -> Floats | None:
    if media is None or channel not in media.curves.channels or not set(geos) <= set(media.curves.geos):
        return None
    c = media.curves.channels.index(channel)
    return np.array([media.curves.spend_recent[media.curves.geos.index(geo), c] for geo in geos]) / 7.0


def _lift(
    campaign: TriggerCampaign,
    weather: TriggerWeather,
    courses: Paths,
    ahead: Floats,
    media: MediaKnown | None,
    cost: Floats | None,
) -> tuple[TriggerLift | None, list[str]]:
    """The lift and what has to be said of it; None, with the reason, where the model does not support one."""
    name = channel_name(campaign.channel)
    if media is None:
        return None, ["No lift is given: there is no model in use."]
    now = _spend_a_day(campaign.channel, weather.geos, media)
    if now is None or cost is None:
        return None, [f"No lift is given: the model has no curve of {name} in these places."]
    evidence = {each.channel: each for each in media.fit.channels}.get(campaign.channel)
    if not media.fit.media_signal.told_from_zero or evidence is None or not evidence.told_from_zero:
        return None, [f"No lift is given: the model cannot tell what {name} returns from zero."]
    said = ["The lift takes what a day gets more as spread over its week: curves are by week."]
    curves = media.curves
    pulls = _pulls(campaign, weather, courses, curves)
    if not pulls:
        said.append(
            "Whether ads work better in this weather is not measured: the lift is that of the same money on any day. "
            "A test that withholds the rule by chance would tell."
        )
    plain, modulated = _sampled(campaign.channel, weather.geos, curves, now, cost, ahead, pulls).sum(axis=1)
    lift = plain + modulated
    spent = np.resize(np.nansum(ahead, axis=2) @ cost, _SAMPLES)
    most = {
        geo: curves.spend_max[curves.geos.index(geo), curves.channels.index(campaign.channel)] for geo in weather.geos
    }
    weeks = ahead.shape[2] / 7.0
    runs_most = np.nansum(ahead, axis=2).max(axis=0)
    beyond = tuple(
        geo for g, geo in enumerate(weather.geos) if 7.0 * now[g] + cost[g] * runs_most[g] / weeks > most[geo] + 1e-6
    )
    if beyond:
        said.append(f"In {len(beyond)} of {len(weather.geos)} places it may spend more than ever seen: extrapolated.")
    money = media.outcome_is_money
    return (
        TriggerLift(
            lift=_quantiles(lift),
            chance_positive=chance_of_gain(lift),
            net=_quantiles(lift - spent) if money else None,
            chance_pays=chance_of_gain(lift - spent) if money else None,
            from_weather=_quantiles(modulated) if pulls else None,
            extrapolated_geos=beyond,
        ),
        said,
    )


def _pulls(
    campaign: TriggerCampaign, weather: TriggerWeather, courses: Paths, curves: ResponseCurves
) -> list[tuple[Floats, Floats]]:
    """What the weather of the rule's own variables is measured to do: per unit of an anomaly [g, c, k, d], and that
    anomaly on the courses [p, g, h].
    """
    names = set(campaign.rule.variables)
    found: list[tuple[Floats, Floats]] = []
    if names & set(_TEMPERATURES):
        found.append((curves.outcome_per_z, courses.values["temp_anomaly_z"]))
    if "precip_mm" in names and curves.outcome_per_wet is not None:
        found.append((curves.outcome_per_wet, wet_ahead(weather, courses.values["precip_mm"])))
    return [pull for pull in found if _weather_matters(curves, pull[0], campaign.channel, weather.geos)]


def _weather_matters(curves: ResponseCurves, per_unit: Floats, channel: str, geos: tuple[str, ...]) -> bool:
    """Whether the 90 % interval of what a unit of it does to the channel's outcome at present spend leaves out zero."""
    c = curves.channels.index(channel)
    total = np.zeros(curves.outcome.shape[3])
    for geo in geos:
        g = curves.geos.index(geo)
        total += _read(curves.budget[g, c], per_unit[g, c], curves.spend_recent[g, c])
    low, high = np.quantile(total, [0.05, 0.95])
    return bool(low > 0 or high < 0)


def _sampled(
    channel: str,
    geos: tuple[str, ...],
    curves: ResponseCurves,
    now: Floats,
    cost: Floats,
    ahead: Floats,
    pulls: list[tuple[Floats, Floats]],
) -> Floats:
    """[2, g, s]: the outcome that the extra money brings at normal weather, and what the weather it runs in adds.

    Sample s takes one course and one posterior draw for all geos; every course and every draw comes up as often as
    any other. The weather is the mean anomaly over the days on which it runs.
    """
    n_paths, n_draws, weeks = ahead.shape[0], curves.outcome.shape[3], ahead.shape[2] / 7.0
    course = np.arange(_SAMPLES) % n_paths
    draw = np.random.default_rng(0).permutation(np.arange(_SAMPLES) % n_draws)
    ran = np.nan_to_num(ahead)
    days = ran.sum(axis=2)
    means = [(ran * np.nan_to_num(anomaly)).sum(axis=2) / np.maximum(days, 1.0) for _, anomaly in pulls]
    c = curves.channels.index(channel)
    found = np.zeros((2, len(geos), _SAMPLES))
    for i, geo in enumerate(geos):
        g = curves.geos.index(geo)
        budget = 7.0 * now[i] + cost[i] * days[course, i] / weeks

        def more(draws: Floats, g: int = g, i: int = i, budget: Floats = budget) -> Floats:
            before = _read(curves.budget[g, c], draws, 7.0 * now[i])[draw]
            return weeks * (_read_each(curves.budget[g, c], draws, budget, draw) - before)

        found[0, i] = more(curves.outcome[g, c])
        for (per_unit, _), mean in zip(pulls, means, strict=True):
            found[1, i] += more(per_unit[g, c]) * mean[course, i]
    return found


def _read(grid: Floats, draws: Floats, budget: float) -> Floats:
    """Draws [d] of a curve [k, d] at one budget, linear between grid points and beyond them."""
    return _read_each(grid, draws, np.full(draws.shape[1], budget), np.arange(draws.shape[1]))


def _read_each(grid: Floats, draws: Floats, budgets: Floats, draw: Whole) -> Floats:
    """The curve's draw `draw` [s] at `budgets` [s]."""
    right = np.clip(np.searchsorted(grid, budgets, side="right"), 1, len(grid) - 1)
    weight = (budgets - grid[right - 1]) / (grid[right] - grid[right - 1])
    return (1 - weight) * draws[right - 1, draw] + weight * draws[right, draw]


def _quantiles(values: Floats) -> Quantiles:
    low, mid, high = (float(q) for q in np.quantile(values, [0.1, 0.5, 0.9]))
    return Quantiles(low, mid, high)


def _money(major: float, currency: str) -> Money:
    return Money(round(major * 10 ** minor_digits(currency)), currency)
