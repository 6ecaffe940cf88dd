"""All of modelling on one page: tables to a fit with its curves, tables to a forecast with its record.

train     tables -> grain -> panel of totals by week or day -> media mix fit -> evidence and response curves
                         -> panel by category       -> weather effects
forecast  tables -> grain -> panel by category -> rolling-origin record -> forecast with measured intervals
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from importlib.metadata import version

import numpy as np
import polars as pl

from weathervane.contracts.calibration import ForecastCells
from weathervane.contracts.errors import BadInput, ModelFailed, NotEnoughData
from weathervane.contracts.examination import TestValue
from weathervane.contracts.fit import (
    Diagnostics,
    FitCost,
    FitRecord,
    FitReport,
)
from weathervane.contracts.forecast import (
    LEVELS,
    BacktestScore,
    DemandForecast,
    DemandPoint,
    ForecastDay,
    ForecastQuality,
    Quantiles,
    ValueOfWeather,
    WeatherOutlook,
)
from weathervane.contracts.grain import NATIONAL, TOTAL, GrainSelection
from weathervane.contracts.plan import ModelSummary
from weathervane.contracts.response import ResponseCurves, WeatherResponse
from weathervane.contracts.tenant import Tenant
from weathervane.model.evidence import (
    disagreement,
    evidence,
    group_evidence,
    joint_evidence,
    organic_evidence,
    posterior_and_prior,
    unseen_sentence,
)
from weathervane.model.features.build import Panel, build_panel
from weathervane.model.features.grain import select_grain
from weathervane.model.features.weather import INDICES
from weathervane.model.forecast.backtest import Backtest, backtest
from weathervane.model.forecast.breaks import caveats, mended
from weathervane.model.forecast.candidate import Floats
from weathervane.model.forecast.candidates import fit as fit_forecast
from weathervane.model.forecast.extrapolation import extrapolations
from weathervane.model.forecast.structural import Outlook, outlook
from weathervane.model.forecast.tiers import tiers
from weathervane.model.forecast.trial import origins
from weathervane.model.forecast.weather_value import as_if_forecast, as_if_value, value_of_weather, without_weather
from weathervane.model.forecast.width import width_shares
from weathervane.model.mmm.alternatives import fit_with_alternatives
from weathervane.model.mmm.checkpoint import Checkpoint
from weathervane.model.mmm.cost import hierarchical_cost, lightweight_cost
from weathervane.model.mmm.cross_checks import against_experiments, against_the_weather, usable_experiments
from weathervane.model.mmm.engine import Estimates, MediaMixSpec, placebo_test
from weathervane.model.mmm.groups import caused_a_week, fit_groups, insist_on_groups
from weathervane.model.mmm.hierarchical import ENGINE
from weathervane.model.mmm.joint import added_up, apart, joined
from weathervane.model.mmm.next_test import next_tests
from weathervane.model.mmm.posterior_file import Posterior, write_posterior
from weathervane.model.mmm.unseen import HIDDEN_WEEKS, LEAST_WEEKS, can_be_tested, unseen_weeks

HORIZON = {"day": 14, "week": 4}  # periods ahead, unless asked otherwise
MOST_AHEAD = {"day": 28, "week": 26}
_SHOWN = [LEVELS.index(level) for level in (0.1, 0.5, 0.9)]
_OUTLOOK_DAYS = {"day": 7, "week": 28}
_ISSUED_HOUR = timedelta(hours=30)  # a forecast of tomorrow is issued at six the next morning, when yesterday is known
_LATEST_SALES = timedelta(days=7)

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Trained:
    """A fit as planning and the registry need it."""

    report: FitReport
    curves: ResponseCurves
    record: FitRecord
    posterior: bytes  # NetCDF-4, as posterior_file.py has it


Tables = Mapping[str, pl.DataFrame]
TablesAt = Callable[[datetime], Tables]


def train(
    tables: Tables,
    tenant: Tenant,
    spec: MediaMixSpec,
    *,
    as_of: datetime,
    seed: int,
    data_hashes: Mapping[str, str],
    earlier: Posterior | None = None,
    checkpoint: Checkpoint | None = None,
    memory_bytes: float | None = None,
    progress: Progress = lambda _: None,
) -> Trained:
    """Fits the media mix and weather models to what was known at `as_of`.

    `earlier` is the posterior of a fit from before: where its channels are the same, the fit starts at its peak.
    `checkpoint` keeps what is drawn, so that a training that was stopped goes on. `memory_bytes` is what the machine
    has. Raises NotEnoughData where there is too little to measure, BadInput or ModelFailed where the engine cannot fit
    this or the machine cannot hold it, ModelFailed where the fit did not converge.
    """
    known = known_at(tables, as_of)
    grain = select_grain(known)
    progress("building features")
    totals = build_panel(known, grain, as_of=as_of, step_days=spec.step_days, horizon=1, total=True)
    step = 7 if grain.time == "week" else 1
    by_category = build_panel(known, grain, as_of=as_of, step_days=step, horizon=1)
    parts = None
    if spec.by_category:
        parts = build_panel(known, grain, as_of=as_of, step_days=spec.step_days, horizon=1)
        insist_on_groups(parts)
    experiments, left_out = usable_experiments(totals, spec.priors, spec.experiments, spec.likelihood)
    priors_sha256, spec = spec.priors_sha256, replace(spec, experiments=experiments)
    whole_panel, one = totals, joined(totals, spec.priors, experiments, spec.likelihood)
    if one.groups:
        totals, spec = one.panel, replace(spec, priors=one.priors) if spec.engine == ENGINE else spec
        parts = None if parts is None else added_up(parts, one.groups)
    start, started_from = _warm_start(earlier, spec, totals.channels)
    expected = _expected_cost(totals, spec, grain)
    progress(expected.sentence)
    _insist_on_room(expected, memory_bytes)
    found, spec, tried = fit_with_alternatives(totals, spec, seed, progress, start=start, checkpoint=checkpoint)
    progress("placebo tests")
    signal = placebo_test(totals, spec)
    weather = against_the_weather(totals, spec.priors, found.roi, seed, progress, spec.likelihood, checkpoint)
    tests = against_experiments(
        totals, spec.priors, experiments, found.roi, seed, progress, spec.likelihood, checkpoint
    )
    backtest = _backtest(totals, spec, found, seed, progress, checkpoint)
    groups = None
    if parts is not None:
        whole = caused_a_week(totals, found.roi, found.contribution_share)
        groups = fit_groups(
            parts,
            whole,
            spec.priors,
            seed,
            progress,
            likelihood=spec.likelihood,
            start=found.peak,
            checkpoint=checkpoint,
        )
    tests_worth, fitted = _next_tests(found, tenant), found
    found = apart(found, whole_panel, one.groups)
    effects = outlook(by_category)
    model_id = _model_id(tenant.tenant_id, data_hashes, spec.sha256, seed, as_of, started_from)
    convergence, joint = found.convergence, joint_evidence(found, tenant)
    report = FitReport(
        model_id=model_id,
        tenant_id=tenant.tenant_id,
        created_at=_instant(as_of),
        seed=seed,
        grain=grain,
        summary=ModelSummary(
            model_id,
            found.engine,
            totals.through,
            convergence.rhat_max,
            convergence.ess_min,
            convergence.divergences,
            backtest,
            unseen_sentence(backtest, _why_untested(totals, spec)),
        ),
        channels=evidence(found, tenant, signal),
        organic=organic_evidence(found, signal),
        shapes=tuple(each.median for each in found.transforms),
        media_signal=signal,
        weather=_weather_response(by_category, effects),
        data_hashes=dict(data_hashes),
        priors_sha256=priors_sha256,
        versions=_versions(),
        caveats=(
            *(each.sentence for each in joint),
            *tried,
            *found.caveats,
            *posterior_and_prior(found, tenant),
            *left_out,
            *tests.caveats,
            *weather.caveats,
            *(disagreement(groups, fitted) if groups else ()),
            *totals.notes,
            *(note for note in by_category.notes if note not in totals.notes),
            *found.modulation_doubts,
        ),
        promotions=effects.promotions,
        expected=expected,
        groups=group_evidence(groups, fitted, signal) if groups else (),
        joint=joint,
        next_tests=tests_worth,
    )
    attributes = {
        "model_id": model_id,
        "tenant_id": tenant.tenant_id,
        "created_at": report.created_at,
        "seed": seed,
        "priors": repr(spec.priors),
        "priors_sha256": priors_sha256,
        "inference_library": "weathervane",
        "inference_library_version": report.versions["weathervane"],
    }
    record = FitRecord(
        found.transforms,
        _diagnostics(found),
        backtest=backtest[0] if backtest else None,
        experiment_shifts=tests.shifts,
        started_from=started_from,
        floors=backtest[1:],
    )
    curves = replace(found.curves, model_id=model_id)
    return Trained(report, curves, record, write_posterior(fitted, attributes))


def _why_untested(panel: Panel, spec: MediaMixSpec) -> str:
    """Why a fit has no record of weeks hidden from it."""
    if spec.engine != ENGINE:
        return "How far this engine is off in weeks that it has not seen is not tested."
    if can_be_tested(panel):
        return (
            f"How far the model is off in unseen weeks is not known: without the last {HIDDEN_WEEKS} weeks it did not "
            "converge."
        )
    return (
        f"How far the model is off in unseen weeks is not tested: that takes {HIDDEN_WEEKS + LEAST_WEEKS} weeks of "
        "sales, with none missing at the end."
    )


def _next_tests(found: Estimates, tenant: Tenant) -> tuple[TestValue, ...]:
    """What a geo test of each channel is worth; nothing where the engine does not say how well one would measure."""
    if found.test_sd is None:
        return ()
    unit = tenant.currency if tenant.outcome_is_money else tenant.outcome.replace("_", " ")
    at = [found.channels.index(channel) for channel in found.curves.channels]
    return next_tests(found.curves, found.test_sd[at], unit=unit)


def _expected_cost(panel: Panel, spec: MediaMixSpec, grain: GrainSelection) -> FitCost:
    """Of the fit, of one without the experiments and of one for the unseen weeks.

    Whether spend follows the weather, which takes one more, is not known yet and not counted.
    """
    size = len(panel.geos), panel.n_past, panel.step_days, len(panel.channels)
    if spec.engine != ENGINE:
        return lightweight_cost(*size)
    fits = 1 + bool(spec.experiments) + can_be_tested(panel)
    categories = len(grain.categories) if spec.by_category else 0
    return hierarchical_cost(*size, n_fits=fits, n_categories=categories, likelihood=spec.likelihood)


def _insist_on_room(expected: FitCost, memory_bytes: float | None) -> None:
    """Raises ModelFailed where the fit needs more memory than there is, before it takes the machine down with it."""
    if memory_bytes is None or expected.memory_bytes <= memory_bytes:
        return
    raise ModelFailed(
        f"This fit needs about {expected.memory_bytes / 1e9:.1f} GB of memory, and this machine has "
        f"{memory_bytes / 1e9:.1f} GB.",
        "fit by week rather than by day, merge small places or channels, or use a machine with more memory.",
    )


def _backtest(
    panel: Panel,
    spec: MediaMixSpec,
    found: Estimates,
    seed: int,
    progress: Progress,
    checkpoint: Checkpoint | None,
) -> tuple[BacktestScore, ...]:
    """The record of the hierarchical engine beside the floors; empty for another, or where the refit fails."""
    if spec.engine != ENGINE:
        return ()
    try:
        return unseen_weeks(
            panel,
            spec.priors,
            seed,
            progress,
            experiments=spec.experiments,
            start=found.peak,
            likelihood=spec.likelihood,
            checkpoint=checkpoint,
        )
    except ModelFailed:
        return ()


def _warm_start(
    earlier: Posterior | None, spec: MediaMixSpec, channels: tuple[str, ...]
) -> tuple[Floats | None, str | None]:
    """The peak to start at and the fit it comes from; nothing where engine or channels are others."""
    if earlier is None or earlier.peak is None:
        return None, None
    if earlier.attributes["engine"] != spec.name or earlier.labels["channel"] != channels:
        return None, None
    return earlier.peak, str(earlier.attributes["model_id"])


def _diagnostics(found: Estimates) -> Diagnostics:
    convergence = found.convergence
    return Diagnostics(
        method=convergence.method,
        chains=found.n_chains,
        draws=len(found.roi) // found.n_chains,
        rhat_max=convergence.rhat_max,
        ess_min=convergence.ess_min,
        ess_tail_min=convergence.ess_tail_min,
        divergences=convergence.divergences,
        ebfmi=convergence.ebfmi if np.isfinite(convergence.ebfmi) else None,
    )


@dataclass(frozen=True)
class Forecasted:
    """A forecast, the record of forecasts made the same way before, and that record cell by cell."""

    forecast: DemandForecast
    quality: ForecastQuality
    cells: ForecastCells


def forecast(
    tables_at: TablesAt,
    tenant_id: str,
    *,
    as_of: datetime,
    horizon: int | None = None,
    progress: Progress = lambda _: None,
) -> Forecasted:
    """The demand forecast issued at `as_of`, and the record of forecasts made the same way at earlier times.

    `tables_at(instant)` gives the tables as they were known then; `horizon` is in periods, by default 14 days or 4
    weeks, at most 28 or 26. Raises NotEnoughData where no earlier forecast can be tested, BadInput for other horizons.
    """
    known = tables_at(as_of)
    grain = select_grain(known)
    step = 7 if grain.time == "week" else 1
    horizon = _horizon(grain, horizon)
    panel = build_panel(known, grain, as_of=as_of, step_days=step, horizon=horizon)

    def as_known(n: int) -> Panel:
        through = panel.starts[n] - timedelta(days=1)
        progress(f"testing on what was known on {through}")
        instant = datetime.combine(through, datetime.min.time(), as_of.tzinfo) + _ISSUED_HOUR
        return _as_known(tables_at(instant), grain, instant, through, step, horizon)

    used, record, value = _with_or_without_weather(panel, as_known, horizon)
    used, shifts = mended(used)
    forecaster = fit_forecast(record.quality.chosen, used, record.baseline)
    fans = record.recalibration.fans(used, forecaster.predict(used), forecaster.models(used), shifts)
    quality = replace(
        record.quality,
        weather=value,
        width=width_shares(used, forecaster.predict, fans[-1][_SHOWN, 0]),
        extrapolations=extrapolations(panel),
    )
    said = (*_left_out(known, grain), *caveats(panel, shifts))
    made = DemandForecast(
        forecast_id="",
        tenant_id=tenant_id,
        issued_at=_instant(as_of),
        model=record.quality.chosen,
        step_days=step,
        points=_points(panel, tiers(panel)[0].keys, fans[0]),
        total=_points(panel, ((NATIONAL, TOTAL),), fans[-1]),
        weather_source=panel.weather_source,
        note=" ".join((*said, *([value.sentence] if value else []), *_beyond(quality), *panel.notes)),
        outlook=_outlook(panel, outlook(mended(panel)[0]), grain),
        days=_days(panel),
    )
    made = replace(made, forecast_id=f"{tenant_id}-{hashlib.sha256(repr(made).encode()).hexdigest()[:16]}")
    return Forecasted(made, quality, record.cells)


def _with_or_without_weather(
    panel: Panel, as_known: Callable[[int], Panel], horizon: int
) -> tuple[Panel, Backtest, ValueOfWeather | None]:
    """The panel and record to forecast with: weather stays in where the record shows that it helps.

    Where no weather forecast is stored there is none to test: the record is without weather, and what weather would be
    worth is measured as if there were.
    """
    then = lru_cache(maxsize=None)(as_known)
    if panel.weather_source == "none":
        return panel, backtest(panel, then, horizon), None
    stored = any(then(n).weather_source == "forecast" for n in origins(panel, horizon))
    without = backtest(without_weather(panel), lambda n: without_weather(then(n)), horizon)
    with_weather = backtest(panel, then if stored else lambda n: as_if_forecast(then(n), panel), horizon)
    measure = value_of_weather if stored else as_if_value
    trial = with_weather.trial
    value = measure(np.where(trial.shut, np.nan, trial.actual), with_weather.issued, without.issued)
    return (panel, with_weather, value) if value.helps else (without_weather(panel), without, value)


def _left_out(known: Tables, grain: GrainSelection) -> tuple[str, ...]:
    """Places that the total does not hold, or that cost all places a forecast of their own; nothing where none do."""
    sales = known["sales"].filter(pl.col("net_revenue").is_not_null())
    days = dict(sales.group_by("geo").agg(pl.col("date").n_unique()).sort("geo").iter_rows())
    if grain.geos == (NATIONAL,) and len(days) > 1:
        why = "; ".join(each.because for each in grain.rejected if each.grain == "geo")
        return (f"All {len(days)} places are forecast as one: {why}.",) if why else ()
    missing = [geo for geo in days if geo not in grain.geos]
    if not missing or grain.geo_level != "geo":
        return ()
    named = ", ".join(f"{geo} left out, {days[geo]} days of sales" for geo in missing[:3])
    more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
    return (f"Total demand of {len(grain.geos)} of {len(days)} places: {named}{more}.",)


def _beyond(quality: ForecastQuality) -> tuple[str, ...]:
    """A sentence about plans beyond what was ever seen; none where there are none."""
    found = quality.extrapolations
    if not found:
        return ()
    deepest = max(one.planned_depth for one in found)
    return (
        f"{len(found)} series plan promotions deeper than any seen, up to {deepest:.0%}: what is forecast for them is "
        "an extrapolation.",
    )


def _horizon(grain: GrainSelection, asked: int | None) -> int:
    most = MOST_AHEAD[grain.time]
    if asked is not None and not 1 <= asked <= most:
        raise BadInput(f"{asked} {grain.time}s ahead cannot be forecast.", f"ask for 1 to {most}.")
    return HORIZON[grain.time] if asked is None else asked


def known_at(tables: Tables, instant: datetime) -> dict[str, pl.DataFrame]:
    """The rows known at that instant, for tables that hold one version of each row."""
    return {name: frame.filter(pl.col("known_at") <= instant) for name, frame in tables.items()}


def _as_known(
    tables: Tables,
    grain: GrainSelection,
    instant: datetime,
    through: date,
    step: int,
    horizon: int,
) -> Panel:
    """The panel as it was known at `instant`, with the geos and categories of now."""
    sales = tables["sales"].filter(pl.col("date") <= through)
    # A day without sales, or one that was late, is a missing day of the panel; a missing week is no basis for a test.
    if sales.filter(pl.col("date") > through - _LATEST_SALES).is_empty():
        raise NotEnoughData(
            f"No sales of the week up to {through} were known on {instant:%Y-%m-%d}, so that day's forecast cannot be "
            "tested.",
            "import sales with a `known_at` no more than a day after their date, or leave the column out.",
        )
    earlier = {**tables, "sales": sales}
    return build_panel(earlier, grain, as_of=instant, step_days=step, horizon=horizon, through=through)


def _weather_response(panel: Panel, found: Outlook) -> WeatherResponse:
    if panel.weather_source == "none":
        return WeatherResponse((), next((note for note in panel.notes if "eather" in note), "There is no weather."))
    return WeatherResponse(found.effects, "Effects on demand, added up over a week of lags.")


def _points(panel: Panel, keys: Sequence[tuple[str, str]], fan: Floats) -> tuple[DemandPoint, ...]:
    """Every (geo, category) and future period; fan [level, s, lead]."""
    return tuple(
        _point(panel, geo, category, lead, fan[:, s, lead])
        for s, (geo, category) in enumerate(keys)
        for lead in range(fan.shape[-1])
    )


def _point(panel: Panel, geo: str, category: str, lead: int, values: Floats) -> DemandPoint:
    day = panel.starts[panel.n_past + lead]
    fan = tuple(float(value) for value in values)
    middle = Quantiles(*(fan[level] for level in _SHOWN))
    return DemandPoint(geo, category, day, (day - panel.through).days, middle, fan)


def _outlook(panel: Panel, model: Outlook, grain: GrainSelection) -> tuple[WeatherOutlook, ...]:
    """The weather of the plan period by geo, and its effect on demand; empty values where weather is not forecast."""
    if panel.weather_source != "forecast":
        return tuple(WeatherOutlook(geo, None, None, None, None) for geo in panel.geos)
    n_ahead = _OUTLOOK_DAYS[grain.time] // panel.step_days
    ahead = slice(panel.n_past, panel.n_past + n_ahead)
    now, normal = (values[:, :, :n_ahead].sum(axis=(0, 2)) for values in (model.predicted, model.without_weather))
    anomaly, wet_days = panel.temp_anomaly_c[:, ahead].mean(axis=1), panel.wet_days[:, ahead].sum(axis=1)
    wet = panel.weather[INDICES.index("wet"), :, ahead]
    return tuple(
        WeatherOutlook(geo, None, None, None, None)
        if np.isnan(anomaly[g])
        else WeatherOutlook(
            geo,
            float(anomaly[g]),
            float(panel.z[g, ahead].mean()),
            None if np.isnan(wet_days[g]) else float(wet_days[g]),
            float(now[g] / normal[g] - 1),
            () if np.isnan(wet_days[g]) else tuple(map(float, wet[g])),
        )
        for g, geo in enumerate(panel.geos)
    )


def _days(panel: Panel) -> tuple[ForecastDay, ...]:
    """Eight weeks of the past (a year, by week) and the future: total outcome and the mean temperature anomaly."""
    first = max(0, panel.n_past - (56 if panel.step_days == 1 else 52))
    totals = panel.outcome.sum(axis=(0, 1))  # NaN where any series is missing
    last_weather = {"none": first, "climatology": panel.n_past, "forecast": len(panel.starts)}[panel.weather_source]
    return tuple(
        ForecastDay(
            panel.starts[t],
            float(totals[t]) if np.isfinite(totals[t]) else None,
            float(panel.z[:, t].mean()) if t < last_weather else None,
        )
        for t in range(first, len(panel.starts))
    )


def _model_id(
    tenant_id: str, data_hashes: Mapping[str, str], spec: str, seed: int, as_of: datetime, started_from: str | None
) -> str:
    text = repr((sorted(data_hashes.items()), spec, seed, _instant(as_of), started_from, _versions()))
    return f"{tenant_id}-{as_of:%Y%m%d}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


@lru_cache(maxsize=1)
def _versions() -> dict[str, str]:
    libraries = ("weathervane", "jax", "numpy", "scipy", "polars")
    return {"python": platform.python_version(), **{name: version(name) for name in libraries}}


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
