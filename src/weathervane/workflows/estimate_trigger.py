"""Estimate a trigger: how often a weather rule runs, what it costs and adds, and the test that would measure it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import numpy as np

from weathervane.contracts.choice import known_name
from weathervane.contracts.errors import BadInput, NotEnoughData, NotFound, PlanImpossible
from weathervane.contracts.event import Event
from weathervane.contracts.experiment_design import Constraints
from weathervane.contracts.figures import short_day
from weathervane.contracts.trigger import TriggerCampaign, TriggerEstimate, TriggerHoldout, Variable
from weathervane.experiments.lines_of_tests import lines_of_tests
from weathervane.experiments.trigger import expected_counts, n_schedules, treatment
from weathervane.model.features.weather import fit_normals
from weathervane.planning.trigger_campaign import MediaKnown, estimate_trigger, past_runs
from weathervane.planning.trigger_weather import TriggerWeather, trigger_weather
from weathervane.store import experiments, model_registry, results
from weathervane.store.event_log import record
from weathervane.store.paths import Store
from weathervane.store.tables import read
from weathervane.workflows.design_experiment import Wish, design_experiment

_WASHOUT_DAYS = 7


def trigger_places(store: Store) -> tuple[str, ...]:
    """The tenant's places whose weather is observed, sorted."""
    found = tuple(sorted(read(store, "weather")["geo"].unique().to_list()))
    if not found:
        raise NotEnoughData("No weather is stored.", "import daily weather.")
    return found


def _known_channel(store: Store, channel: str) -> None:
    """Raises BadInput for a channel on which nothing was ever spent; with the nearest names there are."""
    known = sorted(read(store, "spend")["channel"].unique().to_list())
    if known:
        known_name(channel, known, "channel")


def estimate_trigger_campaign(
    store: Store, campaign: TriggerCampaign, *, weeks: int, now: datetime, run_id: str, seed: int
) -> TriggerEstimate:
    """What is known of the campaign before it runs; the holdout is for `weeks` weeks and is not stored.

    Raises BadInput for a place without weather, NotEnoughData where too little weather is known.
    """
    tenant = results.tenant(store)
    frame = read(store, "weather", now)
    _known_channel(store, campaign.channel)
    campaign, left_out = _without_tested(store, campaign, now.date())
    lost = sorted(set(campaign.geos) - set(frame["geo"].unique().to_list()))
    if lost:
        known_name(lost[0], trigger_places(store), "place with weather")
    variables: tuple[Variable, ...] = (*campaign.rule.variables, "temp_anomaly_z")
    weather = trigger_weather(frame, fit_normals(frame, now.date()), campaign.geos, variables, now)
    holdout, why_not = _holdout(store, campaign, weather, weeks, now, run_id, seed)
    media = _media(store, outcome_is_money=tenant.outcome_is_money)
    found = estimate_trigger(campaign, weather, media, tenant.currency, holdout, (*left_out, *why_not))
    detail = {"rule": found.rule, "channel": campaign.channel, "expected_geo_days": round(found.expected_geo_days, 2)}
    record(
        store, Event("trigger.estimated", store.tenant_id, now.strftime("%Y-%m-%dT%H:%M:%SZ"), run_id, detail=detail)
    )
    return found


def _without_tested(store: Store, campaign: TriggerCampaign, today: date) -> tuple[TriggerCampaign, tuple[str, ...]]:
    """The campaign without the places in which a geo test holds its channel, and a sentence on them."""
    held = [one for one in lines_of_tests(experiments.designs(store)) if one.live and one.until >= today]
    held = [one for one in held if one.channel == campaign.channel and one.geo in campaign.geos]
    if not held:
        return campaign, ()
    last = max(held, key=lambda one: one.until)
    count, left = len({one.geo for one in held}), set(campaign.geos) - {one.geo for one in held}
    told = f"{count} {'places are' if count > 1 else 'place is'} left out: {last.experiment_id} has {last.channel}"
    said = f"{told} under test there until {short_day(last.until)}."
    if not left:
        raise BadInput(said, "wait for the end of the test, or choose another channel or other places.")
    return replace(campaign, geos=tuple(geo for geo in campaign.geos if geo in left)), (said,)


def _deed(campaign: TriggerCampaign) -> str:
    """What the campaign does to the ads."""
    if campaign.multiplier is None or campaign.multiplier > 1:
        return f"{campaign.channel} ads are raised"
    return f"{campaign.channel} ads are {'cut' if campaign.multiplier else 'switched off'}"


def _media(store: Store, *, outcome_is_money: bool) -> MediaKnown | None:
    try:
        fit, curves = model_registry.champion(store)
    except NotFound:
        return None
    return MediaKnown(fit, curves, outcome_is_money)


def _holdout(
    store: Store,
    campaign: TriggerCampaign,
    weather: TriggerWeather,
    weeks: int,
    now: datetime,
    run_id: str,
    seed: int,
) -> tuple[TriggerHoldout | None, tuple[str, ...]]:
    others = tuple(sorted(set(trigger_places(store)) - set(campaign.geos)))
    wish = Wish(
        channel=campaign.channel,
        kind="heavy_up",
        weeks=weeks,
        constraints=Constraints(exclude=others),
        with_power=False,
    )
    try:
        drafted, _ = design_experiment(store, wish, now=now, run_id=run_id, seed=seed, keep=False)
        fired = np.nan_to_num(past_runs(campaign, weather)) > 0
        geos = [geo for geo in weather.geos if geo in drafted.geos]
        rows = fired[[weather.geos.index(geo) for geo in geos]]
        window, rule = drafted.test_window, campaign.rule.text
        episodes, geo_days = expected_counts(rule, geos, weather.days, rows, window, _WASHOUT_DAYS)
        floor = 1 / n_schedules(episodes, drafted.alpha)
    except (BadInput, NotEnoughData, NotFound, PlanImpossible) as error:
        return None, (f"No test of this rule can be drawn up here. {error.problem}",)
    told = treatment(drafted.kind, campaign.channel, rule, window, _deed(campaign))
    return TriggerHoldout(rule, _WASHOUT_DAYS, episodes, geo_days, window, tuple(geos), floor, told), ()
