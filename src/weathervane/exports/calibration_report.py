"""Calibration report: a calibration run as a page of Markdown; every number on it is one of the run's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from weathervane.contracts.calibration import ENDS, CalibrationRun, Coverage, Miss, Record, Score, WeatherValue
from weathervane.contracts.figures import amount, precise_share, ratio, share, short_day, step_of, whole_money

_CHARTS = {
    "reliability": "Promised share below each quantile against the share found",
    "coverage": "Coverage of the 50, 80 and 90 % range by lead",
    "pit": "Outcomes between the quantiles, over what was expected there",
    "width": "Mean width of the 80 % range by lead",
    "skill": "Error of the forecast beside the best simple method",
    "misses": "Each week's miss by cause",
}


def calibration_report(run: CalibrationRun, sha256: str, source: str, pictures: Mapping[str, str]) -> str:
    """The page of the run whose file `source` has that hash; `pictures` gives each chart's path."""
    parts = [
        _opening(run, sha256, source),
        _method(run),
        _section("Coverage and accuracy", [_coverage(run.record), _picture("reliability", pictures), _accuracy(run)]),
        _section("Coverage by lead", [_picture("coverage", pictures), _by("lead", run.record.by_lead)]),
        _section("Width and sharpness", [_sharpness(run), _picture("width", pictures)]),
        _section("Before and after recalibration", [_before(run)]),
        _section("By group", [_by("leads", run.record.by_lead_group), _groups(run.record)]),
        _section("Diagnostics", [_pit(run), _picture("pit", pictures), _skill(run), _picture("skill", pictures)]),
        _section("Value of weather", [_weather(run.weather_value)]),
        _section("The ledger", [_ledger(run)]),
        _section("Why weeks missed", [_misses(run), _picture("misses", pictures)]),
        _section("When to act", [_triggers(run)]),
        _section("Technical notes", [_notes(run)]),
        _section("Conclusion", [f"**{_capital(run.status)}.** {run.sentence}"]),
    ]
    return "\n\n".join(parts) + "\n"


def _opening(run: CalibrationRun, sha256: str, source: str) -> str:
    demo = "> **DEMO: every number here is generated, none comes from a business**\n\n" if run.demo else ""
    notes = "\n".join(f"- {note}" for note in run.notes)
    return (
        f"# Forecast calibration: {run.tenant_name}\n\n{demo}Generated from [{source}]({source}), sha256 `{sha256}`. "
        f"Numbers are changed there, by `weathervane calibration report`, never here.\n\n"
        f"**{_capital(run.status)}.** {run.sentence}\n\n{notes}"
    ).rstrip()


def _method(run: CalibrationRun) -> str:
    record = run.record
    told = {
        "backtest": "forecast again at past origins, each from what was known then, beside what happened",
        "ledger": "forecasts as they were issued and frozen, beside what happened",
    }[run.source]
    return _section(
        "Method",
        [
            f"{_capital(told)}: {record.n_origins:,} origins, days from {run.window.start} to {run.window.end}, "
            f"{run.n:,} outcomes of single series. Grain: {run.grain}. Forecasts by: {run.model}. Intervals of every "
            f"share are {share(run.rules.confidence)} intervals by resampling {record.overall.n_blocks:,} stretches of "
            "days, because series of one day and days of one forecast err together. Formulas and rules: "
            "[calibration](calibration.md).",
        ],
    )


def _coverage(record: Record) -> str:
    header = ("range", "held", "interval", "if cells were independent", "worth so many independent", "verdict")
    rows = [
        (
            share(each.nominal),
            precise_share(each.share),
            _interval(each),
            f"{precise_share(each.wilson_low)} to {precise_share(each.wilson_high)}",
            f"{each.n_effective:,.0f}",
            _verdict(each),
        )
        for each in record.overall.coverage
    ]
    return _table(header, rows)


def _accuracy(run: CalibrationRun) -> str:
    score = run.record.overall
    rows = [
        ("WAPE, absolute error over what was sold", _share(score.wape)),
        ("MAE", _amount(score.mae, run)),
        ("RMSE", _amount(score.rmse, run)),
        ("MASE, against the usual change over a season", _ratio(score.mase)),
        ("Bias, actual less forecast", f"{_amount(score.bias, run)} ({_share(score.bias_rel, signed=True)})"),
        ("Mean pinball loss", _amount(run.pinball, run)),
        ("Weighted interval score", _amount(score.wis, run)),
    ]
    return _table(("error of a series and period", ""), rows)


