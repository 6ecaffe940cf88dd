"""The metrics say what they are called, and imbalance is the textbook's."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from tests.experiments.designs import FIRST, made_panel

from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.experiments.balance import GeoWeather, balance_metrics, differences, imbalance
from weathervane.experiments.panel import Panel


def test_metrics_are_standardised_and_follow_what_they_name() -> None:
    rng = np.random.default_rng(1)
    n, t = 12, 800
    day = np.arange(t)
    level, slope, season = rng.uniform(10, 100, n), rng.normal(0, 0.2, n), rng.uniform(0, 0.4, n)
    swing = rng.uniform(0, 14, n)[:, None] * np.cos(2 * np.pi * day / 365.25)
    temp = 15 + swing + rng.normal(0, 4, (n, t)) + np.arange(n)[:, None]
    unusual = temp - 15 - swing - np.arange(n)[:, None]
    effect = rng.normal(0.02, 0.01, n)
    relative = (
        1
        + slope[:, None] * (day - day.mean()) / 365.25
        + season[:, None] * np.cos(2 * np.pi * (day + FIRST.toordinal()) / 365.25)
        + effect[:, None] * unusual
        + rng.normal(0, 0.05, (n, t))
    )
    panel = Panel(
        tuple(f"g{i:02d}" for i in range(n)),
        tuple(FIRST + timedelta(days=int(i)) for i in day),
        level[:, None] * relative,
    )
    metrics = balance_metrics(panel, GeoWeather(temp))
    assert metrics.values.mean(axis=0) == pytest.approx(0, abs=1e-12)
    assert metrics.values.std(axis=0) == pytest.approx(1)
    truth = {
        "level": np.log(level),
        "trend": slope,
        "season_cos": season,
        "climate_temp": np.arange(n),
        "sensitivity_temp": effect,
    }
    for name, values in truth.items():
        found = metrics.values[:, metrics.names.index(name)]
        assert np.corrcoef(found, values)[0, 1] > 0.97, name


def test_without_a_year_there_is_no_season_and_constant_metrics_are_left_out() -> None:
    panel = made_panel(6, 60)
    assert {"season_cos", "sensitivity_temp"}.isdisjoint(balance_metrics(panel).names)
    same = Panel(panel.geos, panel.days, np.broadcast_to(panel.outcome[0], panel.outcome.shape).copy())
    assert balance_metrics(same).names == ()


def test_a_geo_without_weather_counts_as_average() -> None:
    panel = made_panel(6, 60)
    temp = np.random.default_rng(0).normal(10, 5, panel.outcome.shape)
    temp[2] = np.nan
    metrics = balance_metrics(panel, GeoWeather(temp))
    assert metrics.values[2, metrics.names.index("climate_temp")] == pytest.approx(0, abs=1e-12)
    assert np.isfinite(metrics.values).all()


def test_too_short_and_empty_are_refused() -> None:
    with pytest.raises(NotEnoughData, match="four weeks"):
        balance_metrics(made_panel(6, 20))
    panel = made_panel(6, 60)
    panel.outcome[4] = np.nan
    with pytest.raises(NotEnoughData, match="geo-004"):
        balance_metrics(panel)
    with pytest.raises(BadInput, match="shape"):
        balance_metrics(made_panel(6, 60), GeoWeather(np.zeros((6, 59))))


def test_imbalance_is_the_textbooks() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=(9, 3))
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    arms = np.array([[0, 1, 2, 0, 1, 2, 0, 0, 1], [1, 1, 2, 2, 0, 0, 0, 0, 0]], dtype=np.int8)
    for row, found, squared in zip(
        arms, imbalance(arms, values, 2), imbalance(arms, values, 2, "mahalanobis"), strict=True
    ):
        gaps = [values[row == c].mean(axis=0) - values[row == 0].mean(axis=0) for c in (1, 2)]
        assert found == pytest.approx(max(np.abs(gap).max() for gap in gaps), abs=1e-8)
        inverse = np.linalg.inv(np.cov(values, rowvar=False, bias=True))
        sizes = [(row == c).sum() * (row == 0).sum() / ((row == c).sum() + (row == 0).sum()) for c in (1, 2)]
        assert squared == pytest.approx(
            max(n * gap @ inverse @ gap for n, gap in zip(sizes, gaps, strict=True)), rel=1e-6
        )


def test_differences_are_the_signed_worst_over_cells() -> None:
    metrics = balance_metrics(made_panel(9))
    arms = np.array([0, 1, 2, 0, 1, 2, 0, 0, 1], dtype=np.int8)
    table = differences(arms, metrics, 2)
    assert max(abs(value) for value in table.values()) == pytest.approx(
        float(imbalance(arms[None], metrics.values, 2)[0])
    )
