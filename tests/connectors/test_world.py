"""Generated worlds: tables keep their contracts, the truth adds up, names keep their randomness."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weathervane.connectors.synthetic.media import adstock, hill
from weathervane.connectors.synthetic.specs import WORLDS, world_spec
from weathervane.connectors.synthetic.weather import LEADS
from weathervane.connectors.synthetic.world import World, build_world, make_world
from weathervane.connectors.weather.climate import WET_MM, city_normals
from weathervane.contracts.errors import BadInput
from weathervane.contracts.tables import TABLES
from weathervane.store.tables import check

END = date(2025, 6, 29)  # a Sunday
N_DAYS = 280
REAL = Path("../shared/data/weather/open_meteo_us_cities_daily.parquet")
NAMES = ("sensitive", "null", "triggered", "national-weekly", "sparse", "stockout")


@pytest.fixture(scope="module")
def worlds() -> dict[str, World]:
    short = {name: None if name == "sparse" else N_DAYS for name in NAMES}
    return {name: make_world(name, seed=4, end=END, n_days=n_days) for name, n_days in short.items()}


@pytest.fixture(scope="module")
def sensitive(worlds) -> World:
    return worlds["sensitive"]


def total(frame: pl.DataFrame, column: str) -> float:
    return float(frame[column].sum())


# --- tables ---------------------------------------------------------------------------------------------------------


def test_the_named_worlds_are_the_promised_ones():
    assert tuple(WORLDS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_table_keeps_its_contract(worlds, name):
    world = worlds[name]
    assert set(world.tables) == {"sales", "spend", "weather", "calendar", "promotions", "prices", "inventory"}
    assert world.tenant.demo
    geos = {place.geo for place in world.tenant.places}
    for table, frame in world.tables.items():
        assert check(TABLES[table], frame, f"{name} world").height == frame.height > 0
        assert frame["known_at"].dtype == pl.Datetime("us", "UTC")
        assert frame["known_at"].null_count() == 0
        assert set(frame["geo"]) <= geos


@pytest.mark.parametrize("name", NAMES)
def test_nothing_measured_is_known_before_it_happened(worlds, name):
    world = worlds[name]
    step = timedelta(days=world.truth.step_days)
    for table in ("sales", "spend", "inventory"):
        frame = world.tables[table]
        end_of_step = (pl.col("date") + step).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        assert frame.select((pl.col("known_at") == end_of_step).all()).item()
        assert frame["known_at"].max() <= datetime(2025, 6, 30, tzinfo=UTC)
    weather = world.tables["weather"]
    forecast = weather.filter(pl.col("lead_days") > 0)
    assert forecast.select((pl.col("known_at") == pl.col("issued_at")).all()).item()
    issued = pl.col("issued_at").dt.date() + pl.duration(days=pl.col("lead_days"))
    assert forecast.select((issued == pl.col("date")).all()).item()
    assert set(forecast["issued_at"].dt.hour()) == {6}
    assert forecast["issued_at"].max() == datetime(2025, 6, 29, 6, tzinfo=UTC)
    assert weather.filter(pl.col("lead_days") == 0)["issued_at"].null_count() == weather.filter(lead_days=0).height


def test_next_week_is_forecast_and_planned_and_has_not_happened(sensitive):
    weather = sensitive.tables["weather"]
    ahead = weather.filter(pl.col("date") > END)
    assert set(ahead["date"]) == {END + timedelta(days=k) for k in range(1, LEADS + 1)}
    latest = ahead.filter(pl.col("issued_at").dt.date() == END)
    assert latest.height == 24 * LEADS
    assert ahead["lead_days"].min() == 1
    for table in ("sales", "spend", "inventory", "prices"):
        assert sensitive.tables[table]["date"].max() == END
    assert sensitive.tables["promotions"]["date"].max() > END
    assert sensitive.tables["calendar"]["date"].max() > END
    every_day = weather.filter(pl.col("date") <= END, pl.col("lead_days") > 0)
    assert every_day.height == 24 * N_DAYS * LEADS


def test_counts_are_whole_and_money_is_in_cents(sensitive):
    sales, spend = sensitive.tables["sales"], sensitive.tables["spend"]
    for frame, column in ((sales, "orders"), (sales, "units"), (spend, "impressions"), (spend, "clicks")):
        assert (frame[column] == frame[column].round()).all()
    for frame, column in ((sales, "net_revenue"), (spend, "spend")):
        assert np.allclose(frame[column] * 100, (frame[column] * 100).round(), atol=1e-4)
    assert (sales["units"] >= sales["orders"]).all()


# --- truth ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_truth_adds_up(worlds, name):
    truth = worlds[name].truth
    outcome = truth.outcome
    assert np.allclose(outcome["baseline"] + outcome["weather"] + outcome["media"], outcome["expected"])
    by_category = outcome.group_by("geo", "date").agg(pl.col("media").sum()).sort("geo", "date")
    by_channel = truth.contributions.group_by("geo", "date").agg(pl.col("contribution").sum()).sort("geo", "date")
    assert np.allclose(by_category["media"], by_channel["contribution"])
    weekly = truth.weekly_contributions()
    assert total(weekly, "contribution") == pytest.approx(total(truth.contributions, "contribution"))
    assert set(weekly["week_ending"].dt.weekday()) == {7}
    for channel in truth.channels:
        own = truth.contributions.filter(channel=channel.channel)
        assert channel.contribution == pytest.approx(total(own, "contribution"))
        assert channel.contribution == pytest.approx(channel.roi * total(own, "spend"))
        assert channel.contribution_share == pytest.approx(channel.contribution / total(outcome, "expected"))


def test_channels_return_what_is_declared(worlds):
    for name in ("sensitive", "triggered", "national-weekly", "sparse", "stockout"):
        spec, truth = world_spec(name), worlds[name].truth
        assert [c.roi for c in truth.channels] == pytest.approx([c.roi for c in spec.channels])
        assert 0.10 < sum(c.contribution_share for c in truth.channels) < 0.25 or name == "sparse"


def test_spend_in_the_truth_is_spend_in_the_table(sensitive):
    table = sensitive.tables["spend"].sort("geo", "date", "channel")
    truth = sensitive.truth.contributions.sort("geo", "date", "channel")
    assert (table["spend"] == truth["spend"]).all()
    recent = table.filter(pl.col("date") > END - timedelta(days=28), pl.col("channel") == "tv")
    assert sensitive.truth.weekly_spend("tv") == pytest.approx(total(recent, "spend") / 4)
    boston = recent.filter(geo="boston-ma")
    assert sensitive.truth.weekly_spend("tv", "boston-ma") == pytest.approx(total(boston, "spend") / 4)


def test_weather_effects_follow_from_the_weather_table(sensitive):
    """Worked out again from what an analyst sees: the table, the normals and the formula in the documentation."""
    geo, lags = "chicago-il", [0.60, 0.30, 0.20, 0.10, 0.00, -0.08, -0.12]
    observed = sensitive.tables["weather"].filter(geo=geo, lead_days=0).sort("date")
    normals = city_normals(geo, observed["date"].to_numpy())
    z = (observed["temp_mean_c"].to_numpy() - normals.temp_mean_c) / normals.temp_sd_c
    wet = (observed["precip_mm"].to_numpy() > WET_MM) - normals.wet_share
    indices = {"warm": np.maximum(z, 0), "cold": np.maximum(-z, 0), "wet": wet}
    for (category,), effects in sensitive.truth.weather_effects.group_by("category"):
        per_index = dict(effects.select("index", "log_effect").iter_rows())
        index = sum(per_index[name] * values for name, values in indices.items())
        expected = sum(weight * index[6 - lag : len(index) - lag] for lag, weight in enumerate(lags))
        outcome = sensitive.truth.outcome.filter(geo=geo, category=category).sort("date")
        told = np.log1p((outcome["weather"] / outcome["baseline"]).to_numpy())[6:]
        assert np.abs(told - expected).max() < 0.01  # temperatures are rounded to a tenth
    assert sum(lags) == pytest.approx(1.0)


def test_contributions_follow_from_the_spend_table(sensitive):
    """Worked out again from daily spend by the formula in the documentation, once the days before are forgotten."""
    geo, settled = "houston-tx", 120
    g = sensitive.truth.steady.geo_of.index(geo)
    people = sensitive.truth.steady.people[g]
    observed = sensitive.tables["weather"].filter(geo=geo, lead_days=0).sort("date")
    normals = city_normals(geo, observed["date"].to_numpy())
    z = (observed["temp_mean_c"].to_numpy() - normals.temp_mean_c) / normals.temp_sd_c
    for response in sensitive.truth.steady.responses:
        channel = response.spec
        own = sensitive.truth.contributions.filter(geo=geo, channel=channel.name).sort("date")
        exposure = own["spend"].to_numpy() / people / response.mean_per_head
        lags = np.arange(settled)
        weights = 0.5 ** (lags / channel.half_life_days) * (1 - 0.5 ** (1 / channel.half_life_days))
        stock = np.array([exposure[t - lags] @ weights for t in range(settled, N_DAYS)])
        level = stock**channel.slope / (stock**channel.slope + channel.half_saturation**channel.slope)
        caused = response.scale * people * response.strength[g] * level * np.exp(channel.delta * z[settled:])
        assert np.allclose(own["contribution"].to_numpy()[settled:], caused, rtol=0.02)


def test_sales_are_the_expected_ones_and_noise(sensitive):
    joined = _sales_beside_truth(sensitive)
    ratio = total(joined, "net_revenue") / (joined["expected"] * joined["in_stock_share"]).sum()
    assert ratio == pytest.approx(1.0, abs=0.01)
    relative = joined.group_by("geo").agg(
        spread=(pl.col("net_revenue") / (pl.col("expected") * pl.col("in_stock_share"))).std(),
        size=pl.col("expected").mean(),
    )
    assert relative.select(pl.corr("spread", "size", method="spearman")).item() < -0.8


def test_the_null_world_has_no_effects_and_the_same_spend(worlds, sensitive):
    null = worlds["null"]
    assert (null.truth.outcome["weather"] == 0).all()
    assert (null.truth.outcome["media"] == 0).all()
    assert (null.truth.weather_effects["log_effect"] == 0).all()
    assert all(c.roi == c.contribution == c.delta == 0 for c in null.truth.channels)
    assert null.truth.true_outcome_at("search", 2.0) == 0
    for table in ("spend", "weather", "calendar", "promotions", "prices", "inventory"):
        assert null.tables[table].equals(sensitive.tables[table])
    assert (null.truth.outcome["baseline"] == sensitive.truth.outcome["baseline"]).all()


def test_the_triggered_world_spends_on_the_forecast(worlds, sensitive):
    for name, channel, low, high in (
        ("triggered", "social", -1.0, -0.35),
        ("triggered", "search", -0.1, 0.1),
        ("sensitive", "social", -0.1, 0.1),
    ):
        assert low < _spend_with_forecast(worlds[name], channel) < high


def test_a_naive_reading_of_the_triggered_world_flatters_its_channels(worlds):
    world = worlds["triggered"]
    outcome = world.truth.outcome.group_by("geo", "date").agg(pl.col("baseline", "weather").sum())
    spend = world.tables["spend"].filter(channel="social")
    joined = outcome.join(spend, on=["geo", "date"])
    # What the channel did not cause still rises with its spend.
    assert joined.select(pl.corr(pl.col("weather") / pl.col("baseline"), pl.col("spend").log())).item() > 0.15


def test_shortages_hide_demand(worlds):
    joined = _sales_beside_truth(worlds["stockout"])
    short = joined.filter(pl.col("in_stock_share") < 1)
    assert 0.08 < short.height / joined.height < 0.17
    hidden = total(short, "net_revenue") / total(short, "expected")
    assert hidden == pytest.approx(
        (short["in_stock_share"] * short["expected"]).sum() / total(short, "expected"), rel=0.03
    )
    assert hidden < 0.6
    rare = _sales_beside_truth(worlds["sensitive"])
    assert rare.filter(pl.col("in_stock_share") < 1).height / rare.height < 0.015


def test_the_sparse_world_is_sparse(worlds):
    world = worlds["sparse"]
    sales = world.tables["sales"]
    assert len(world.tenant.places) == 3
    assert sales.height < 3 * 3 * 140
    assert sales["orders"].median() < 20
    days = set(sales.filter(geo="chicago-il")["date"])
    missing = [END - timedelta(days=k) for k in range(140) if END - timedelta(days=k) not in days]
    assert len(missing) >= 10
    observed = world.tables["weather"].filter(lead_days=0)
    assert 0 < observed["temp_mean_c"].null_count() < 0.1 * observed.height


def test_the_national_world_is_the_sum_of_a_daily_one(worlds):
    national = worlds["national-weekly"]
    daily = build_world(replace(world_spec("national-weekly"), national_weeks=False), seed=4, end=END, n_days=N_DAYS)
    for table, column in (("sales", "net_revenue"), ("sales", "orders"), ("spend", "spend"), ("spend", "clicks")):
        assert total(national.tables[table], column) == pytest.approx(total(daily.tables[table], column))
        assert set(national.tables[table]["date"].dt.weekday()) == {1}
    assert total(national.truth.outcome, "expected") == pytest.approx(total(daily.truth.outcome, "expected"))
    for channel in ("search", "tv"):
        assert national.truth.true_outcome_at(channel, 1.3) == pytest.approx(daily.truth.true_outcome_at(channel, 1.3))
        assert national.truth.weekly_spend(channel, "national") == pytest.approx(daily.truth.weekly_spend(channel))
    weather = national.tables["weather"]
    assert set(weather["lead_days"]) == {0, 1, 8}
    assert weather.filter(pl.col("date") > END)["lead_days"].sort().to_list() == [1, 8, 8]
    assert national.tables["sales"].height == 3 * N_DAYS // 7


def test_a_national_world_ends_with_a_whole_week():
    world = make_world("national-weekly", seed=1, end=date(2025, 7, 2), n_days=100)
    assert world.tables["sales"]["date"].max() == date(2025, 6, 23)
    assert world.tables["sales"]["date"].n_unique() == 14


# --- steady response ------------------------------------------------------------------------------------------------


def test_steady_outcomes_rise_from_nothing_and_add_up_over_places(sensitive):
    truth = sensitive.truth
    places = [place.geo for place in sensitive.tenant.places]
    for channel in truth.channels:
        at = [truth.true_outcome_at(channel.channel, multiple) for multiple in (0.0, 0.5, 1.0, 1.5, 4.0)]
        assert at[0] == 0
        assert at == sorted(at)
        parts = [truth.true_outcome_at(channel.channel, 1.5, geo) for geo in places]
        assert sum(parts) == pytest.approx(at[3])
    now = truth.weekly_spend("social", "miami-fl")
    both = truth.steady_outcome("miami-fl", "social", np.array([0.0, now]))
    assert both[0] == 0
    assert both[1] == pytest.approx(truth.true_outcome_at("social", 1.0, "miami-fl"))
    assert truth.true_outcome_at("social", 1.0, z=1.0) == pytest.approx(
        np.exp(0.08) * truth.true_outcome_at("social", 1.0)
    )
    with pytest.raises(KeyError):
        truth.true_outcome_at("social", 1.0, "atlantis")


def test_steady_spend_contributes_its_steady_outcome(sensitive):
    """The steady outcome is what the daily machinery gives when spend does not change."""
    response = sensitive.truth.steady.responses[0]
    people = sensitive.truth.steady.people
    daily = people * response.mean_per_head * 1.7
    exposure = np.tile(daily / people / response.mean_per_head, (400, 1))
    settled = hill(adstock(exposure, response.spec.half_life_days), response.spec)[-1]
    week = 7 * response.scale * people * response.strength * settled
    assert np.allclose(week, response.steady(people, 7 * daily))


@settings(max_examples=40, deadline=None)
@given(st.floats(1.0, 20.0), st.floats(0.0, 5.0))
def test_adstock_keeps_what_it_gets_and_half_of_it_within_the_half_life(half_life, amount):
    pulse = np.zeros((400, 1))
    pulse[0] = amount
    carried = adstock(pulse, half_life)
    assert carried.sum() == pytest.approx(amount, rel=1e-4, abs=1e-9)
    days = round(half_life)
    assert carried[:days].sum() == pytest.approx(amount * (1 - 0.5 ** (days / half_life)), abs=1e-9)


# --- randomness belongs to names ------------------------------------------------------------------------------------


def test_the_same_seed_makes_the_same_world_and_another_does_not():
    first, again, other = (make_world("sensitive", seed=seed, end=END, n_days=40, n_geos=3) for seed in (1, 1, 2))
    for table, frame in first.tables.items():
        assert frame.equals(again.tables[table])
    for table in ("sales", "spend", "weather", "promotions"):
        assert not first.tables[table].equals(other.tables[table])


def test_another_place_leaves_the_others_alone():
    few, more = (make_world("null", seed=3, end=END, n_days=60, n_geos=n) for n in (4, 5))
    for table, frame in few.tables.items():
        known = more.tables[table].filter(pl.col("geo").is_in(frame["geo"].unique().to_list()))
        order = [name for name in frame.columns if name in TABLES[table].key]
        assert frame.sort(order).equals(known.sort(order))


def test_another_channel_leaves_the_others_alone():
    spec = world_spec("null")
    fewer = replace(spec, channels=spec.channels[1:])
    whole, part = (build_world(s, seed=3, end=END, n_days=60, n_geos=4) for s in (spec, fewer))
    kept = whole.tables["spend"].filter(pl.col("channel") != spec.channels[0].name)
    assert part.tables["spend"].sort("geo", "date", "channel").equals(kept.sort("geo", "date", "channel"))
    assert part.tables["sales"].equals(whole.tables["sales"])


def test_the_order_of_channels_and_categories_changes_nothing():
    spec = world_spec("sensitive")
    turned = replace(spec, channels=spec.channels[::-1], categories=spec.categories[::-1])
    one, other = (build_world(s, seed=3, end=END, n_days=60, n_geos=3) for s in (spec, turned))
    for table, frame in one.tables.items():
        key = list(TABLES[table].key)
        assert frame.sort(key).equals(other.tables[table].sort(key))


# --- what cannot be made --------------------------------------------------------------------------------------------


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(BadInput) as refused:
        make_world("sensitiv", seed=1, end=END)
    assert all(name in refused.value.remedy for name in NAMES)


@pytest.mark.parametrize("asked", [{"n_days": 20}, {"n_geos": 0}, {"n_geos": 25}, {"seed": -1}, {"tenant_id": "A b"}])
def test_nonsense_is_refused(asked):
    with pytest.raises(BadInput):
        make_world("sensitive", **{"seed": 1, "end": END, "n_days": 30, **asked})


# --- weather given --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def given_table() -> pl.DataFrame:
    made = make_world("sensitive", seed=9, end=END, n_days=430, n_geos=3)
    return made.tables["weather"].drop("known_at")


def test_weather_given_is_used_as_it_is(given_table):
    observed = given_table.filter(lead_days=0)
    world = make_world("sensitive", seed=2, end=END, n_days=200, weather=observed)
    kept = world.tables["weather"].filter(lead_days=0).drop("known_at")
    assert kept.equals(observed.filter(pl.col("date") > END - timedelta(days=200)))
    assert {place.geo for place in world.tenant.places} == set(observed["geo"])
    ahead = world.tables["weather"].filter(pl.col("lead_days") == 2)
    joined = ahead.join(kept, on=["geo", "date"])
    assert joined.select(pl.corr("temp_mean_c", "temp_mean_c_right")).item() > 0.95
    assert world.tables["weather"]["date"].max() == END + timedelta(days=LEADS)
    assert total(world.truth.outcome, "weather") != 0


def test_the_order_of_given_rows_changes_nothing(given_table):
    observed = given_table.filter(lead_days=0)
    one = make_world("sensitive", seed=2, end=END, n_days=60, weather=observed)
    other = make_world(
        "sensitive", seed=2, end=END, n_days=60, weather=observed.sample(fraction=1, shuffle=True, seed=1)
    )
    assert one.tables["sales"].equals(other.tables["sales"])
    assert one.tables["spend"].equals(other.tables["spend"])


@pytest.mark.parametrize("name", ["sensitive", "national-weekly", "sparse"])
def test_weather_given_may_hold_temperature_and_rain_alone(given_table, name):
    observed = given_table.filter(lead_days=0).select("geo", "date", "lead_days", "member", "temp_mean_c", "precip_mm")
    world = make_world(name, seed=2, end=END, n_days=63, weather=observed)
    for table, frame in world.tables.items():
        assert check(TABLES[table], frame, "world on a thin table").height == frame.height
        assert frame["known_at"].null_count() == 0
    weather = world.tables["weather"]
    assert weather.filter(pl.col("lead_days") > 0)["issued_at"].null_count() == 0
    assert weather["snow_cm"].null_count() == weather.height


def test_given_forecasts_are_kept(given_table):
    world = make_world("sensitive", seed=2, end=END, n_days=60, weather=given_table)
    first = END - timedelta(days=59)
    kept = world.tables["weather"].drop("known_at").sort("geo", "date", "lead_days")
    assert kept.equals(given_table.filter(pl.col("date") >= first).sort("geo", "date", "lead_days"))


def test_a_missing_measurement_stays_missing_and_counts_as_usual_weather(given_table):
    day = END - timedelta(days=20)
    hole = pl.col("date") == day
    observed = given_table.filter(lead_days=0).with_columns(
        pl.when(~hole).then(pl.col(name)).alias(name) for name in ("temp_mean_c", "precip_mm")
    )
    world = make_world("sensitive", seed=2, end=END, n_days=60, weather=observed)
    seen = world.tables["weather"].filter(date=day, lead_days=0)
    assert seen["temp_mean_c"].null_count() == seen.height
    assert world.truth.outcome["weather"].is_finite().all()
    assert world.tables["sales"]["net_revenue"].is_finite().all()


def test_weather_that_does_not_cover_the_history_is_refused(given_table):
    observed = given_table.filter(lead_days=0)
    with pytest.raises(BadInput, match="of the 60 days"):
        make_world("sensitive", seed=2, end=END + timedelta(days=5), n_days=60, weather=observed)
    recent = observed.filter(pl.col("date") > END - timedelta(days=100))
    with pytest.raises(BadInput, match="need 365"):
        make_world("sensitive", seed=2, end=END, n_days=60, weather=recent)
    with pytest.raises(BadInput, match="temp_mean_c"):
        make_world("sensitive", seed=2, end=END, n_days=60, weather=observed.drop("temp_mean_c"))


def test_real_weather_makes_a_world():
    if not REAL.exists():
        pytest.skip(f"{REAL} is not there: real weather to build a world on")
    names = {
        "temp_mean_c": "temperature_2m_mean",
        "temp_max_c": "temperature_2m_max",
        "temp_min_c": "temperature_2m_min",
        "precip_mm": "precipitation_sum",
        "snow_cm": "snowfall_sum",
    }
    table = pl.read_parquet(REAL).select(
        geo="location_slug",
        date=pl.col("date").dt.date(),
        lead_days=pl.lit(0, pl.Int64),
        member=pl.lit(0, pl.Int64),
        issued_at=pl.lit(None, pl.Datetime("us", "UTC")),
        **names,
    )
    end = table["date"].max()
    world = make_world("sensitive", seed=1, end=end, n_days=300, weather=table)
    for name, frame in world.tables.items():
        assert check(TABLES[name], frame, "world on real weather").height == frame.height
    assert len(world.tenant.places) == table["geo"].n_unique()
    # Fitted normals leave anomalies centred, so weather moves demand both ways.
    share = world.truth.outcome["weather"] / world.truth.outcome["baseline"]
    assert share.min() < -0.02
    assert share.max() > 0.02
    error = (
        world.tables["weather"]
        .filter(lead_days=1)
        .join(world.tables["weather"].filter(lead_days=0), on=["geo", "date"])
        .select((pl.col("temp_mean_c") - pl.col("temp_mean_c_right")).std())
        .item()
    )
    assert error == pytest.approx(1.1, abs=0.15)


def _sales_beside_truth(world: World) -> pl.DataFrame:
    key = ["geo", "date", "category"]
    stock = world.tables["inventory"].select(*key, "in_stock_share")
    return world.tables["sales"].join(world.truth.outcome, on=key).join(stock, on=key)


def _spend_with_forecast(world: World, channel: str) -> float:
    """Correlation over places and days of log spend with the two-day forecast anomaly."""
    frames = []
    forecasts = world.tables["weather"].filter(lead_days=2)
    for (geo,), rows in forecasts.group_by("geo"):
        normals = city_normals(str(geo), rows["date"].to_numpy())
        z = (rows["temp_mean_c"].to_numpy() - normals.temp_mean_c) / normals.temp_sd_c
        frames.append(rows.select("geo", "date").with_columns(z=pl.Series(z)))
    spend = world.tables["spend"].filter(channel=channel)
    joined = spend.join(pl.concat(frames), on=["geo", "date"])
    return float(joined.select(pl.corr(pl.col("spend").log(), pl.col("z"))).item())


def test_weather_moves_sales_less_than_baseline_demand_by_what_media_bring() -> None:
    world = make_world("sensitive", seed=3, n_days=200, end=END, n_geos=3)
    declared = {(category, index): effect for category, index, effect in world.truth.weather_effects.iter_rows()}
    on_sales = world.truth.weather_on_sales()
    assert on_sales.keys() == declared.keys()
    ratios = [on_sales[key] / effect for key, effect in declared.items()]
    media = world.truth.outcome["media"].sum() / world.truth.outcome["expected"].sum()
    assert ratios == pytest.approx([1 - media] * len(ratios), abs=0.05)
    assert set(make_world("null", seed=3, n_days=90, end=END, n_geos=2).truth.weather_on_sales().values()) == {0.0}