def _sharpness(run: CalibrationRun) -> str:
    score = run.record.overall
    return (
        f"The 80 % range of a series is {_amount(score.width, run)} wide on average, {_share(score.sharpness)} of the "
        "middle forecast. Of two ranges that hold equally often the narrower one is better."
    )


def _before(run: CalibrationRun) -> str:
    record = run.record
    if record.before is None:
        return "Quantiles before recalibration were not kept in this record."
    pairs = [("all", record.before, record.overall)]
    pairs += [
        (after.group, before, after)
        for before, after in zip(record.before_by_lead_group, record.by_lead_group, strict=True)
    ]
    header = ("leads", "range", "held before", "held after", "pinball at its ends, before", "after")
    rows = [
        (
            name,
            share(old.nominal),
            precise_share(old.share),
            precise_share(new.share),
            *(" and ".join(_amount(each.pinball[at], run) for at in ENDS[old.nominal]) for each in (before, after)),
        )
        for name, before, after in pairs
        for old, new in zip(before.coverage, after.coverage, strict=True)
    ]
    return _table(header, rows)


def _by(name: str, scores: Sequence[Score]) -> str:
    header = (name, "n", "50 % held", "80 % held", "interval", "90 % held", "WAPE", "skill", "verdict")
    rows: list[Sequence[str]] = []
    for each in scores:
        half, main, most = each.coverage
        held = (precise_share(half.share), precise_share(main.share), _interval(main), precise_share(most.share))
        skill = _share(each.skill, signed=True)
        rows.append((each.group, f"{each.n:,}", *held, _share(each.wape), skill, _verdict(main)))
    return _table(header, rows)


def _groups(record: Record) -> str:
    tables = [("places", record.by_geo_tier), ("category", record.by_category), ("tier", record.by_tier)]
    found = [_by(name, scores) for name, scores in tables if scores]
    off = [each for each in record.crossed if each.coverage[0].verdict in {"too narrow", "too wide"}]
    if record.crossed:
        told = "these are off; about one in twenty is by chance." if off else "none with a verdict is off."
        found.append(f"Leads × places × categories: {told}")
    found += ["\n".join(f"- {each.group}: {_held(each.coverage[0])}" for each in off)] if off else []
    return "\n\n".join(found)


def _pit(run: CalibrationRun) -> str:
    rows = [
        (f"{share(each.start)} to {share(each.end)}", precise_share(each.share), share(each.expected))
        for each in run.record.pit
    ]
    return _table(("between the quantiles", "outcomes", "expected"), rows)


def _skill(run: CalibrationRun) -> str:
    score = run.record.overall
    if score.skill is None:
        return "No simple method is known to compare with."
    interval = "" if score.skill_low is None or score.skill_high is None else (
        f" ({share(run.rules.confidence)} interval {precise_share(score.skill_low, signed=True)} to "
        f"{precise_share(score.skill_high, signed=True)})"
    )  # fmt: skip
    word = "better" if score.skill > 0 else "**not better**"
    return (
        f"The best simple method errs by {_share(score.wape_floor)}, the forecast by {_share(score.wape)}: it is "
        f"{word}, skill {precise_share(score.skill, signed=True)}{interval}."
    )


def _weather(value: WeatherValue | None) -> str:
    if value is None:
        return "Not measured in this run."
    money = ""
    if value.used and value.money and value.money_low and value.money_high:
        middle, low, high = (whole_money(each) for each in (value.money, value.money_low, value.money_high))
        money = f" One forecast, all series together, is off by {middle} less with it (from {low} to {high})."
    facts = (
        f"Error with weather {precise_share(value.wape_with)}, without {precise_share(value.wape_without)}: weather "
        f"takes {_points(value.difference)} points off it (from {_points(value.low)} to {_points(value.high)})."
    )
    if value.as_if:
        return f"**Not tested on real forecasts.** {value.sentence} As if they had been stored: {facts}"
    verdict = value.sentence if value.used else f"**Weather was tested and does not help.** {value.sentence}"
    return f"{verdict} {facts}{money}"


def _ledger(run: CalibrationRun) -> str:
    if run.ledger is None:
        return "No day that an issued forecast is about has come yet. What was issued is frozen and will be scored."
    coverage = run.ledger.overall.of(run.rules.interval)
    text = (
        f"{run.ledger.overall.n:,} outcomes of {run.ledger.n_origins:,} issued forecasts: the 80 % range held "
        f"{precise_share(coverage.share)} ({_interval(coverage)}), {_verdict(coverage)}."
    )
    known = run.restatement
    if known is not None and known.n:
        text += (
            f" {known.restated:,} of {known.n:,} actuals were restated after they were first known; the error is "
            f"{_share(known.wape_first)} against the first values and {_share(known.wape_latest)} against the latest."
        )
    return text


