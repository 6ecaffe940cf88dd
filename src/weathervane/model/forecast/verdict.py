"""Verdict: the backtest's record and the ledger's as one calibration run, its headline in words (calibration.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from weathervane.contracts.calibration import (
    CalibrationRun,
    Coverage,
    ForecastCells,
    Held,
    Metrics,
    Miss,
    Record,
    Restatement,
    Rules,
    Score,
    Source,
    WeatherValue,
)
from weathervane.contracts.errors import NotEnoughData
from weathervane.contracts.figures import precise_share, share
from weathervane.contracts.forecast import LEVELS, DemandForecast
from weathervane.contracts.grain import NATIONAL, TOTAL
from weathervane.contracts.tenant import Tenant

_MIDDLE = LEVELS.index(0.5)


@dataclass(frozen=True)
class Evidence:
    """What a calibration run is made of beside its records."""

    restatement: Restatement | None
    misses: tuple[Miss, ...]
    misses_of: Source | None
    weather_value: WeatherValue | None


def calibration_run(
    tenant: Tenant,
    forecast: DemandForecast,
    records: tuple[Record | None, Record | None],
    evidence: Evidence,
    *,
    run_id: str,
    generated_at: str,
    data_hashes: Mapping[str, str],
) -> CalibrationRun:
    """The run of a backtest's record and the ledger's; NotEnoughData where there is neither.

    The ledger is the headline once its 80 % interval has a verdict (or there is no backtest); before, the backtest is.
    """
    backtest, ledger = records
    rules = Rules()
    record = ledger if ledger is not None and (backtest is None or _settled(ledger)) else backtest
    if record is None:
        raise NotEnoughData(
            "No day that was forecast has come yet, and there is no backtest.",
            "run `weathervane forecast`, and again when new sales are in.",
        )
    score, coverage = record.overall, record.overall.of(rules.interval)
    return CalibrationRun(
        schema_version=1,
        run_id=run_id,
        tenant=tenant.tenant_id,
        tenant_name=tenant.name,
        demo=tenant.demo,
        currency=tenant.currency,
        outcome=tenant.outcome,
        outcome_is_money=tenant.outcome_is_money,
        generated_at=generated_at,
        forecast_id=forecast.forecast_id,
        model=forecast.model,
        model_version=forecast.inputs.model_version if forecast.inputs else "unknown",
        grain=_grain(forecast),
        source=record.source,
        window=record.window,
        n=score.n,
        coverage_p10_p90=coverage.share,
        coverage_low=coverage.low,
        coverage_high=coverage.high,
        rmse=score.rmse,
        mae=score.mae,
        wape=score.wape,
        pinball=float(np.mean(score.pinball)),
        bias=score.bias,
        status=coverage.verdict,
        sentence=headline(coverage, record.source),
        notes=tuple(_notes(record, ledger, rules, evidence)),
        backtest=backtest,
        ledger=ledger,
        restatement=evidence.restatement,
        misses=evidence.misses,
        misses_of=evidence.misses_of,
        weather_value=evidence.weather_value,
        data_hashes=dict(data_hashes),
        rules=rules,
        metrics=_metrics(record, rules),
    )


def restatement_of(first: ForecastCells, latest: ForecastCells) -> Restatement:
    """How the same cells did against the values first known and the latest."""
    known = np.isfinite(first.actual) & np.isfinite(latest.actual)
    before, after, middle = first.actual[known], latest.actual[known], latest.quantiles[known, _MIDDLE]
    return Restatement(
        n=int(known.sum()),
        restated=int((before != after).sum()),
        wape_first=_wape(before, middle),
        wape_latest=_wape(after, middle),
    )


def _wape(actual: np.ndarray, middle: np.ndarray) -> float | None:
    size = float(np.abs(actual).sum())
    return float(np.abs(actual - middle).sum()) / size if size > 0 else None


def _settled(record: Record) -> bool:
    return record.overall.of(Rules().interval).verdict != "not enough data"


def _grain(forecast: DemandForecast) -> str:
    geos, categories = {point.geo for point in forecast.points}, {point.category for point in forecast.points}
    return " × ".join(
        (
            "national" if geos == {NATIONAL} else "geo",
            "total" if categories == {TOTAL} else "category",
            "week" if forecast.step_days == 7 else "day",
        )
    )


def headline(coverage: Coverage, source: Source) -> str:
    """The one sentence on whether a range holds what it promises; every page, command and file shows this one."""
    if coverage.verdict == "not enough data":
        return f"It is too early to say whether the range holds: {coverage.more_days} more days of record are needed."
    held = (
        f"The range meant to hold {_in_ten(coverage.nominal)} held {precise_share(coverage.share)} "
        f"({precise_share(coverage.low)} to {precise_share(coverage.high)}) of {coverage.n:,} "
        f"outcomes of {'issued forecasts' if source == 'ledger' else 'the backtest'}"
    )
    return {
        "calibrated": f"{held}, as it should.",
        "too narrow": f"{held}: it is too narrow, read it as less sure.",
        "too wide": f"{held}: it is wider than it need be.",
    }[coverage.verdict]


def _notes(record: Record, ledger: Record | None, rules: Rules, evidence: Evidence) -> Iterator[str]:
    """What a reader of the headline should also know, the gravest first."""
    score, coverage = record.overall, record.overall.of(rules.interval)
    settled = coverage.verdict != "not enough data"
    if settled and not rules.act_below <= coverage.share <= rules.act_above:
        yield f"Coverage is outside {share(rules.act_below)} to {share(rules.act_above)}: look for what has changed."
    if score.bias_rel is not None and abs(score.bias_rel) > rules.act_bias:
        more = "more" if score.bias_rel > 0 else "less"
        yield f"{precise_share(abs(score.bias_rel))} {more} was sold than forecast: the level is off."
    for other in score.coverage:
        if other.nominal != rules.interval and other.verdict in {"too narrow", "too wide"}:
            held = precise_share(other.share)
            yield f"The range meant to hold {_in_ten(other.nominal)} is {other.verdict}: it held {held}."
    off = [each for each in _groups(record) if each.of(rules.interval).verdict in {"too narrow", "too wide"}]
    for each in off:
        found = each.of(rules.interval)
        yield f"{each.group[:1].upper()}{each.group[1:]}: {found.verdict}, it held {precise_share(found.share)}."
    if record.source == "backtest" and ledger is not None:
        missing = ledger.overall.of(rules.interval).more_days
        yield f"The ledger of issued forecasts needs {missing} more days for a verdict; this is the backtest."
    elif record.source == "backtest":
        yield "No day that an issued forecast is about has come yet; this is the backtest."
    if evidence.weather_value is not None:
        yield evidence.weather_value.sentence


def _groups(record: Record) -> tuple[Score, ...]:
    return (*record.by_lead_group, *record.by_geo_tier, *record.by_category, *record.by_tier[1:])


def _metrics(record: Record, rules: Rules) -> Metrics:
    score = record.overall
    # A lead's group opens with its number.
    by_lead = {int(each.group.split()[0]): each for each in record.by_lead}
    return Metrics(
        nominal_coverage=rules.interval,
        overall_coverage=_held(score.of(rules.interval)),
        coverage_by_horizon={lead: _held(each.of(rules.interval)) for lead, each in by_lead.items()},
        interval_widths={lead: each.width for lead, each in by_lead.items()},
        sharpness_score=score.sharpness,
        prediction_bias=score.bias,
        mae=score.mae,
    )


def _held(coverage: Coverage) -> Held:
    return Held(coverage.share, coverage.inside, coverage.n - coverage.inside, coverage.n)


def _in_ten(nominal: float) -> str:
    return f"{10 * nominal:.0f} in 10"
