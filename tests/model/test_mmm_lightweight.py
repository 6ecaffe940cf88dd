"""The lightweight engine: LightweightMMM's posterior on its own data, known effects, inputs, errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import polars as pl
import pytest
from numpyro.infer.util import log_density

from model.weekly_panels import panel_of, weekly_panel
from weathervane.contracts.errors import BadInput, ModelFailed, NotEnoughData, NotFound
from weathervane.model.mmm import lightweight_model
from weathervane.model.mmm.lightweight import (
    Floats,
    LightweightFit,
    ParameterSummary,
    Scales,
    fit_lightweight,
    growing_fit,
    problem_of,
)
from weathervane.model.mmm.lightweight_curves import lightweight_curves, lightweight_shapes
from weathervane.model.mmm.lightweight_mmm import CustomScaler, LightweightMMM
from weathervane.model.mmm.lightweight_model import Design, expected_outcome, priors_of, transform_media
from weathervane.model.mmm.lightweight_panel import convergence_of, failure, fit_lightweight_panel, panel_problem
from weathervane.model.mmm.lightweight_sampler import SamplerOptions

SHARED = Path(__file__).parents[3] / "shared"
GOLDEN = SHARED / "reference" / "lightweight_golden.json"
SIMULATED = SHARED / "data" / "mmm" / "simulated_national" / "data.csv"
MODELS = ("adstock", "hill_adstock", "carryover")
# Where the package's own two runs differ by more than their errors allow, that difference is its Monte-Carlo error:
# docs/modeling/lightweight.md says why, and what an exact update of this parameter shows.
UNSETTLED_IN_PACKAGE = {("adstock", "expo_trend"), ("hill_adstock", "expo_trend")}


# Parity with the package


def fit_simulated(model_name: str, *, seed: int = 3) -> LightweightFit:
    """The real data as the package was given them, and as many draws as it made in one run."""
    table = pl.read_csv(SIMULATED).filter(pl.col("holdout") == 0)
    spend = table.select(pl.col("^spend_.*$")).to_numpy().astype(np.float64)
    extra = table.select("weather", "price").to_numpy()
    revenue = table["revenue"].to_numpy()
    cost = spend.sum(axis=0)
    return fit_lightweight(
        model_name,
        media=spend / spend.mean(axis=0),
        media_prior=0.15 * cost / cost.mean(),
        target=revenue / revenue.mean(),
        extra_features=(extra - extra.mean(axis=0)) / extra.std(axis=0),
        number_warmup=1000,
        number_samples=1500,
        number_chains=4,
        target_accept_prob=0.95,  # the package was run at 0.9 and 0.98
        seed=seed,
        scales=Scales(media=spend.mean(axis=0), target=revenue.mean(), cost=cost),
    )


def distance(model_name: str, ours: ParameterSummary, theirs: dict[str, float]) -> float:
    """Distance of the means in bars: 4 combined Monte-Carlo standard errors and 2 % of a posterior sd."""
    error = theirs["mcse"]
    if (model_name, ours.name) in UNSETTLED_IN_PACKAGE:
        error = max(error, theirs["between_runs"] / 2)
    return abs(ours.mean - theirs["mean"]) / (4 * np.hypot(ours.mcse, error) + 0.02 * theirs["sd"])


@pytest.mark.slow
@pytest.mark.parametrize("model_name", MODELS)
def test_posterior_is_that_of_the_package(model_name: str) -> None:
    if not GOLDEN.exists() or not SIMULATED.exists():
        pytest.skip("the package's posterior and its data are not here")
    theirs = json.loads(GOLDEN.read_text("utf-8"))["models"][model_name]["parameters"]
    fit = fit_simulated(model_name)
    ours = {one.name: one for one in fit.parameters}
    assert set(ours) == set(theirs)
    assert fit.rhat_max < 1.02
    far = {name: distance(model_name, one, theirs[name]) for name, one in ours.items()}
    assert {name: bars for name, bars in far.items() if bars > 1} == {}
    width = {name: (one.q95 - one.q05) / (theirs[name]["q95"] - theirs[name]["q05"]) - 1 for name, one in ours.items()}
    assert {name: w for name, w in width.items() if abs(w) > (0.30 if name == "expo_trend" else 0.15)} == {}


# The density


def design_of(shape: tuple[int, ...], *, extra: int = 2, weekday: bool = False) -> Design:
    rng = np.random.default_rng(0)
    media = rng.gamma(1.0, 1.0, shape)
    media[3:6, 0] = 0.0
    return Design(
        media=jnp.asarray(media),
        extra_features=jnp.asarray(rng.normal(size=(shape[0], extra, *shape[2:]))) if extra else None,
        degrees_seasonality=2,
        seasonality_frequency=52.0,
        weekday_seasonality=weekday,
    )


@pytest.mark.parametrize("model_name", MODELS)
@pytest.mark.parametrize("shape", [(30, 3), (30, 3, 2)], ids=["national", "geo"])
def test_the_density_is_the_packages_whatever_it_is_sampled_in(model_name: str, shape: tuple[int, ...]) -> None:
    design, rng = design_of(shape, weekday=True), np.random.default_rng(1)
    is_geo, g, c = len(shape) == 3, *((shape[2],) if len(shape) == 3 else (1,)), shape[1]
    priors = priors_of(model_name, {}, is_geo=is_geo)
    media_prior = jnp.asarray(rng.uniform(0.1, 0.3, (c, 1) if is_geo else c))
    target = jnp.asarray(rng.normal(1.0, 0.1, (shape[0], *shape[2:])))
    sizes = {"sigma": (g,), "expo_trend": (), "gamma_seasonality": (2, 2), "weekday": (7,)}
    sizes |= {"coef_extra_features": (2, *shape[2:])} | ({"coef_seasonality": (g,)} if is_geo else {})
    sizes |= dict.fromkeys(lightweight_model.FAMILIES[model_name].priors(), (c,))
    key = jax.random.PRNGKey(0)
    sampled = {name: priors[name].sample(key, size) for name, size in sizes.items()}
    if is_geo:
        sampled["channel_coef_media"] = jnp.asarray(rng.uniform(0.05, 0.2, (c, 1)))
    free = jnp.asarray(rng.normal(size=g + g + c * g))

    def sites(free: jax.Array) -> dict[str, jax.Array]:
        return {
            "trend_height": free[:g],
            "log_level": free[g : 2 * g],
            "media_log_odds": free[2 * g :].reshape(shape[1:]),
        }

    arguments = (model_name, design, media_prior, priors, target)

    def named(free: jax.Array) -> dict[str, jax.Array]:
        trace = log_density(lightweight_model.model, arguments, {}, {**sampled, **sites(free)})[1]
        return {name: trace[name]["value"] for name in ("coef_trend", "intercept", "coef_media")}

    ours = log_density(lightweight_model.model, arguments, {}, {**sampled, **sites(free)})[0]
    parameters = {**sampled, **jax.jit(named)(free)}
    by_geo = dist.HalfNormal(parameters["channel_coef_media"] if is_geo else media_prior)
    by_hand = sum(jnp.sum(jnp.asarray(priors[name].log_prob(parameters[name]))) for name in priors)
    by_hand += jnp.sum(jnp.asarray(by_geo.log_prob(parameters["coef_media"])))
    if is_geo:
        by_hand += jnp.sum(jnp.asarray(dist.HalfNormal(media_prior).log_prob(parameters["channel_coef_media"])))
    mean = expected_outcome(design, transform_media(model_name, design.media, parameters), parameters)
    by_hand += jnp.sum(jnp.asarray(dist.Normal(mean, parameters["sigma"]).log_prob(target)))
    jacobian = jax.jit(jax.jacfwd(lambda at: jnp.concatenate([v.reshape(-1) for v in named(at).values()])))(free)
    assert float(ours) == pytest.approx(float(by_hand + jnp.linalg.slogdet(jacobian)[1]), rel=1e-10)


def test_transforms_by_hand() -> None:
    x = np.array([2.0, 0.0, 1.0, 4.0])
    media, ones = jnp.asarray(x[:, None]), {"exponent": jnp.ones(1)}
    carried, before = [], 0.0
    for now in x:
        before = 0.6 * before + now
        carried.append(0.4 * before)
    adstock = transform_media("adstock", media, {"lag_weight": jnp.array([0.6]), **ones})
    assert np.asarray(adstock)[:, 0] == pytest.approx(carried)
    shape = {"half_max_effective_concentration": jnp.array([0.7]), "slope": jnp.array([1.4])}
    hill = transform_media("hill_adstock", media, {"lag_weight": jnp.array([0.6]), **shape})
    assert np.asarray(hill)[:, 0] == pytest.approx([1 / (1 + (c / 0.7) ** -1.4) for c in carried])
    weights = 0.5 ** ((np.arange(13) - 1.2) ** 2)
    delayed = transform_media(
        "carryover",
        media,
        {"ad_effect_retention_rate": jnp.array([0.5]), "peak_effect_delay": jnp.array([1.2]), **ones},
    )
    assert np.asarray(delayed)[:, 0] == pytest.approx(np.convolve(x, weights / weights.sum())[:4])


@pytest.mark.parametrize("model_name", MODELS)
def test_weeks_without_media_have_a_finite_gradient(model_name: str) -> None:
    media = jnp.zeros((8, 2)).at[5, 0].set(1.0)
    names = lightweight_model.FAMILIES[model_name].priors()

    def total(value: float) -> jax.Array:
        return transform_media(model_name, media, {name: jnp.full(2, value) for name in names}).sum()

    assert np.isfinite(jax.jit(jax.grad(total))(0.5))


# Custom priors


def test_custom_priors_are_read_as_the_package_reads_them() -> None:
    given = {"intercept": 1.5, "lag_weight": (3.0, 2.0), "sigma": {"rate": 4.0, "concentration": 2.0}}
    own = dist.Gamma(3.0, 2.0)
    read = priors_of("hill_adstock", {**given, "slope": own}, is_geo=False)
    assert float(read["intercept"].scale) == 1.5
    assert isinstance(read["lag_weight"], dist.Beta)
    assert (float(read["lag_weight"].concentration1), float(read["lag_weight"].concentration0)) == (3.0, 2.0)
    assert (float(read["sigma"].concentration), float(read["sigma"].rate)) == (2.0, 4.0)
    assert read["slope"] is own
    assert isinstance(read["expo_trend"], dist.Uniform)


@pytest.mark.parametrize(
    ("custom", "names"),
    [
        ({"slope": 1.0}, "slope"),
        ({"coef_seasonality": 1.0}, "coef_seasonality"),
        ({"intercept": (1.0, 2.0, 3.0)}, "intercept"),
        ({"intercept": {"width": 1.0}}, "intercept"),
        ({"intercept": "wide"}, "intercept"),
    ],
)
def test_a_prior_that_does_not_fit_is_refused(custom: dict[str, object], names: str) -> None:
    with pytest.raises(BadInput, match=names):
        priors_of("adstock", custom, is_geo=False)


# A fit to data made here


WEEKS, ROI = 104, np.array([3.0, 1.0])


def inputs(weeks: int = WEEKS) -> dict[str, Floats]:
    """Two channels, of which the first does much and the second little; a season and one extra feature."""
    rng = np.random.default_rng(5)
    media = rng.gamma(1.5, 1.0, (weeks, 2))
    carried = np.asarray(
        transform_media(
            "adstock", jnp.asarray(media), {"lag_weight": jnp.array([0.5, 0.3]), "exponent": jnp.array([0.9, 0.9])}
        )
    )
    extra = rng.normal(size=(weeks, 1))
    season = 0.1 * np.sin(2 * np.pi * np.arange(weeks) / 52)
    target = 1.0 + season + carried @ [0.2, 0.05] + 0.05 * extra[:, 0] + 0.03 * rng.standard_normal(weeks)
    return {"media": media, "media_prior": np.array([0.2, 0.2]), "target": target, "extra_features": extra}


@pytest.fixture(scope="module")
def national() -> LightweightFit:
    names = ("search", "tv")
    return fit_lightweight(
        "adstock", **inputs(), media_names=names, number_warmup=300, number_samples=400, number_chains=4, seed=1
    )


@pytest.mark.slow
def test_known_effects_are_recovered(national: LightweightFit) -> None:
    found = {one.name: one for one in national.parameters}
    assert national.rhat_max < 1.05
    truth = {"coef_media[0]": 0.2, "coef_media[1]": 0.05, "coef_extra_features": 0.05, "sigma": 0.03}
    truth |= {"gamma_seasonality[0]": 0.1, "lag_weight[0]": 0.5}
    for name, value in truth.items():
        assert abs(found[name].mean - value) < 3.5 * found[name].sd, name
        assert found[name].sd < 0.5 * abs(value), name


@pytest.mark.slow
def test_prediction_of_the_training_weeks_is_the_fit(national: LightweightFit) -> None:
    given, cut = inputs(), 80
    shorter = fit_like(national, {name: rows[:cut] if len(rows) == WEEKS else rows for name, rows in given.items()})
    ahead = shorter.predict(given["media"][cut:], given["extra_features"][cut:])
    assert ahead == pytest.approx(national.fitted()[:, cut:], rel=1e-9)
    late = shorter.predict(given["media"][90:], given["extra_features"][90:], media_gap=given["media"][cut:90])
    assert late == pytest.approx(national.fitted()[:, 90:], rel=1e-9)
    idle = shorter.predict(given["media"][90:], given["extra_features"][90:], media_gap=0 * given["media"][cut:90])
    assert (idle < late).any()


def fit_like(fit: LightweightFit, given: dict[str, Floats]) -> LightweightFit:
    """The same draws, with these inputs as their training data."""
    design = fit.design._replace(media=jnp.asarray(given["media"]), extra_features=jnp.asarray(given["extra_features"]))
    return replace(fit, design=design, target=given["target"])


@pytest.mark.slow
def test_parts_add_up_and_follow_their_units(national: LightweightFit) -> None:
    assert national.contribution_share() == pytest.approx(
        national.contribution / national.fitted().sum(axis=1)[:, None]
    )
    cost = np.array([40.0, 60.0])
    assert national.roi(cost) == pytest.approx(national.contribution / cost)
    dearer = replace(national, scales=Scales(media=np.array([2.0, 5.0]), target=np.array(100.0), cost=cost))
    assert dearer.contribution == pytest.approx(100 * national.contribution)
    assert dearer.predict(inputs()["media"][:4] * [2.0, 5.0], inputs()["extra_features"][:4]) == pytest.approx(
        100 * national.predict(inputs()["media"][:4], inputs()["extra_features"][:4])
    )
    assert dearer.response_curve("tv", [10.0]) == pytest.approx(100 * national.response_curve("tv", [2.0]))


@pytest.mark.slow
def test_a_curve_is_what_steady_media_end_up_adding(national: LightweightFit) -> None:
    levels = np.array([0.0, 0.5, 1.0, 3.0])
    curve = national.response_curve("search", levels)
    assert curve.shape == (1600, 4)
    assert (curve[:, 0] == 0).all()
    assert (np.diff(curve, axis=1) > 0).all()
    steady, idle = np.zeros((400, 2)), np.zeros((400, 2))
    steady[:, 0] = 3.0
    none = np.zeros((400, 1))
    added = national.predict(steady, none)[:, -1] - national.predict(idle, none)[:, -1]
    assert np.quantile(np.abs(added / curve[:, 3] - 1), 0.99) < 1e-6
    with pytest.raises(BadInput, match="radio"):
        national.response_curve("radio", levels)
    with pytest.raises(BadInput, match="negative"):
        national.response_curve("tv", [-1.0])


@pytest.mark.slow
def test_what_does_not_fit_the_training_data_is_not_predicted(national: LightweightFit) -> None:
    media, extra = inputs()["media"][:5], inputs()["extra_features"][:5]
    with pytest.raises(BadInput, match="same channels"):
        national.predict(media[:, :1], extra)
    with pytest.raises(BadInput, match="extra features"):
        national.predict(media)
    with pytest.raises(BadInput, match="every new period"):
        national.predict(media, extra[:3])
    with pytest.raises(BadInput, match="Cost"):
        national.roi(np.ones(3))


@pytest.mark.slow
def test_same_seed_same_bytes_custom_priors_count_and_more_draws_go_on_from_the_first() -> None:
    given = inputs(40)
    del given["extra_features"]
    custom = {"exponent": (4500.0, 5500.0), "coef_trend": dist.HalfNormal(1.0)}
    problem = problem_of("carryover", **given, custom_priors=custom)
    options = SamplerOptions(warmup=40, draws=40, chains=2, target_accept=0.85, seed=4)
    growing = growing_fit(problem, options)
    first, longer = next(growing), next(growing)
    again = fit_lightweight(
        "carryover", **given, custom_priors=custom, number_warmup=40, number_samples=40, number_chains=2, seed=4
    )
    assert all((first.draws[name] == again.draws[name]).all() for name in first.draws)
    assert first.draws["exponent"] == pytest.approx(np.full((2, 40, 2), 0.45), abs=0.05)
    assert (first.draws["coef_trend"] > 0).all()
    for name in first.draws:
        assert longer.draws[name].shape[:2] == (2, 80)
        assert (longer.draws[name][:, :40] == first.draws[name]).all()
    assert (longer.draws["sigma"][:, 40:] != first.draws["sigma"]).all()
    assert longer.diverged.shape == (2, 80)


# Panels


@pytest.fixture
def national_draws() -> Callable[..., LightweightFit]:
    """A fit of one draw with these parameters by channel."""

    def of(**parameters: list[float]) -> LightweightFit:
        draws = {name: np.array(values)[None, None] for name, values in parameters.items()}
        ones = Scales(media=np.ones(2), target=np.array(1.0), cost=np.ones(2))
        return LightweightFit("any", ("a", "b"), design_of((8, 2)), np.ones(8), ones, draws, np.zeros((1, 1), bool))

    return of


def test_half_lives_by_hand(national_draws: Callable[..., LightweightFit]) -> None:
    """The week it is spent in counts: half of a geometric effect has come when half of it has gone."""
    geometric = national_draws(lag_weight=[0.5, 0.25], exponent=[0.9, 0.8])
    half_life, half_saturation, exponent = lightweight_shapes(geometric)
    assert half_life[0] == pytest.approx([7.0, 3.5])
    assert half_saturation is None
    assert exponent[0] == pytest.approx([0.9, 0.8])
    delayed = national_draws(ad_effect_retention_rate=[1e-9, 0.5], peak_effect_delay=[2.0, 0.0], exponent=[1.0, 1.0])
    weight = 0.5 ** (np.arange(13.0) ** 2)
    first = weight[0] / weight.sum()
    # All of it in the third week; and weights 1, 1/2, 1/16, of which the first are more than half.
    assert lightweight_shapes(delayed)[0][0] == pytest.approx([7 * 2.5, 7 * 0.5 / first])


@pytest.mark.slow
def test_a_panel_of_places_is_fitted_by_place() -> None:
    panel = weekly_panel(2, 40, (1.5, 0.5), seed=2)
    heard: list[str] = []
    options = SamplerOptions(warmup=60, draws=30, chains=2, target_accept=0.8, seed=1)
    fit = next(growing_fit(panel_problem(panel, "hill_adstock"), options, heard.append))
    s = 60
    assert fit.is_geo
    assert heard == ["looking for starts", "sampling, block 1"]
    assert fit.draws["coef_media"].shape == (2, 30, 2, 2)
    assert fit.draws["coef_seasonality"].shape == (2, 30, 2)
    assert fit.draws["slope"].shape == (2, 30, 2)
    assert fit.contribution.shape == fit.roi().shape == (s, 2, 2)
    assert fit.channel_roi().shape == (s, 2)
    assert fit.response_curve("channel-1", [0.0, 1e4]).shape == (s, 2, 2)
    # Money in, money out.
    total = panel.outcome[0].sum(axis=1)
    assert np.median(fit.fitted().sum(axis=1), axis=0) == pytest.approx(total, rel=0.02)
    assert fit.channel_roi() == pytest.approx(fit.contribution.sum(axis=2) / panel.spend.sum(axis=(1, 2)))
    assert fit.design.extra_features is not None
    features = np.asarray(fit.design.extra_features)
    assert features.shape == (40, 2, 2)
    assert features.mean(axis=0) == pytest.approx(np.zeros((2, 2)), abs=1e-9)
    assert features.std(axis=0) == pytest.approx(np.ones((2, 2)))
    curves = lightweight_curves(fit, panel)
    assert curves.outcome.shape == (2, 2, 25, 200)
    last = fit.response_curve("channel-1", curves.budget[:, 1].T)  # [s, k, g]
    assert curves.outcome[1, 1, :, -1] == pytest.approx(last[-1, :, 1])
    assert curves.spend_max == pytest.approx(panel.spend.max(axis=2).T)
    assert curves.spend_recent[0, 1] == pytest.approx(panel.spend[1, 0, -4:].mean())
    assert curves.carry_over is not None
    assert curves.carry_over.sum(axis=1) == pytest.approx(np.ones((2, 200)))
    retained = fit.draws["lag_weight"].reshape(-1, 2)[-1, 1]  # from one week to the next
    assert curves.carry_over[1, 7, -1] / curves.carry_over[1, 0, -1] == pytest.approx(retained)
    # Sixty draws are no result, and the error says of what.
    found = convergence_of(fit)
    assert not found.agreed
    why = failure(fit, found)
    assert panel.channels[found.worst] in why.problem
    assert "effective draws of 400" in why.problem
    assert "hierarchical" in why.remedy


def test_a_panel_that_would_take_hours_is_refused_before_it_starts() -> None:
    with pytest.raises(ModelFailed, match=r"40 places.*more than 15 are refused"):
        fit_lightweight_panel(weekly_panel(40, 208, (1.0,) * 5), "hill_adstock", 1)


def test_a_panel_with_gaps_is_refused() -> None:
    panel = weekly_panel(1, 60, (1.0,))
    fit = partial(fit_lightweight_panel, model_name="adstock", seed=0)
    outcome = panel.outcome[0].copy()
    outcome[0, 7] = np.nan
    with pytest.raises(NotEnoughData, match="1 of 60"):
        fit(panel_of(outcome, panel.spend, panel.z))
    with pytest.raises(NotEnoughData, match="channel-0"):
        fit(panel_of(panel.outcome[0], 0 * panel.spend, panel.z))
    with pytest.raises(NotEnoughData, match="6 more weeks"):
        fit(weekly_panel(1, 20, (1.0,)))
    with pytest.raises(NotEnoughData, match="no ad spend"):
        fit(panel_of(panel.outcome[0], panel.spend[:0], panel.z))


# The package's own names


@pytest.mark.slow
def test_the_packages_names_give_its_numbers() -> None:
    given = inputs(60)
    media, target, costs = given["media"] * [50.0, 20.0], given["target"] * 1000, np.array([400.0, 100.0])
    media_scaler, target_scaler = CustomScaler(divide_operation=jnp.mean), CustomScaler(divide_operation=jnp.mean)
    cost_scaler = CustomScaler(divide_operation=jnp.mean, multiply_by=0.15)
    mmm = LightweightMMM(model_name="adstock")
    mmm.fit(
        media_scaler.fit_transform(media),
        cost_scaler.fit_transform(costs),
        target_scaler.fit_transform(target),
        extra_features=given["extra_features"],
        media_names=["a", "b"],
        number_warmup=40,
        number_samples=30,
        number_chains=2,
        seed=1,
    )
    trace, (share, roi) = (
        mmm.trace,
        mmm.get_posterior_metrics(cost_scaler=cost_scaler, target_scaler=target_scaler),
    )
    added = np.einsum("stc,sc->sc", trace["media_transformed"], trace["coef_media"])
    assert trace["intercept"].shape == (60, 1)
    assert share == pytest.approx(added / trace["mu"].sum(axis=1)[:, None])
    assert roi == pytest.approx(added * target.mean() / costs)
    new = mmm.predict(media_scaler.transform(media[:3]), given["extra_features"][:3], target_scaler=target_scaler)
    assert new.shape == (60, 3)
    assert new.mean() == pytest.approx(target.mean(), rel=0.2)


def test_scalers_multiply_and_divide_by_column() -> None:
    data = np.arange(1.0, 13.0).reshape(3, 2, 2)
    scaler = CustomScaler(divide_operation=np.mean, multiply_by=np.array([1.0, 10.0]))
    scaled = scaler.fit_transform(data)
    assert scaled == pytest.approx(data * [1.0, 10.0] / data.mean(axis=0))
    assert scaler.inverse_transform(scaled) == pytest.approx(data)
    assert CustomScaler(divide_by=4).fit_transform(data) == pytest.approx(data / 4)
    with pytest.raises(BadInput, match="divided by zero"):
        CustomScaler(divide_operation=np.mean).fit(np.array([[-1.0], [1.0]]))
    with pytest.raises(NotFound, match="fitted"):
        CustomScaler().transform(data)
    with pytest.raises(NotFound, match="fitted"):
        _ = LightweightMMM().trace


# Errors


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"media": -np.ones((WEEKS, 2))}, "media has negative"),
        ({"media": np.full((WEEKS, 2), np.nan)}, "media has missing"),
        ({"media": np.ones(WEEKS)}, "media has shape"),
        ({"media": [["a", "b"]]}, "media is not"),
        ({"media_prior": np.array([0.1, 0.0])}, "zero or negative"),
        ({"media_prior": np.ones(3)}, "media_prior has shape"),
        ({"target": np.ones(WEEKS - 1)}, "target has shape"),
        ({"extra_features": np.ones((WEEKS, 1, 2))}, "extra_features has shape"),
        ({"extra_features": np.full((WEEKS, 1), np.inf)}, "extra_features has missing"),
        ({"media_names": ["a"]}, "names"),
        ({"media_names": ["a", "a"]}, "names"),
        ({"custom_priors": {"slope": 1.0}}, "slope"),
        ({"number_samples": 0}, "at least one"),
        ({"degrees_seasonality": 0}, "one degree"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_before_any_sampling(change: dict[str, object], says: str) -> None:
    with pytest.raises(BadInput, match=says) as refused:
        fit_lightweight("adstock", **{**inputs(), **change})
    assert refused.value.remedy.endswith(".")


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(BadInput, match="hill_adstock"):
        LightweightMMM("logistic")