def _misses(run: CalibrationRun) -> str:
    if not run.misses:
        return "No whole week has been forecast and come yet."
    told = {"ledger": "issued forecasts", "backtest": "the backtest's forecasts", None: ""}[run.misses_of]
    header = ("week from", "forecast", "actual", "missed by", "weather", "plan", "promotion", "model")
    rows = [_miss(miss, run) for miss in run.misses]
    unknown = sorted({name for miss in run.misses for name in miss.not_known})
    note = f" Not known, and so within the model's part: {', '.join(unknown)}." if unknown else ""
    return f"Of {told}, sums of all series. The four parts add up to the miss.{note}\n\n{_table(header, rows)}"


def _miss(miss: Miss, run: CalibrationRun) -> tuple[str, ...]:
    values = (miss.error, miss.weather, miss.plan, miss.promotion, miss.model)
    # Fine enough that the parts add up to the eye.
    step = step_of(max(abs(value) for value in (*values, miss.expected / 10))) / 10
    unit = run.currency if run.outcome_is_money else ""
    whole = (amount(value, unit, step) for value in (miss.expected, miss.actual))
    return (short_day(miss.week.start), *whole, *(amount(value, unit, step, signed=True) for value in values))


def _triggers(run: CalibrationRun) -> str:
    rules, score = run.rules, run.record.overall
    coverage = score.of(rules.interval)
    bias = score.bias_rel
    held, beaten = precise_share(coverage.share), score.skill is not None and score.skill <= 0
    off = bias is not None and abs(bias) > rules.act_bias
    rows = [
        (f"the 80 % range holds less than {share(rules.act_below)}", held, _yes(coverage.share < rules.act_below)),
        (f"it holds more than {share(rules.act_above)}", held, _yes(coverage.share > rules.act_above)),
        (f"bias beyond {share(rules.act_bias)} of what was sold", _share(bias, signed=True), _yes(off)),
        ("the forecast is no better than the simple method", _share(score.skill, signed=True), _yes(beaten)),
    ]
    ready = "It may be relied on as it says." if run.status == "calibrated" else {
        "too narrow": "Read its ranges as too sure.",
        "too wide": "Its ranges are safe, and wider than need be.",
        "not enough data": "Do not rely on its ranges yet.",
    }[run.status]  # fmt: skip
    return f"{_table(('look into it when', 'now', 'so now'), rows)}\n\n{ready}"


def _notes(run: CalibrationRun) -> str:
    rules = run.rules
    facts = [
        f"Run `{run.run_id}`, made {run.generated_at}, WeatherVane {run.model_version}.",
        f"Forecast `{run.forecast_id}`.",
        f"A verdict needs {rules.min_blocks} stretches of days and a share held that is known to within "
        f"{share(rules.margin)} either way; a share within "
        f"{share(rules.tolerance)} of what was promised is near enough.",
        *(f"{_capital(name)}: sha256 `{digest}`." for name, digest in sorted(run.data_hashes.items())),
    ]
    return "\n".join(f"- {fact}" for fact in facts)


def _picture(name: str, pictures: Mapping[str, str]) -> str:
    return f"![{_CHARTS[name]}]({pictures[name]})" if name in pictures else ""


def _verdict(coverage: Coverage) -> str:
    if coverage.verdict == "not enough data":
        return f"not enough data ({coverage.more_days:,} more days)"
    return coverage.verdict if coverage.verdict == "calibrated" else f"**{coverage.verdict}**"


def _held(coverage: Coverage) -> str:
    return f"{_verdict(coverage)}, held {precise_share(coverage.share)}"


def _interval(coverage: Coverage) -> str:
    return f"{precise_share(coverage.low)} to {precise_share(coverage.high)}"


def _yes(fires: bool) -> str:
    return "**yes**" if fires else "no"


def _share(value: float | None, *, signed: bool = False) -> str:
    return "–" if value is None else precise_share(value, signed=signed)


def _points(value: float) -> str:
    return precise_share(value).removesuffix(" %")


def _ratio(value: float | None) -> str:
    return "–" if value is None else ratio(value)


def _amount(value: float, run: CalibrationRun) -> str:
    unit = run.currency if run.outcome_is_money else run.outcome.replace("_", " ")
    return amount(value, unit, step_of(20 * abs(value)) / 100 if value else 1.0)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _section(title: str, body: Sequence[str]) -> str:
    return f"## {title}\n\n" + "\n\n".join(part for part in body if part)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *("---:" for _ in header[1:])]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in (header, rule, *rows)
    )
