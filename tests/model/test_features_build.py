"""The panel: what was known then, by key, aggregated by what each column measures; nothing missing becomes a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.conftest import END
from model.small_tables import days, grain_of, morning_after, observed, sales, table, tables_of
from weathervane.connectors.synthetic.world import World
from weathervane.contracts.errors import NotEnoughData
from weathervane.contracts.grain import NATIONAL, TOTAL, GrainSelection
from weathervane.contracts.tables import TABLES
from weathervane.model.features.build import REGIONAL, Panel, WeatherDoubt, build_panel
from weathervane.model.features.grain import select_grain
from weathervane.store.paths import open_store
from weathervane.store.tables import read, upsert

FIRST = date(2025, 1, 6)  # a Monday
FOUR_WEEKS = days(28, FIRST)
NOW = morning_after(FOUR_WEEKS[-1])


def panel(tables: Mapping[str, pl.DataFrame], grain: GrainSelection, *, step_days: int = 1, horizon: int = 2,
          total: bool = False, as_of: datetime = NOW) -> Panel:  # fmt: skip
    return build_panel(tables, grain, as_of=as_of, step_days=step_days, horizon=horizon, total=total)


def same(one: Panel, other: Panel, *, exactly: bool = True) -> None:
    """Every field of two panels is the same."""
    for name in (field.name for field in fields(Panel)):
        left, right = getattr(one, name), getattr(other, name)
        if isinstance(left, WeatherDoubt) and isinstance(right, WeatherDoubt):
            left, right = vars(left), vars(right)
        if isinstance(left, np.ndarray):
            np.testing.assert_allclose(
                left, right, rtol=0 if exactly else 1e-9, atol=0 if exactly else 1e-9, err_msg=name
            )
        elif isinstance(left, dict):
            assert left.keys() == right.keys(), name
            for key in left:
                np.testing.assert_allclose(left[key], right[key], rtol=0 if exactly else 1e-9, err_msg=key)
        else:
            assert left == right, name


# --- as of ----------------------------------------------------------------------------------------------------------


def with_prophecy(tables: Mapping[str, pl.DataFrame], as_of: datetime) -> dict[str, pl.DataFrame]:
    """The tables, and rows known only later that tell of the days ahead as if they were true, in every table."""
    later = pl.lit(as_of + timedelta(seconds=1), pl.Datetime("us", "UTC"))
    ahead = {
        name: (pl.col("date") + pl.duration(days=20)).alias("date") for name in tables if "date" in TABLES[name].key
    }
    told = {}
    for name, frame in tables.items():
        numbers = [column.name for column in TABLES[name].columns
                   if column.kind == "float" and column.name in frame.columns]  # fmt: skip
        moved = frame.with_columns(ahead[name]) if name in ahead else frame
        prophecy = moved.with_columns(pl.col(numbers) * 3 + 7, known_at=later)
        told[name] = pl.concat([frame, prophecy.join(frame, on=list(TABLES[name].key), how="anti")])
    return told


def test_rows_known_later_enter_nothing(sensitive: World):
    as_of = morning_after(END - timedelta(days=40))
    told = with_prophecy(sensitive.tables, as_of)
    assert told["sales"].height > sensitive.tables["sales"].height
    known = {name: frame.filter(pl.col("known_at") <= as_of) for name, frame in sensitive.tables.items()}
    grain = select_grain(known)
    for step, total in ((1, False), (7, True)):
        want = panel(known, grain, as_of=as_of, step_days=step, total=total)
        same(panel(told, grain, as_of=as_of, step_days=step, total=total), want)
        assert want.through == END - timedelta(days=40)


def test_columns_of_no_contract_lead_to_nothing(sensitive: World):
    as_of = morning_after(END)
    sold = sensitive.tables["sales"]
    planted = {
        **sensitive.tables,
        "sales": sold.with_columns(net_revenue_next_week=pl.col("net_revenue").shift(-7), outcome=pl.lit(1.0)),
        "weather": sensitive.tables["weather"].with_columns(net_revenue=pl.lit(3.0), sales=pl.lit(5.0)),
        "calendar": sensitive.tables["calendar"].with_columns(outcome=pl.lit(2.0)),
    }
    grain = select_grain(sensitive.tables)
    assert select_grain(planted) == grain
    same(panel(planted, grain, as_of=as_of), panel(sensitive.tables, grain, as_of=as_of))


def test_a_restatement_is_invisible_before_it_was_made(tmp_path: Path):
    store = open_store(tmp_path, "acme")
    upsert(store, "sales", sales("x", FOUR_WEEKS, 100.0).drop("known_at"), NOW, "first export")
    restated = NOW + timedelta(days=3)
    upsert(store, "sales", sales("x", FOUR_WEEKS, 90.0).drop("known_at"), restated, "returns came in")

    def outcome_at(instant: datetime) -> set[float]:
        tables = {name: read(store, name, instant) for name in TABLES}
        return set(panel(tables, grain_of(), as_of=instant).outcome[0, 0, :28])

    assert outcome_at(restated - timedelta(seconds=1)) == {100.0}
    assert outcome_at(restated) == {90.0}


def test_a_time_before_all_sales_is_refused():
    with pytest.raises(NotEnoughData, match="No sales were known"):
        panel(tables_of(sales=sales("x", FOUR_WEEKS, 1.0)), grain_of(), as_of=datetime(2024, 1, 1, tzinfo=UTC))


def test_less_than_a_period_and_days_from_weeks_are_refused():
    with pytest.raises(NotEnoughData, match="no whole period"):
        panel(tables_of(sales=sales("x", FOUR_WEEKS[:6], 1.0)), grain_of(), step_days=7)
    with pytest.raises(NotEnoughData, match="no daily model"):
        panel(tables_of(sales=sales("x", FOUR_WEEKS[::7], 1.0)), grain_of(time="week"), step_days=1)


# --- from days to periods -------------------------------------------------------------------------------------------


def test_sales_and_spend_add_up_prices_average():
    ramp = [float(i) for i in range(28)]
    tables = tables_of(
        sales=sales("x", FOUR_WEEKS, ramp),
        spend=table("spend", geo="x", date=FOUR_WEEKS, channel="tv", spend=ramp),
        prices=table("prices", geo="x", date=FOUR_WEEKS, category="a", price_index=[1.0] * 14 + [np.e] * 14),
        inventory=table("inventory", geo="x", date=FOUR_WEEKS, category="a", in_stock_share=[0.5, *[1.0] * 27]),
        promotions=table("promotions", geo="x", date=FOUR_WEEKS[:2], category="a", depth_share=[0.2, 0.15]),
    )
    weekly = panel(tables, grain_of(channels=("tv",)), step_days=7)
    sums = [sum(ramp[i : i + 7]) for i in range(0, 28, 7)]
    assert weekly.starts == (*FOUR_WEEKS[::7], date(2025, 2, 3), date(2025, 2, 10))
    assert weekly.outcome[0, 0, :4].tolist() == sums
    assert weekly.spend[0, 0, :4].tolist() == sums
    # Prices are relative to the past's mean and stand until changed.
    assert weekly.log_price[0, 0].tolist() == pytest.approx([-0.5, -0.5, 0.5, 0.5, 0.5, 0.5])
    assert weekly.in_stock[0, 0].tolist() == pytest.approx([6.5 / 7, 1, 1, 1, 1, 1])
    # A day that no promotion names has none.
    assert weekly.promotion[0, 0].tolist() == pytest.approx([0.05, 0, 0, 0, 0, 0])
    assert np.isnan(weekly.outcome[:, :, 4:]).all()
    assert np.isnan(weekly.spend[:, :, 4:]).all()


def test_periods_are_counted_back_from_the_newest_day():
    on = days(30, FIRST)
    weekly = panel(tables_of(sales=sales("x", on, 1.0)), grain_of(), step_days=7, as_of=morning_after(on[-1]))
    assert weekly.n_past == 4
    assert weekly.through == on[-1]
    assert weekly.starts[0] == on[2]


@pytest.mark.parametrize("gap", ["no row", "no value"])
def test_a_week_with_a_missing_day_is_missing_not_short(gap: str):
    whole = sales("x", FOUR_WEEKS, 10.0)
    missing = pl.col("date") == FOUR_WEEKS[9]
    blank = pl.when(missing).then(None).otherwise(pl.col("net_revenue")).alias("net_revenue")
    tables = tables_of(sales=whole.filter(~missing) if gap == "no row" else whole.with_columns(blank))
    weekly, daily = panel(tables, grain_of(), step_days=7), panel(tables, grain_of())
    assert np.isnan(weekly.outcome[0, 0, 1])
    assert weekly.outcome[0, 0, [0, 2, 3]].tolist() == [70.0] * 3
    assert np.flatnonzero(np.isnan(daily.outcome[0, 0, :28])).tolist() == [9]


def test_missing_spend_is_not_zero_spend():
    amounts = [None if i == 3 else 0.0 if i == 5 else 2.0 for i in range(27)]
    spend = table("spend", geo="x", date=FOUR_WEEKS[:27], channel="tv", spend=amounts)
    tables = tables_of(sales=sales("x", FOUR_WEEKS, 1.0), spend=spend)
    daily = panel(tables, grain_of(channels=("tv",)))
    assert np.flatnonzero(np.isnan(daily.spend[0, 0, :28])).tolist() == [3, 27]
    assert daily.spend[0, 0, 5] == 0.0
    weekly = panel(tables, grain_of(channels=("tv",)), step_days=7)
    assert np.flatnonzero(np.isnan(weekly.spend[0, 0, :4])).tolist() == [0, 3]
    nation = panel(tables, grain_of((NATIONAL,), channels=("tv",)))
    assert np.flatnonzero(np.isnan(nation.spend[0, 0, :28])).tolist() == [3, 27]


def test_a_week_of_weekly_sales_is_one_row():
    tables = tables_of(sales=sales("x", FOUR_WEEKS[::7], [1.0, 2.0, 3.0, 4.0]))
    weekly = panel(tables, grain_of(time="week"), step_days=7, as_of=NOW)
    assert weekly.outcome[0, 0, :4].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert weekly.through == FOUR_WEEKS[-1]


# --- places and categories ------------------------------------------------------------------------------------------


def year_of(geo: str, temp_c: float, rain_mm: float = 0.0) -> pl.DataFrame:
    """A year of cosine temperatures around zero, and one odd week at the end."""
    on = days(400, FOUR_WEEKS[-1] - timedelta(days=399))
    season = 10 * np.cos(2 * np.pi * np.array([day.timetuple().tm_yday for day in on]) / 365.25)
    wave = 3 * np.sin(np.arange(400) * 1.7)
    return observed(geo, on, season + wave + np.where(np.arange(400) >= 393, temp_c, 0.0), rain_mm)


def test_national_sums_sales_and_weighs_weather_by_them():
    tables = tables_of(
        sales=pl.concat([sales("x", FOUR_WEEKS, 30.0), sales("y", FOUR_WEEKS, 10.0)]),
        weather=pl.concat([year_of("x", 8.0), year_of("y", -4.0)]),
    )
    by_place, nation = panel(tables, grain_of(("x", "y"))), panel(tables, grain_of((NATIONAL,)))
    assert nation.outcome[0, 0, :28].tolist() == [40.0] * 28
    past = slice(0, 28)
    for name in ("z", "temp_anomaly_c"):
        x, y = getattr(by_place, name)[:, past]
        assert getattr(nation, name)[0, past] == pytest.approx(0.75 * x + 0.25 * y)
    # Hinges are taken by place before they are averaged: warm here and cold there do not cancel.
    assert nation.weather[0, 0, 27] > 0.5
    assert nation.weather[1, 0, 27] > 0.1
    unweighted = {**tables, "weather": tables["weather"].with_columns(geo=pl.col("geo") + "-station")}
    assert panel(unweighted, grain_of((NATIONAL,))).z[0, past] == pytest.approx(by_place.z[:, past].mean(axis=0))


def test_total_sums_categories():
    frame = pl.concat([sales("x", FOUR_WEEKS, 3.0, "a"), sales("x", FOUR_WEEKS, 4.0, "b")])
    one = panel(tables_of(sales=frame), grain_of(categories=("a", "b")), total=True)
    assert one.categories == (TOTAL,)
    assert set(one.outcome[0, 0, :28]) == {7.0}


def test_national_spend_is_shared_out_by_sales_and_noted():
    frame = pl.concat([sales("x", FOUR_WEEKS, 30.0), sales("y", FOUR_WEEKS, 10.0)])
    spend = table("spend", geo=NATIONAL, date=FOUR_WEEKS, channel="tv", spend=8.0)
    shared = panel(tables_of(sales=frame, spend=spend), grain_of(("x", "y"), channels=("tv",)))
    assert shared.spend[0, :, 0].tolist() == [6.0, 2.0]
    assert "Spend is known for the whole country only" in shared.notes[0]
    own = table("spend", geo="x", date=FOUR_WEEKS, channel="tv", spend=8.0)
    kept = panel(tables_of(sales=frame, spend=own), grain_of(("x", "y"), channels=("tv",)))
    assert kept.spend[0, 0, 0] == 8.0
    assert np.isnan(kept.spend[0, 1]).all()
    assert not any("country" in note for note in kept.notes)


def test_sharing_out_spend_survives_a_series_without_sales():
    """A place that never sold one of the categories still gets its share."""
    frame = pl.concat([sales("x", FOUR_WEEKS, 30.0), sales("y", FOUR_WEEKS, 10.0), sales("x", FOUR_WEEKS, 10.0, "b")])
    spend = table("spend", geo=NATIONAL, date=FOUR_WEEKS, channel="tv", spend=10.0)
    shared = panel(tables_of(sales=frame, spend=spend), grain_of(("x", "y"), ("a", "b"), ("tv",)))
    assert shared.spend[0, :, 0].tolist() == pytest.approx([8.0, 2.0])


# --- offers of a sum ------------------------------------------------------------------------------------------------


def two_categories(weeks: int) -> tuple[list[date], pl.DataFrame]:
    """Coats sell 30 a day and then 10, umbrellas 10 and then 30: they change places halfway, by weeks."""
    on = days(7 * weeks, FIRST)
    half = 7 * (weeks // 2)
    coats = np.where(np.arange(len(on)) < half, 30.0, 10.0)
    return on, pl.concat([sales("x", on, coats, "coats"), sales("x", on, 40.0 - coats, "umbrellas")])


def whole(sales_rows: pl.DataFrame, on: list[date], **offers: pl.DataFrame) -> Panel:
    grain = grain_of(categories=("coats", "umbrellas"))
    tables = tables_of(sales=sales_rows, **offers)
    return panel(tables, grain, step_days=7, total=True, as_of=morning_after(on[-1]))


def test_a_promotion_counts_by_what_its_category_has_sold_in_four_weeks():
    on, rows = two_categories(16)
    depth = table("promotions", geo="x", date=on, category="coats", depth_share=0.2)
    found = whole(rows, on, promotions=depth).promotion[0, 0]
    # Three quarters of sales, then, as the four weeks before fill with the new rhythm, a quarter; nothing is ahead.
    assert found[:9] == pytest.approx(0.75 * 0.2)
    assert found[9:13] == pytest.approx(0.2 * np.array([2.5, 2.0, 1.5, 1.0]) / 4)
    assert found[13:16] == pytest.approx(0.25 * 0.2)
    assert found[16:].tolist() == [0.0, 0.0]


def test_a_table_that_lists_only_promotions_says_the_same_as_one_that_lists_every_day():
    on, rows = two_categories(8)
    some = table("promotions", geo="x", date=on[10:14], category="umbrellas", depth_share=0.3)
    every = [
        table("promotions", geo="x", date=on, category=name, depth_share=np.where(promoted, 0.3, 0.0))
        for name, promoted in (("coats", np.zeros(56)), ("umbrellas", np.isin(np.arange(56), range(10, 14))))
    ]
    np.testing.assert_array_equal(
        whole(rows, on, promotions=some).promotion, whole(rows, on, promotions=pl.concat(every)).promotion
    )


def test_what_a_promoted_week_sells_does_not_make_it_count_for_more():
    on, rows = two_categories(16)
    last = pl.col("date") >= on[-7]
    sold_out = rows.with_columns(net_revenue=pl.when(last).then(pl.col("net_revenue") * 5).otherwise("net_revenue"))
    of_coats = pl.col("category") == "coats"
    more_coats = rows.with_columns(
        net_revenue=pl.when(last & of_coats).then(pl.col("net_revenue") * 5).otherwise("net_revenue")
    )
    depth = table("promotions", geo="x", date=on[-7:], category="coats", depth_share=0.2)
    for changed in (sold_out, more_coats):
        assert whole(changed, on, promotions=depth).promotion[0, 0, 15] == pytest.approx(0.25 * 0.2)


def test_stock_and_prices_of_a_sum_count_alike():
    on, rows = two_categories(4)
    stock = table("inventory", geo="x", date=on, category="umbrellas", in_stock_share=0.2)
    price = table("prices", geo="x", date=[on[0], on[14]], category="coats", price_index=[1.0, 2.0])
    found = whole(rows, on, inventory=stock, prices=price)
    # Umbrellas are a quarter of what was sold in the four weeks of which all there is are two and two.
    assert found.in_stock[0, 0, :4] == pytest.approx(0.5 * 0.2 + 0.5)
    # Coats doubled their price: half of the log of two, less its mean of the past; what has no price does not move.
    assert found.log_price[0, 0] == pytest.approx(0.5 * np.log(2) * (np.array([0, 0, 1, 1, 1, 1]) - 0.5))


def test_offers_of_the_country_hold_in_every_place():
    frame = pl.concat([sales("x", FOUR_WEEKS, 30.0), sales("y", FOUR_WEEKS, 10.0)])
    depth = table("promotions", geo=NATIONAL, date=FOUR_WEEKS[:1], category=TOTAL, depth_share=0.2)
    by_place = panel(tables_of(sales=frame, promotions=depth), grain_of(("x", "y")))
    assert by_place.promotion[0, :, 0].tolist() == [0.2, 0.2]
    nation = panel(tables_of(sales=frame, promotions=depth), grain_of((NATIONAL,)))
    assert nation.promotion[0, 0, :2].tolist() == [0.2, 0.0]
    of_y = table("promotions", geo="y", date=FOUR_WEEKS, category="a", depth_share=0.2)
    assert panel(tables_of(sales=frame, promotions=of_y), grain_of((NATIONAL,))).promotion[0, 0, 3] == pytest.approx(
        0.25 * 0.2
    )


def test_where_nothing_was_sold_all_parts_count_the_same():
    frame = pl.concat([sales("x", FOUR_WEEKS, 0.0, "coats"), sales("x", FOUR_WEEKS, 0.0, "umbrellas")])
    depth = table("promotions", geo="x", date=FOUR_WEEKS, category="coats", depth_share=0.2)
    assert whole(frame, FOUR_WEEKS, promotions=depth).promotion[0, 0, :4] == pytest.approx(0.1)


def test_events_of_few_places_are_pooled():
    geos = ("p", "q", "r", "s", "t")
    frame = pl.concat([sales(geo, FOUR_WEEKS, 1.0) for geo in geos])
    calendar = pl.concat([
        *(table("calendar", geo=geo, date=[FOUR_WEEKS[3]], event="New Year", kind="public_holiday") for geo in geos),
        table("calendar", geo="p", date=[FOUR_WEEKS[5]], event="Founders' Day", kind="public_holiday"),
        table("calendar", geo="p", date=[FOUR_WEEKS[6]], event="Harvest", kind="public_holiday"),
        table("calendar", geo="q", date=[FOUR_WEEKS[6]], event="Harvest", kind="public_holiday"),
        table("calendar", geo="q", date=[FOUR_WEEKS[6]], event="Fair", kind="public_holiday"),
    ]).with_columns(known_at=pl.lit(datetime(2020, 1, 1, tzinfo=UTC)))  # fmt: skip
    weekly = panel(tables_of(sales=frame, calendar=calendar), grain_of(geos), step_days=7)
    assert weekly.events == ("New Year", REGIONAL)
    assert weekly.event_days[0, :, 0].tolist() == [1.0] * 5
    # Two regional events on one day are one such day.
    assert weekly.event_days[1, :, 0].tolist() == [2.0, 1.0, 0.0, 0.0, 0.0]
    nation = panel(tables_of(sales=frame, calendar=calendar), grain_of((NATIONAL,)), step_days=7)
    assert nation.event_days[nation.events.index("New Year"), 0, 0] == 1.0


# --- weather in the panel -------------------------------------------------------------------------------------------


def test_short_weather_is_left_out_and_the_note_says_so():
    on = days(300, FOUR_WEEKS[-1] - timedelta(days=299))
    tables = tables_of(sales=sales("x", FOUR_WEEKS, 1.0), weather=observed("x", on, 30.0))
    without = panel(tables, grain_of())
    assert without.weather_source == "none"
    assert not without.weather.any()
    assert not without.z.any()
    assert np.isnan(without.temp_anomaly_c).all()
    assert without.notes == ("No place has eleven months of weather, so there are no normals and weather is left out.",)


def test_weather_of_other_places_is_left_out():
    tables = tables_of(sales=sales("x", FOUR_WEEKS, 1.0), weather=year_of("elsewhere", 5.0))
    without = panel(tables, grain_of())
    assert without.weather_source == "none"
    assert without.notes == ("No modelled place has weather of its own, so weather is left out.",)


def test_a_place_without_weather_reads_as_normal_and_shows_nothing():
    frame = pl.concat([sales("x", FOUR_WEEKS, 1.0), sales("y", FOUR_WEEKS, 1.0)])
    mixed = panel(tables_of(sales=frame, weather=year_of("x", 6.0)), grain_of(("x", "y")))
    assert mixed.weather_source == "climatology"
    assert mixed.z[0, 27] > 1.0
    assert not mixed.z[1].any()
    assert not mixed.weather[:, 1].any()
    assert np.isfinite(mixed.temp_anomaly_c[0]).all()
    assert np.isnan(mixed.temp_anomaly_c[1]).all()
    assert np.isnan(mixed.wet_days[1]).all()
    assert "1 of 2 places have no weather; theirs is taken as normal." in mixed.notes


def test_forecasts_make_the_source_a_forecast(sensitive: World):
    as_of = morning_after(END)
    grain = select_grain(sensitive.tables)
    with_archive = panel(sensitive.tables, grain, as_of=as_of, horizon=14)
    assert with_archive.weather_source == "forecast"
    assert (with_archive.z[:, with_archive.n_past] != 0).all()
    observations = {**sensitive.tables, "weather": sensitive.tables["weather"].filter(lead_days=0)}
    without = panel(observations, grain, as_of=as_of, horizon=14)
    assert without.weather_source == "climatology"
    assert not without.z[:, without.n_past :].any()
    past = slice(0, without.n_past)
    np.testing.assert_array_equal(without.z[:, past], with_archive.z[:, past])


def test_weekly_weather_reaches_a_weekly_panel(national_weekly: World):
    grain = select_grain(national_weekly.tables)
    weekly = panel(national_weekly.tables, grain, step_days=7, horizon=4, as_of=morning_after(END))
    assert weekly.weather_source == "forecast"
    assert weekly.z[0, : weekly.n_past].std() == pytest.approx(1.0, abs=0.2)
    assert weekly.z[0, weekly.n_past] != 0
    # How many days of a week were wet, a weekly sum of rain does not say.
    assert not weekly.weather[2].any()
    assert np.isnan(weekly.wet_days).all()


# --- keys, never positions ------------------------------------------------------------------------------------------


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_order_of_rows_and_columns_changes_not_a_digit(sensitive: World, seed: int):
    draw = np.random.default_rng(seed)
    shuffled = {
        name: frame[draw.permutation(frame.height)].select(draw.permutation(frame.columns).tolist())
        for name, frame in sensitive.tables.items()
    }
    as_of, grain = morning_after(END), select_grain(sensitive.tables)
    same(panel(shuffled, grain, as_of=as_of), panel(sensitive.tables, grain, as_of=as_of))
    weekly = {"step_days": 7, "total": True, "as_of": as_of}
    same(panel(shuffled, grain, **weekly), panel(sensitive.tables, grain, **weekly))


def test_names_of_places_and_channels_carry_no_number(sensitive: World):
    as_of, grain = morning_after(END), select_grain(sensitive.tables)
    geos = dict(zip(grain.geos, ("z", "m", "a", "y", "b", "k"), strict=True))
    channels = dict(zip(grain.channels, ("4", "1", "3", "2"), strict=True))
    renamed = {
        name: frame.with_columns(
            *([pl.col("geo").replace_strict(geos)] if "geo" in frame.columns else []),
            *([pl.col("channel").replace_strict(channels)] if "channel" in frame.columns else []),
        )
        for name, frame in sensitive.tables.items()
    }
    here, there = panel(sensitive.tables, grain, as_of=as_of), panel(renamed, select_grain(renamed), as_of=as_of)
    g = [there.geos.index(geos[geo]) for geo in here.geos]
    c = [there.channels.index(channels[channel]) for channel in here.channels]
    for name in ("outcome", "in_stock", "promotion", "log_price", "weather", "event_days"):
        np.testing.assert_array_equal(getattr(there, name)[:, g], getattr(here, name), err_msg=name)
    for name in ("z", "temp_anomaly_c", "wet_days"):
        np.testing.assert_array_equal(getattr(there, name)[g], getattr(here, name), err_msg=name)
    np.testing.assert_array_equal(there.spend[c][:, g], here.spend)


# --- places that come and go ----------------------------------------------------------------------------------------

LONG = days(140, FIRST)


def closing(spend_geo: str | None) -> dict[str, pl.DataFrame]:
    """Two places that sell 100 a day throughout and four that stop after 70 days; a tenth of sales is spent on tv."""
    on = {geo: LONG if geo in "ab" else LONG[:70] for geo in "abcdef"}
    sold = pl.concat([sales(geo, there, 100.0) for geo, there in on.items()])
    if spend_geo is None:
        spent = [table("spend", geo=geo, date=there, channel="tv", spend=10.0) for geo, there in on.items()]
        return tables_of(sales=sold, spend=pl.concat(spent))
    all_spent = [10.0 * sum(day in there for there in on.values()) for day in LONG]
    return tables_of(sales=sold, spend=table("spend", geo=spend_geo, date=LONG, channel="tv", spend=all_spent))


@pytest.mark.parametrize("spend_geo", [None, NATIONAL])
def test_sales_and_spend_of_places_that_closed_are_in_no_sum(spend_geo: str | None):
    tables = closing(spend_geo)
    grain = select_grain(tables)
    built = panel(tables, grain, step_days=7, as_of=morning_after(LONG[-1]))
    assert built.geos == ("a", "b")
    np.testing.assert_allclose(built.outcome[:, :, :20], 700.0)
    np.testing.assert_allclose(built.spend[:, :, :20], 70.0)


@pytest.mark.parametrize("spend_geo", [None, NATIONAL])
def test_a_national_sum_is_of_the_places_that_report_throughout(spend_geo: str | None):
    tables = closing(spend_geo)
    few = tables["sales"].with_columns(orders=pl.lit(0.1))
    tables = {**tables, "sales": few}
    grain = select_grain(tables)
    assert (grain.geos, grain.left_out) == ((NATIONAL,), ("c", "d", "e", "f"))
    built = panel(tables, grain, step_days=7, as_of=morning_after(LONG[-1]))
    np.testing.assert_allclose(built.outcome[0, 0, :20], 1400.0)
    np.testing.assert_allclose(built.spend[0, 0, :20], 140.0)


def test_a_channel_of_the_whole_country_beside_one_by_place():
    sold = pl.concat([sales("a", FOUR_WEEKS, 300.0), sales("b", FOUR_WEEKS, 100.0)])
    spent = [table("spend", geo=geo, date=FOUR_WEEKS, channel="radio", spend=5.0) for geo in "ab"]
    spent += [table("spend", geo=NATIONAL, date=FOUR_WEEKS, channel="tv", spend=40.0)]
    tables = tables_of(sales=sold, spend=pl.concat(spent))
    built = panel(tables, grain_of(("a", "b"), channels=("radio", "tv")))
    np.testing.assert_allclose(built.spend[0, :, :28], 5.0)
    np.testing.assert_allclose(built.spend[1, :, :28], [[30.0] * 28, [10.0] * 28])
    assert any("Spend of tv is known for the whole country only" in note for note in built.notes)
