"""Published estimates, to the tolerance that their printed digits allow."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from tests.experiments.published_panels import geolift, rows, treated, yearly

from weathervane.contracts.period import Period
from weathervane.experiments.counterfactual import Refit, contrasts, counterfactual
from weathervane.experiments.estimate import placebo_effects
from weathervane.experiments.estimators import synthetic_did
from weathervane.experiments.inference import block_p_values, iid_p_values, window_draws
from weathervane.experiments.panel import panel_from_rows
from weathervane.experiments.question import Question
from weathervane.experiments.readout import read_out

WALKTHROUGH = {
    "cincinnati": 0.2272,
    "miami": 0.2028,
    "baton rouge": 0.1335,
    "minneapolis": 0.0900,
    "dallas": 0.0739,
    "nashville": 0.0685,
    "honolulu": 0.0673,
    "austin": 0.0465,
    "san diego": 0.0451,
    "reno": 0.0306,
    "san antonio": 0.0054,
    "new york": 0.0046,
    "houston": 0.0046,
}


def test_geolift_walkthrough_without_augmentation() -> None:
    panel = geolift()
    mask = treated(panel, "chicago", "portland")
    found = counterfactual("synthetic_control", panel.outcome, mask, 90)
    effect = found.effect[90:]
    assert effect.mean() == pytest.approx(155.556, abs=0.02)
    assert 2 * effect.sum() == pytest.approx(4667, abs=1)
    assert effect.mean() / found.mean[90:].mean() == pytest.approx(0.054, abs=5e-4)
    assert found.imbalance == pytest.approx(909.489, abs=0.01)
    assert found.imbalance_scaled == pytest.approx(0.1636394, abs=1e-4)
    weights = dict(zip(panel.geos, found.weights, strict=True))
    for geo, published in WALKTHROUGH.items():
        assert weights.pop(geo) == pytest.approx(published, abs=5e-4)
    assert max(weights.values()) < 5e-4


def test_geolift_walkthrough_p_values_over_time() -> None:
    panel = geolift()
    mask = treated(panel, "chicago", "portland")
    residuals = Refit("synthetic_control", panel.outcome, mask, np.zeros(105)).residuals(np.zeros(1))
    assert block_p_values(residuals, 90, "absolute")[0] == 5 / 105
    assert iid_p_values(residuals, 90, window_draws(105, 15, 4000, seed=1), "absolute")[0] == pytest.approx(
        0.014, abs=0.008
    )


def test_geolift_walkthrough_with_ridge() -> None:
    panel = geolift()
    mask = treated(panel, "chicago", "portland")
    found = counterfactual("augmented", panel.outcome, mask, 90)
    effect = found.effect[90:]
    plain = counterfactual("synthetic_control", panel.outcome, mask, 90)
    assert effect.mean() == pytest.approx(156.805, abs=0.02)
    assert 2 * effect.sum() == pytest.approx(4704.15, abs=1)
    assert found.imbalance == pytest.approx(903.5247, abs=0.01)
    assert found.imbalance_scaled == pytest.approx(0.1626, abs=1e-4)
    assert plain.effect[90:].mean() - effect.mean() == pytest.approx(-1.249, abs=0.001)
    residuals = Refit("augmented", panel.outcome, mask, np.zeros(105)).residuals(np.zeros(1))
    assert iid_p_values(residuals, 90, window_draws(105, 15, 4000, seed=1), "absolute")[0] == pytest.approx(
        0.013, abs=0.008
    )


def test_geolift_read_out_agrees_with_itself() -> None:
    panel = geolift()
    controls = tuple(geo for geo in panel.geos if geo not in ("chicago", "portland"))
    window = Period(panel.days[90], panel.days[104])
    question = Question("walkthrough", "meta_ads", "USD", ("chicago", "portland"), controls, window)
    result = read_out(panel, question).plain.result
    assert result.lift_abs == pytest.approx(4667, abs=1)
    assert result.lift_rel_low is not None
    assert result.lift_rel_high is not None
    assert result.lift_rel_low < 0 < result.lift_rel < result.lift_rel_high
    assert result.p_value > result.alpha


def test_california_difference_in_differences_and_synthetic_did() -> None:
    panel = yearly("california_prop99.csv", "State", "Year", "PacksPerCapita")
    mask = treated(panel, "California")
    plain = counterfactual("difference_in_differences", panel.outcome, mask, 19)
    assert plain.effect[19:].mean() == pytest.approx(-27.349, abs=5e-4)
    found = counterfactual("synthetic_did", panel.outcome, mask, 19)
    assert found.effect[19:].mean() == pytest.approx(-15.603828, abs=5e-7)
    weights = dict(zip(panel.geos, found.weights, strict=True))
    published = {"Nevada": 0.124, "New Hampshire": 0.105, "Connecticut": 0.078, "Delaware": 0.070, "Colorado": 0.058}
    assert sorted(weights, key=lambda geo: -weights[geo])[:5] == list(published)
    for geo, weight in published.items():
        assert weights[geo] == pytest.approx(weight, abs=6e-4)
    controls = panel.outcome[~mask]
    days = synthetic_did.time_weights(controls, 19, synthetic_did.penalties(controls, 1, 19), 10_000)
    assert days[[18, 16, 17]] == pytest.approx([0.427, 0.366, 0.206], abs=6e-4)


def test_california_synthetic_control_as_the_paper_runs_it() -> None:
    panel = yearly("california_prop99.csv", "State", "Year", "PacksPerCapita")
    mask = treated(panel, "California")
    controls, target = panel.outcome[~mask], panel.outcome[mask][0]
    usual = synthetic_did.penalties(controls, 1, 19)
    zeta = synthetic_did.Penalties(usual.time, usual.time, usual.min_decrease)
    weights = synthetic_did.unit_weights(controls[:, :19], target[:19], zeta, 10_000, intercept=False)
    assert (target - weights @ controls)[19:].mean() == pytest.approx(-19.620, abs=5e-4)


def test_california_placebo_spread_is_within_the_published_range() -> None:
    panel = yearly("california_prop99.csv", "State", "Year", "PacksPerCapita")
    mask = treated(panel, "California")
    effects = placebo_effects("synthetic_did", panel.outcome, mask, 19, seed=12345)
    assert 7.0 < effects.std() < 11.0  # 8.37 to 10.91 in four implementations
    differences = placebo_effects("difference_in_differences", panel.outcome, mask, 19, seed=12345)
    assert 15.0 < differences.std() < 20.0  # 17.74


def test_synthetic_did_exact_weights_are_near_the_published_iterations() -> None:
    panel = yearly("california_prop99.csv", "State", "Year", "PacksPerCapita")
    mask = treated(panel, "California")
    both = contrasts("synthetic_did", panel.outcome, np.stack([mask, mask]), 19)
    assert both.effects(panel.outcome)[0, 19:].mean() == pytest.approx(-15.6054, abs=1e-4)


def test_time_based_regression_vignette() -> None:
    table = rows("geoexperiments_salesandcost.csv")
    group = {row["geo"]: row["geo.group"] for row in rows("geoexperiments_geoassignment.csv")}
    days = [date.fromisoformat(row["date"]) for row in table]
    geos = [row["geo"] for row in table]
    kept = [day <= date(2015, 3, 15) for day in days]
    pick = [i for i, keep in enumerate(kept) if keep]
    sales = panel_from_rows(
        [geos[i] for i in pick], [days[i] for i in pick], [float(table[i]["sales"]) for i in pick], 0.0
    )
    cost = panel_from_rows(
        [geos[i] for i in pick], [days[i] for i in pick], [float(table[i]["cost"]) for i in pick], 0.0
    )
    question = Question(
        "vignette",
        "search",
        "USD",
        tuple(geo for geo in sales.geos if group[geo] == "2"),
        tuple(geo for geo in sales.geos if group[geo] == "1"),
        Period(date(2015, 2, 16), date(2015, 3, 15)),
        estimator="time_based_regression",
        test="posterior_t",
        alpha=0.05,
    )
    result = read_out(sales, question, spend=cost).plain.result
    assert result.spend_change_abs == pytest.approx(50000, abs=0.1)
    assert result.lift_abs == pytest.approx(147337.1, abs=0.1)
    assert result.iroas == pytest.approx(2.946742, abs=1e-6)
    assert result.iroas_low == pytest.approx(2.759772, abs=1e-6)
    assert result.iroas_high == pytest.approx(3.133713, abs=1e-6)
    one_sided = read_out(sales, replace(question, alpha=0.2), spend=cost).plain.result
    assert one_sided.iroas_low == pytest.approx(2.826194, abs=1e-6)


def test_time_based_regression_posterior() -> None:
    from scipy.stats import t as student

    from weathervane.experiments.estimators.time_based_regression import posterior

    table = [row for row in rows("geoexperiments_salesandcost.csv") if row["date"] <= "2015-03-15"]
    group = {row["geo"]: row["geo.group"] for row in rows("geoexperiments_geoassignment.csv")}
    days = sorted({row["date"] for row in table})
    totals = {arm: np.zeros(len(days)) for arm in ("1", "2")}
    for row in table:
        totals[group[row["geo"]]][days.index(row["date"])] += float(row["sales"])
    found = posterior(totals["2"], totals["1"], days.index("2015-02-16"))
    assert found.scale[-1] == pytest.approx(4625.514, abs=0.001)
    chance = student.sf((3 * 50000 - found.location[-1]) / found.scale[-1], found.df)
    assert chance == pytest.approx(0.284, abs=0.01)
