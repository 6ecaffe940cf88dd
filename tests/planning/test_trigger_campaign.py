"""A trigger campaign before it runs: counted over past years, costed, and given a lift only where there is one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from tests.planning.builders import curves_of, fit_of

from weathervane.contracts.errors import BadInput
from weathervane.contracts.fit import FitReport
from weathervane.contracts.money import Money
from weathervane.contracts.response import ResponseCurves
from weathervane.contracts.trigger import TriggerCampaign, TriggerEstimate
from weathervane.planning.trigger_campaign import MediaKnown, estimate_trigger
from weathervane.planning.trigger_rule import parse_rule
from weathervane.planning.trigger_weather import TriggerWeather

GEOS = ("chicago", "dallas")
FIRST, DAYS = date(2022, 11, 20), 365 * 4  # two parts of a year and three whole ones
HOT = parse_rule("temp_anomaly_z > 1")


def weather(hot_every: int = 5, *, gap: bool = False) -> TriggerWeather:
    """Every fifth day is two spreads warmer than usual, in both places, and nothing is forecast."""
    z = np.where(np.arange(DAYS) % hot_every == 0, 2.0, -0.5)[None, :].repeat(2, axis=0)
    if gap:
        z[:, 40 : 40 + 200] = np.nan
    days = tuple(FIRST + timedelta(days=i) for i in range(DAYS))
    nothing = {"temp_anomaly_z": np.full((2, 14), np.nan)}
    archive = {"temp_anomaly_z": np.full((2, DAYS, 1), np.nan)}
    return TriggerWeather(GEOS, days, {"temp_anomaly_z": z}, archive, nothing, np.zeros((2, 14), dtype=np.int64))


def curves(slope: float = 2.0, per_z: float = 0.0) -> ResponseCurves:
    return curves_of(
        {(geo, "search"): slope for geo in GEOS},
        spend=700.0,
        error=0.05,
        half=1e6,  # as good as a straight line: the lift is the slope times the money
        per_z={(geo, "search"): per_z for geo in GEOS},
    )


def estimate(
    *,
    campaign: TriggerCampaign | None = None,
    curve: ResponseCurves | None = None,
    change: object = None,
    media: bool = True,
    seen: TriggerWeather | None = None,
) -> TriggerEstimate:
    drawn = curve or curves()
    fit = fit_of(drawn)
    known = MediaKnown(change(fit) if callable(change) else fit, drawn, outcome_is_money=True) if media else None
    chosen = campaign or TriggerCampaign(HOT, "search", GEOS, multiplier=1.5)
    return estimate_trigger(chosen, seen or weather(), known, "USD", None)


def test_past_years_are_counted_and_only_whole_ones_make_the_distribution() -> None:
    found = estimate()
    by_year = {one.year: one for one in found.years}
    assert [one.complete for one in found.years] == [False, True, True, True, False]
    for year, one in by_year.items():
        hot = sum((day - FIRST).days % 5 == 0 and day.year == year for day in weather().days)
        assert one.geo_days == 2 * hot
    assert found.past is not None
    assert 145 <= found.past.p10 <= found.past.p90 <= 148


def test_days_without_weather_are_not_days_without_a_run() -> None:
    found = estimate(seen=weather(gap=True))
    assert {one.year: one.complete for one in found.years}[2023] is False
    assert {one.year: one.geo_days_known for one in found.years}[2023] == 2 * (365 - 200 + 2)


def test_the_coming_days_run_as_often_as_past_ones_and_cost_that() -> None:
    found = estimate()
    assert found.coming == type(found.coming)(date(2026, 11, 19), date(2026, 12, 2))
    assert len(found.days) == 2 * 14
    assert found.expected_geo_days == pytest.approx(2 * 14 / 5, abs=0.3)
    assert sum(one.probability for one in found.days) == pytest.approx(found.expected_geo_days)
    assert found.cost_per_geo_day == Money(50_00, "USD"), "half of 700 a week, a day"
    assert found.cost is not None
    assert found.cost.p50 == pytest.approx(50 * found.ahead.p50)
    assert found.years[1].cost == Money(50_00 * found.years[1].geo_days, "USD")


def test_the_lift_is_what_the_curves_say_of_the_extra_money() -> None:
    found = estimate()
    assert found.lift is not None
    assert found.cost is not None
    assert found.lift.lift.p50 == pytest.approx(2.0 * found.cost.p50, rel=0.05)
    assert found.lift.net is not None
    assert found.lift.net.p50 == pytest.approx(found.lift.lift.p50 - found.cost.p50, rel=0.1)
    assert found.lift.chance_positive == 0.97, "every draw is above zero; more than 97 in 100 is not claimed"
    assert found.lift.from_weather is None
    assert any("not measured" in note for note in found.notes)


def test_weather_counts_where_the_curves_depend_on_it() -> None:
    found = estimate(curve=curves(per_z=0.5))
    assert found.lift is not None
    assert found.lift.from_weather is not None
    assert found.cost is not None
    assert found.lift.from_weather.p50 == pytest.approx(0.5 * 2.0 * found.cost.p50, rel=0.05)
    assert found.lift.lift.p50 == pytest.approx((2.0 + 0.5 * 2.0) * found.cost.p50, rel=0.05)
    rain = replace(weather(), observed={**weather().observed, "precip_mm": weather().observed["temp_anomaly_z"]})
    rain = replace(
        rain,
        archived=dict.fromkeys(rain.observed, rain.archived["temp_anomaly_z"]),
        coming=dict.fromkeys(rain.observed, rain.coming["temp_anomaly_z"]),
    )
    wet = TriggerCampaign(parse_rule("precip_mm > 1"), "search", GEOS, multiplier=1.5)
    found = estimate(curve=curves(per_z=0.5), campaign=wet, seen=rain)
    assert found.lift is not None
    assert found.lift.from_weather is None, "no curve depends on rain"
    rained = replace(curves(), outcome_per_wet=curves(slope=1.0).outcome)
    more = estimate(curve=rained, campaign=wet, seen=rain)
    assert more.lift is not None
    assert more.lift.from_weather is not None
    assert more.cost is not None
    # A wet day where one in five is wet.
    assert more.lift.from_weather.p50 == pytest.approx(0.8 * 1.0 * more.cost.p50, rel=0.05)
    assert estimate(curve=rained).lift == estimate().lift, "the rule is not of rain"
    assert found.cost is not None
    assert found.lift.lift.p50 == pytest.approx(2.0 * found.cost.p50, rel=0.05)


def test_a_dependence_that_may_be_nothing_is_not_counted() -> None:
    drawn = curves(per_z=0.5)
    noise = np.random.default_rng(3).normal(0.0, 3.0, drawn.outcome_per_z.shape[-1])
    drawn = replace(drawn, outcome_per_z=drawn.outcome_per_z * noise)
    found = estimate(curve=drawn)
    assert found.lift is not None
    assert found.lift.from_weather is None


def without_signal(fit: FitReport) -> FitReport:
    return replace(fit, media_signal=replace(fit.media_signal, told_from_zero=False))


def untold(fit: FitReport) -> FitReport:
    return replace(fit, channels=tuple(replace(one, told_from_zero=False) for one in fit.channels))


@pytest.mark.parametrize("change", [without_signal, untold])
def test_no_lift_where_the_model_tells_nothing_from_zero(change: object) -> None:
    found = estimate(change=change)
    assert found.lift is None
    assert any(note.startswith("No lift is given") and "from zero" in note for note in found.notes)
    assert found.cost is not None, "what it costs is known all the same"


def test_without_a_model_there_is_no_lift_and_a_multiplier_has_no_price() -> None:
    found = estimate(media=False)
    assert (found.lift, found.cost, found.cost_per_geo_day) == (None, None, None)
    assert any("What it costs is not known" in note for note in found.notes)
    priced = estimate(media=False, campaign=TriggerCampaign(HOT, "search", GEOS, amount=Money(80_00, "USD")))
    assert priced.cost_per_geo_day == Money(80_00, "USD")


def test_spending_beyond_what_was_ever_seen_is_named() -> None:
    much = estimate(campaign=TriggerCampaign(HOT, "search", GEOS, amount=Money(5_000_00, "USD")))
    assert much.lift is not None
    assert much.lift.extrapolated_geos == GEOS
    little = estimate().lift
    assert little is not None
    assert little.extrapolated_geos == ()


def test_turning_ads_off_in_the_heat_loses_what_they_bring() -> None:
    found = estimate(campaign=TriggerCampaign(HOT, "search", GEOS, multiplier=0.0))
    assert found.lift is not None
    assert found.cost is not None
    assert found.cost.p90 < 0
    assert found.lift.lift.p50 == pytest.approx(2.0 * found.cost.p50, rel=0.05)


@pytest.mark.parametrize(
    "make",
    [
        lambda: TriggerCampaign(HOT, "search", GEOS),
        lambda: TriggerCampaign(HOT, "search", GEOS, 1.5, Money(1, "USD")),
        lambda: TriggerCampaign(HOT, "search", GEOS, 3.1),
        lambda: TriggerCampaign(HOT, "search", GEOS, float("nan")),
        lambda: TriggerCampaign(HOT, "search", GEOS, amount=Money(0, "USD")),
        lambda: TriggerCampaign(HOT, "search", (), 1.5),
        lambda: TriggerCampaign(HOT, "search", ("a", "a"), 1.5),
    ],
)
def test_a_campaign_that_makes_no_sense_is_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(BadInput):
        make()
