"""The whole of modelling: forecasts and fits from tables, of what was known, by key, the same every time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from model.conftest import END
from model.small_tables import days, morning_after, sales, tables_of
from model.test_features_build import with_prophecy
from weathervane.connectors.synthetic.world import World, make_world
from weathervane.contracts.errors import NotEnoughData
from weathervane.contracts.forecast import DemandForecast, ForecastQuality, Quantiles
from weathervane.contracts.grain import NATIONAL, TOTAL
from weathervane.model.forecast.candidates import STACK
from weathervane.model.forecast.floors import RECENT_MEAN, SEASONAL_NAIVE
from weathervane.model.forecast.structural import STRUCTURAL
from weathervane.model.mmm.engine import MediaMixSpec
from weathervane.model.mmm.posterior_file import read_posterior
from weathervane.model.mmm.priors import Priors
from weathervane.model.pipeline import Trained, forecast, known_at, train

Tables = Mapping[str, pl.DataFrame]
NOW = morning_after(END)


def issue(tables: Tables, as_of: datetime = NOW, tenant_id: str = "acme") -> tuple[DemandForecast, ForecastQuality]:
    issued = forecast(lambda instant: known_at(tables, instant), tenant_id, as_of=as_of)
    return issued.forecast, issued.quality


def shuffled(tables: Tables, seed: int = 0) -> dict[str, pl.DataFrame]:
    """The same rows and columns in another order."""
    draw = np.random.default_rng(seed)
    return {
        name: frame[draw.permutation(frame.height)].select(draw.permutation(frame.columns).tolist())
        for name, frame in tables.items()
    }


def renamed(tables: Tables, column: str, names: Mapping[str, str]) -> dict[str, pl.DataFrame]:
    return {
        name: frame.with_columns(pl.col(column).replace(names)) if column in frame.columns else frame
        for name, frame in tables.items()
    }


@pytest.fixture(scope="module")
def issued(sensitive: World) -> tuple[DemandForecast, ForecastQuality]:
    return issue(sensitive.tables)


# --- the forecast ---------------------------------------------------------------------------------------------------


def test_structure_and_weather_beat_both_floors(issued: tuple[DemandForecast, ForecastQuality]):
    made, quality = issued
    wape = {one.method: one.wape for one in quality.scores}
    assert quality.chosen == made.model
    assert quality.chosen in (STRUCTURAL, STACK)
    assert wape[STRUCTURAL] < 0.8 * wape[SEASONAL_NAIVE]
    assert wape[STRUCTURAL] < 0.8 * wape[RECENT_MEAN]


def test_every_series_and_day_ahead_has_a_range(issued: tuple[DemandForecast, ForecastQuality], sensitive: World):
    made, _ = issued
    geos = [place.geo for place in sensitive.tenant.places]
    keys = {(point.geo, point.category, point.date) for point in made.points}
    assert len(keys) == len(made.points) == 6 * 3 * 14
    assert {geo for geo, _, _ in keys} == set(geos)
    for point in (*made.points, *made.total):
        assert 0 < point.demand.p10 < point.demand.p50 < point.demand.p90
        assert point.lead_days == (point.date - END).days
    assert [(point.geo, point.category) for point in made.total] == [(NATIONAL, TOTAL)] * 14
    assert made.issued_at == "2026-06-01T06:00:00Z"


def test_the_total_is_surer_than_its_parts(issued: tuple[DemandForecast, ForecastQuality]):
    made, _ = issued

    def width(demand: Quantiles) -> float:
        return (demand.p90 - demand.p10) / demand.p50

    assert np.mean([width(p.demand) for p in made.total]) < 0.7 * np.mean([width(p.demand) for p in made.points])
    for total in made.total:
        parts = sum(point.demand.p50 for point in made.points if point.date == total.date)
        assert total.demand.p50 == pytest.approx(parts, rel=1e-9)


def test_the_outlook_is_of_the_week_ahead(issued: tuple[DemandForecast, ForecastQuality]):
    made, _ = issued
    assert made.weather_source == "forecast"
    assert len(made.outlook) == 6
    for outlook in made.outlook:
        assert outlook.temp_anomaly_c is not None
        assert outlook.temp_anomaly_z is not None
        assert outlook.temp_anomaly_c * outlook.temp_anomaly_z > 0
        assert outlook.wet_days is not None
        assert 0 <= outlook.wet_days <= 7
        # Of the same week: what is expected of the rain, less what is usual.
        assert len(outlook.wet_anomaly) == 7
        assert 0 <= outlook.wet_days - sum(outlook.wet_anomaly) <= 7
        assert outlook.demand_weather_rel is not None
    assert [one.actual is None for one in made.days] == [False] * 56 + [True] * 14


def test_a_place_without_weather_has_an_empty_outlook(sensitive: World):
    gone = sensitive.tenant.places[0].geo
    weather = sensitive.tables["weather"].filter(pl.col("geo") != gone)
    made, _ = issue({**sensitive.tables, "weather": weather})
    of = {outlook.geo: outlook for outlook in made.outlook}
    assert (of[gone].temp_anomaly_c, of[gone].temp_anomaly_z, of[gone].wet_days) == (None, None, None)
    assert of[gone].demand_weather_rel is None
    assert all(outlook.temp_anomaly_c is not None for geo, outlook in of.items() if geo != gone)
    assert "1 of 6 places have no weather" in made.note


def test_without_forecasts_the_source_is_climatology(sensitive: World):
    observations = sensitive.tables["weather"].filter(lead_days=0)
    made, _ = issue({**sensitive.tables, "weather": observations})
    assert made.weather_source == "climatology"
    assert {outlook.temp_anomaly_c for outlook in made.outlook} == {None}
    assert made.days[-1].temp_anomaly_z is None
    assert made.days[0].temp_anomaly_z is not None
    # Nothing was there to test, so nothing is said of weather but what forecasts would be worth.
    assert "Weather was not tested: no earlier weather forecast is stored" in made.note
    assert "As if forecasts had been stored" in made.note
    assert "does not" not in made.note


def test_weeks_are_forecast_by_week(national_weekly: World):
    made, quality = issue(national_weekly.tables)
    assert made.step_days == 7
    assert [point.date for point in made.total] == [END + timedelta(days=1 + 7 * i) for i in range(4)]
    assert len(made.points) == 3 * 4
    assert quality.n > 0
    assert len(made.days) == 52 + 4
    assert all(point.demand.p10 <= point.demand.p50 <= point.demand.p90 for point in made.points)


@pytest.mark.slow
def test_ranges_hold_fresh_days_as_often_as_they_say():
    """Five worlds of two years whose last fortnight is hidden: eight in ten of the days that then come lie in range."""
    through = END - timedelta(days=14)
    held, held_total = [], []
    for seed in range(51, 56):
        world = make_world("sensitive", seed=seed, n_days=744, end=END, n_geos=3)
        made, _ = issue(known_at(world.tables, morning_after(through)), morning_after(through))
        sold = world.tables["sales"].select("geo", "category", "date", "net_revenue")
        came = {row[:3]: row[3] for row in sold.iter_rows()}
        inside = [p.demand.p10 <= came[p.geo, p.category, p.date] <= p.demand.p90 for p in made.points]
        assert len(inside) == 3 * 3 * 14
        held.append(np.mean(inside))
        totals = dict(sold.group_by("date").agg(pl.col("net_revenue").sum()).iter_rows())
        held_total.append(np.mean([p.demand.p10 <= totals[p.date] <= p.demand.p90 for p in made.total]))
    assert np.mean(held) == pytest.approx(0.8, abs=0.06)
    assert 0.6 < np.mean(held_total) < 0.95


# --- what was known -------------------------------------------------------------------------------------------------


def test_nothing_known_later_reaches_a_forecast(sensitive: World):
    as_of = morning_after(END - timedelta(days=30))
    clean = issue(known_at(sensitive.tables, as_of), as_of)
    assert issue(with_prophecy(sensitive.tables, as_of), as_of) == clean


@pytest.fixture(scope="module")
def brief() -> World:
    """Two places, 150 days."""
    return make_world("sensitive", seed=5, n_days=150, end=END, n_geos=2)


def test_each_origin_of_the_record_asks_for_what_was_known_then(brief: World):
    asked: list[datetime] = []

    def tables_at(instant: datetime) -> Tables:
        asked.append(instant)
        return known_at(brief.tables, instant)

    quality = forecast(tables_at, "acme", as_of=NOW).quality
    assert asked[0] == NOW
    assert asked[1:] == [datetime.combine(origin, datetime.min.time(), UTC) + timedelta(hours=6)
                         for origin in quality.origins]  # fmt: skip


def test_a_day_without_any_sales_shifts_no_calendar():
    """Closed on the eve of an origin: that origin is tested like any other, on its own weekdays."""
    closed = END - timedelta(days=28)
    on = days(280, END - timedelta(days=279))
    by_weekday = sales("x", on, [100.0 + 100.0 * day.weekday() for day in on])
    _, whole = issue(tables_of(sales=by_weekday))
    _, holed = issue(tables_of(sales=by_weekday.filter(pl.col("date") != closed)))
    assert closed + timedelta(days=1) in holed.origins
    for one, other in zip(whole.scores, holed.scores, strict=True):
        assert other.wape == pytest.approx(one.wape, abs=0.02), one.method


def test_sales_imported_long_after_their_day_cannot_be_tested(sensitive: World):
    late = sensitive.tables["sales"].with_columns(
        known_at=pl.max_horizontal("known_at", pl.lit(datetime(2026, 5, 1, tzinfo=UTC)))
    )
    with pytest.raises(NotEnoughData, match="known"):
        issue({**sensitive.tables, "sales": late})


def test_known_at_keeps_the_rows_of_that_time():
    on = days(60, date(2025, 1, 6))
    tables = tables_of(sales=sales("x", on, 1.0))
    known = known_at(tables, datetime(2025, 1, 10, tzinfo=UTC))
    assert known["sales"]["date"].to_list() == on[:4]
    assert set(known) == set(tables)


def test_twenty_days_are_refused_with_what_is_missing():
    on = days(20, END - timedelta(days=19))
    with pytest.raises(NotEnoughData) as refusal:
        issue(tables_of(sales=sales("x", on, 10.0)))
    assert refusal.value.problem == "There are 20 days of sales; a forecast cannot be tested on fewer than 56."
    assert refusal.value.remedy == "import 36 more days of history."


# --- the same every time, and by key --------------------------------------------------------------------------------


def test_the_same_tables_in_any_order_are_the_same_forecast(
    sensitive: World, issued: tuple[DemandForecast, ForecastQuality]
):
    assert issue(shuffled(sensitive.tables)) == issued


def test_another_content_is_another_forecast(brief: World):
    def id_of(tables: Tables, as_of: datetime = NOW, tenant_id: str = "acme") -> str:
        return issue(tables, as_of, tenant_id)[0].forecast_id

    richer = brief.tables["sales"].with_columns(pl.col("net_revenue") * 1.01)
    same, other = id_of(brief.tables), id_of(brief.tables, tenant_id="other")
    assert same.startswith("acme-")
    assert same == id_of(shuffled(brief.tables))
    assert (
        len({same, other, id_of({**brief.tables, "sales": richer}), id_of(brief.tables, NOW + timedelta(seconds=1))})
        == 4
    )


def test_names_of_places_and_channels_change_no_number(
    sensitive: World, issued: tuple[DemandForecast, ForecastQuality]
):
    geos = dict(zip([place.geo for place in sensitive.tenant.places], "zmaybk", strict=True))
    tables = renamed(sensitive.tables, "geo", geos)
    tables = renamed(tables, "channel", {"search": "4", "social": "1", "tv": "3", "video": "2"})
    made, quality = issue(tables)
    there = {(p.geo, p.category, p.date): p.demand.p50 for p in made.points}
    here = {(geos[p.geo], p.category, p.date): p.demand.p50 for p in issued[0].points}
    assert there == pytest.approx(here, rel=1e-9)
    wide = {(geos[p.geo], p.category, p.date): p.demand.p90 for p in issued[0].points}
    assert {(p.geo, p.category, p.date): p.demand.p90 for p in made.points} == pytest.approx(wide, rel=1e-9)
    assert quality.coverage_80 == pytest.approx(issued[1].coverage_80, abs=1e-9)


# --- the fit --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small() -> World:
    return make_world("sensitive", seed=5, n_days=420, end=END, n_geos=5)


def fitted(world: World, tables: Tables) -> Trained:
    return train(tables, world.tenant, MediaMixSpec(), as_of=NOW, seed=11, data_hashes={"sales": "0" * 64})


@pytest.fixture(scope="module")
def trained(small: World) -> Trained:
    return fitted(small, small.tables)


@pytest.mark.slow
def test_a_fit_says_what_it_was_made_of(trained: Trained, small: World):
    report = trained.report
    assert [one.channel for one in report.channels] == ["search", "social", "tv", "video"]
    assert report.summary.fitted_through == END
    assert report.summary.rhat_max < 1.01
    assert report.model_id.startswith("demo-20260601-")
    assert len(report.weather.of("outerwear")) == 3
    assert trained.curves.geos == report.grain.geos
    spend = small.tables["spend"].filter(channel="search")["spend"].sum()
    assert report.channels[0].weekly_spend.major == pytest.approx(spend / 60, rel=1e-6)


@pytest.mark.slow
def test_neither_order_nor_later_rows_change_a_fit(trained: Trained, small: World):
    """Rows shuffled and rows of the future added: the same fit to the last digit."""
    again = fitted(small, shuffled(with_prophecy(small.tables, NOW)))
    assert again.report == trained.report
    assert (again.record, again.posterior) == (trained.record, trained.posterior)
    for name in ("budget", "outcome", "outcome_per_z", "spend_recent", "spend_max"):
        np.testing.assert_array_equal(getattr(again.curves, name), getattr(trained.curves, name), err_msg=name)


@pytest.mark.slow
def test_names_of_channels_change_a_fit_by_no_more_than_chance(trained: Trained, small: World):
    """The sampler's coordinates follow the channels' order, so other names are other draws of the same posterior."""
    names = {"search": "z", "social": "y", "tv": "x", "video": "w"}
    other = {one.channel: one for one in fitted(small, renamed(small.tables, "channel", names)).report.channels}
    for one in trained.report.channels:
        sd = (one.roi_p95 - one.roi_p05) / 3.29
        there = other[names[one.channel]]
        assert there.roi.p50 == pytest.approx(one.roi.p50, abs=0.4 * sd), one.channel
        assert there.roi_p95 - there.roi_p05 == pytest.approx(one.roi_p95 - one.roi_p05, rel=0.2), one.channel
        assert there.weekly_spend == one.weekly_spend


@pytest.mark.slow
def test_the_record_and_the_posterior_file_are_of_the_fit(trained: Trained):
    report, record, posterior = trained.report, trained.record, read_posterior(trained.posterior)
    said = record.diagnostics
    assert (said.rhat_max, said.ess_min) == (report.summary.rhat_max, report.summary.ess_min)
    assert tuple(each.median for each in record.transforms) == report.shapes
    assert (record.experiment_shifts, record.started_from) == ((), None)
    assert (record.backtest, record.floors) == (None, ())  # of less than 65 weeks
    stats = posterior.groups["sample_stats"]
    assert int(stats["diverging"].values.sum()) == said.divergences == 0
    assert stats["energy"].values.shape == (said.chains, said.draws)
    assert posterior.attributes["model_id"] == report.model_id == trained.curves.model_id
    assert posterior.attributes["priors_sha256"] == report.priors_sha256
    assert posterior.attributes["engine"] == report.summary.engine == "hierarchical"
    roi = posterior.groups["posterior"]["roi"].values
    assert said.chains is not None
    assert said.draws is not None
    assert roi.shape == (said.chains, said.draws, 4)
    assert report.channels[2].roi.p50 == pytest.approx(float(np.median(roi[:, :, 2])))


@pytest.mark.slow
def test_categories_are_fitted_beside_the_total_and_leave_it_as_it_was():
    world = make_world("national-weekly", seed=3, end=END, n_days=7 * 60)
    made, plain = (
        train(world.tables, world.tenant, MediaMixSpec(by_category=by), as_of=NOW, seed=2, data_hashes={})
        for by in (True, False)
    )
    report = made.report
    assert [group.category for group in report.groups] == list(report.grain.categories)
    assert sum(group.outcome_share for group in report.groups) == pytest.approx(1.0)
    assert report.channels == plain.report.channels
    np.testing.assert_array_equal(made.curves.outcome, plain.curves.outcome)
    assert report.model_id != plain.report.model_id
    assert plain.report.groups == ()
    assert report.expected is not None
    assert plain.report.expected is not None
    assert report.expected.n_categories == len(report.groups) == 3
    assert report.expected.cpu_seconds > plain.report.expected.cpu_seconds
    for c, channel in enumerate(report.channels):
        parts = [group.channels[c] for group in report.groups]
        assert {part.channel for part in parts} == {channel.channel}
        # Draws add up; their medians do so nearly.
        wide = channel.roi_p95 - channel.roi_p05
        assert sum(part.roi.p50 for part in parts if part.roi) == pytest.approx(channel.roi.p50, abs=0.1 * wide)
        assert all(part.contribution_share.p10 < part.contribution_share.p90 for part in parts)
    assert "returned" in report.groups[0].sentence


@pytest.mark.slow
def test_the_lightweight_engine_goes_the_same_way_and_claims_no_more_than_it_can():
    world = make_world("national-weekly", seed=3, end=END, n_days=7 * 80)
    heard: list[str] = []
    spec = MediaMixSpec(engine="lightweight", lightweight_model="adstock")
    made = train(world.tables, world.tenant, spec, as_of=NOW, seed=2, data_hashes={}, progress=heard.append)
    assert made.report.summary.engine == "lightweight (adstock)"
    assert made.report.summary.rhat_max <= 1.01
    assert made.report.summary.ess_min >= 400
    assert any("lightweight engine's priors hold every return above zero" in one for one in made.report.caveats)
    for channel in made.report.channels:
        assert channel.roi_p05 > 0
        assert not channel.told_from_zero
        if made.report.media_signal.told_from_zero:
            assert "rules out zero beforehand" in channel.sentence
        else:
            assert "placebo" in channel.sentence
    assert "placebo tests" in heard
    curves = made.curves
    assert curves.model_id == made.report.model_id
    assert (curves.outcome[:, :, 0] == 0).all()
    assert (np.diff(curves.outcome, axis=2) > 0).all()
    posterior = read_posterior(made.posterior)
    draws = posterior.groups["posterior"]
    assert {"roi", "coef_media", "lag_weight", "exponent", "expo_trend"} <= set(draws)
    assert draws["coef_media"].axes == ("chain", "draw", "channel")
    assert posterior.peak is None
    # Held at its mean, a channel's curve and its return over the past say nearly the same, draw by draw. Of many draws
    # alone their medians may lie apart: where an effect lasts for years, most of it comes after the history.
    returns = draws["roi"].values.reshape(-1, len(made.report.channels))
    thinned = returns[np.linspace(0, len(returns) - 1, curves.outcome.shape[-1]).round().astype(int)]
    for c, channel in enumerate(made.report.channels):
        assert channel.weekly_spend is not None
        spend = channel.weekly_spend.major
        steady = curves.at(curves.geos[0], channel.channel, np.array([spend])).ravel() / spend
        assert 1.0 <= np.median(steady / thinned[:, c]) < 1.1


@pytest.mark.slow
def test_the_id_of_a_fit_is_that_of_its_inputs(trained: Trained, small: World):
    """Seed, priors, data and time each make another; nothing else does."""
    from weathervane.model.pipeline import _model_id

    given = ("demo", {"sales": "0" * 64}, MediaMixSpec().sha256, 11, NOW, None)
    assert trained.report.model_id == _model_id(*given)
    others = [
        ("demo", {"sales": "1" * 64}, *given[2:]),
        (*given[:2], MediaMixSpec(priors=replace(Priors(), channels={"tv": Priors().default})).sha256, *given[3:]),
        (*given[:2], MediaMixSpec(engine="lightweight").sha256, *given[3:]),
        (*given[:2], MediaMixSpec(engine="lightweight", lightweight_model="adstock").sha256, *given[3:]),
        (*given[:3], 12, NOW, None),
        (*given[:4], NOW + timedelta(hours=1), None),
        (*given[:5], "demo-20260501-0123456789"),
    ]
    assert len({_model_id(*given), *(_model_id(*other) for other in others)}) == 8
