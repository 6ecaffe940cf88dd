"""Report: a plan as two pages of Markdown, one to decide by, one to check. Every number is the plan's, formatted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from weathervane.contracts.figures import (
    amount,
    chance,
    channel_name,
    ratio,
    ratios,
    returned,
    share,
    short_day,
    spread,
    whole_money,
)
from weathervane.contracts.forecast import Quantiles
from weathervane.contracts.plan import BudgetPlan, ChannelEvidence, PlanLine, Ribbon

_RIBBONS: dict[Ribbon, str] = {
    "demo": "DEMO: every number here is generated, none comes from a business",
    "no_media_signal": "ADS NOT TOLD FROM CHANCE: the data do not show that spend moves sales",
    "not_calibrated": "FORECAST RANGES NOT SHOWN TO BE RIGHT",
    "no_weather_forecast": "NO WEATHER FORECAST: planned at normal weather",
    "extrapolates": "ABOVE ANY SPEND SEEN: some lines go beyond what was measured",
}
_SHOWN = 10
_DIRECTIONS = {"clearly_up": "▲ clearly up", "clearly_down": "▼ clearly down", "unclear": "unclear", "keep": "keep"}


@dataclass(frozen=True)
class RecoveryRow:
    """One estimate beside the true effect of a generated world; `group` heads its table, `unit` says what it counts."""

    group: str
    name: str
    unit: str
    truth: float
    p05: float
    p50: float
    p95: float

    @property
    def inside(self) -> bool:
        """Whether the 90 % interval holds the truth."""
        return self.p05 <= self.truth <= self.p95


def plan_summary(plan: BudgetPlan) -> str:
    """One screen for whoever approves the plan: the decision, its lines ranked, why, how sure, and what speaks against.

    Everything else is in `plan_evidence`.
    """
    parts = [_heading(plan), _ranked(plan), _against(plan)]
    return "\n\n".join(part for part in parts if part) + "\n"


def plan_evidence(plan: BudgetPlan, *, command: str, files: Mapping[str, str]) -> str:
    """What the plan rests on: every line, evidence, forecast, grain, model, caveats, data, and how to make it again.

    `command` is what reproduces it, `files` the sha256 of each file beside it, by name.
    """
    parts = [
        _opening(plan),
        _section("What to keep in mind", [f"- {caveat}" for caveat in plan.caveats] or ["Nothing that is known."]),
        _section("What could change this", [f"- {each}" for each in plan.would_change_our_mind]),
        _evidence(plan),
        _experiments(plan),
        _forecast(plan),
        _lines(plan),
        _weather(plan),
        _model(plan),
        _grain(plan),
        _data(plan),
        _again(command, files),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def recovery_table(rows: Sequence[RecoveryRow]) -> str:
    """Estimates beside the true effects of a generated world, one Markdown table a group, with how many are held."""
    groups: dict[str, list[RecoveryRow]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    return "\n\n".join(_recovery(group, members) for group, members in groups.items())


def _recovery(group: str, rows: Sequence[RecoveryRow]) -> str:
    held = sum(row.inside for row in rows)
    table = _table(
        ("", "unit", "truth", "from (p05)", "estimate (p50)", "to (p95)", "inside?"),
        [
            (r.name, r.unit, *(f"{x:.3f}" for x in (r.truth, r.p05, r.p50, r.p95)), "yes" if r.inside else "no")
            for r in rows
        ],
    )
    return f"### {group}\n\n{table}\n\nThe 90 % interval holds the truth in {held} of {len(rows)}."


def _heading(plan: BudgetPlan) -> str:
    ribbons = "".join(f"> **{_RIBBONS[ribbon]}**\n>\n" for ribbon in plan.ribbons).removesuffix(">\n")
    days = f"{short_day(plan.period.start)} to {short_day(plan.period.end)}"
    budget = f"{whole_money(plan.total_recommended)} planned, {whole_money(plan.total_current)} now"
    facts = f"{days} · {budget} · valid until {plan.valid_until}"
    return f"# {plan.tenant_name}: plan\n\n{ribbons}\n**{plan.sentence}**\n\n{facts}".replace("\n\n\n", "\n\n")


def _ranked(plan: BudgetPlan) -> str:
    """The moves that gain most, one row each; a plan that keeps has none."""
    moved = [line for line in plan.lines if line.change.minor]
    if not moved:
        return plan.reason
    moved.sort(key=lambda line: (-line.gain.p50, line.geo, line.channel))
    places = {geo.geo: geo.name for geo in plan.geos}
    rows = [
        (
            f"{channel_name(line.channel)}, {places.get(line.geo, line.geo)}",
            f"{whole_money(line.change, signed=True)} to {whole_money(line.recommended)}",
            _why(line, plan),
            _gain(line, plan),
            line.confidence,
        )
        for line in moved[:_SHOWN]
    ]
    table = _table(("line", "change", "why", "gain (8 in 10)", "confidence"), rows, right=(1,))
    rest = "\n\nSmaller moves are in recommendations.csv." if len(moved) > _SHOWN else ""
    return table + rest


def _why(line: PlanLine, plan: BudgetPlan) -> str:
    brings = f"next {_one(plan)} brings {returned(line.marginal_return.p50, _unit(plan))}"
    told = {"clearly_up": "over", "clearly_down": "under"}.get(line.direction)
    return brings if told is None else f"{brings}, clearly {told} the average"


def _against(plan: BudgetPlan) -> str:
    """What a careful reader asks before saying yes."""
    worth = plan.weather_worth
    said = [
        *([plan.model.unseen_sentence] if plan.model.unseen_sentence else []),
        plan.total_sentence,
        plan.now_sentence,
        *([f"Weather: {worth.sentence}"] if worth is not None else []),
        *[f"Please note: {caveat}" for caveat in plan.caveats[:3]],
        *[f"What could change this: {each}" for each in plan.would_change_our_mind[:1]],
        _proof(plan) if plan.verdict == "change" else "",
        "EVIDENCE.md has every line, the model, the data and how to make this again.",
    ]
    return "\n".join(f"- {each}" for each in said if each)


def _proof(plan: BudgetPlan) -> str:
    """That nothing better was missed, as far as it is proven."""
    left = share(plan.certificate.gap_rel)
    if left == share(0.0):
        return "Within the limits no other split of these lines is expected to bring more (proven)."
    return f"Within the limits no other split of these lines is expected to bring over {left} more (proven)."


def _opening(plan: BudgetPlan) -> str:
    ribbons = "".join(f"> **{_RIBBONS[ribbon]}**\n>\n" for ribbon in plan.ribbons).removesuffix(">\n")
    facts = [
        f"- Period: {short_day(plan.period.start)} to {short_day(plan.period.end)} ({plan.period.start} to "
        f"{plan.period.end}); valid until {plan.valid_until}",
        f"- As of {plan.as_of}, made {plan.generated_at}, plan `{plan.plan_id}`",
        f"- Budget: {whole_money(plan.total_recommended)} recommended, {whole_money(plan.total_current)} now",
    ]
    if plan.verdict == "change":
        gain = spread(plan.gain, _unit(plan))
        sure = "" if plan.chance_gain is None else f"; {chance(plan.chance_gain)} that there is one"
        facts.append(f"- Gain over the current split of that total: {gain}{sure}")
    facts += [f"- {each}" for each in (plan.now_sentence, plan.total_sentence) if each]
    body = f"# {plan.tenant_name}: what the plan rests on\n\n{ribbons}\n**{plan.sentence}**\n\n{plan.reason}\n\n"
    return body.replace("\n\n\n", "\n\n") + "\n".join(facts)


def _lines(plan: BudgetPlan) -> str:
    rows = [
        (
            line.geo,
            line.channel,
            whole_money(line.current),
            whole_money(line.recommended),
            whole_money(line.change, signed=True),
            _direction(line),
            _gain(line, plan),
            _range(line.marginal_return),
        )
        for line in sorted(plan.lines, key=lambda line: (-abs(line.change.minor), line.geo, line.channel))
    ]
    header = ("geo", "channel", "now", "plan", "change", "direction", "gain", f"next {_one(plan)} brings")
    note = (
        "Amounts are for the whole period. A line's gain is compared with spending the same money on an average line, "
        "so a cut can gain; the gains of all lines add up to the plan's. Ranges hold 8 in 10."
    )
    reasons = _reasons(plan)
    return _section(
        "Lines", [_table(header, rows, right=(2, 3, 4, 6, 7)), "", note, *([""] if reasons else []), *reasons]
    )


def _reasons(plan: BudgetPlan) -> list[str]:
    """Why lines are as they are: lines of one reason together, then what is said of a channel, once each."""
    groups: dict[str, list[PlanLine]] = {}
    for line in plan.lines:
        groups.setdefault(line.primary_driver, []).append(line)
    said = [
        f"- {driver}: {_named(lines)}."
        for driver, lines in sorted(groups.items(), key=lambda group: -len(group[1]))
        if driver
    ]
    # A place's weather has a table of its own below.
    of_channel: dict[str, set[str]] = {}
    for line in plan.lines:
        factors = set(line.supporting_factors)
        of_channel[line.channel] = of_channel.get(line.channel, factors) & factors
    return said + [f"- {factor}." for _, factors in sorted(of_channel.items()) for factor in sorted(factors)]


def _named(lines: Sequence[PlanLine]) -> str:
    """`12 lines (search in Austin, Boston; tv in Boston)`."""
    by_channel: dict[str, list[str]] = {}
    for line in lines:
        by_channel.setdefault(line.channel, []).append(line.geo)
    told = "; ".join(f"{channel_name(channel)} in {', '.join(geos)}" for channel, geos in sorted(by_channel.items()))
    return f"{len(lines)} {'lines' if len(lines) > 1 else 'line'} ({told})"


def _direction(line: PlanLine) -> str:
    if line.under_test_until is not None:
        return f"under test until {short_day(line.under_test_until)}"
    return _DIRECTIONS[line.direction]


def _gain(line: PlanLine, plan: BudgetPlan) -> str:
    return spread(line.gain, _unit(plan)) if line.change.minor else "–"


def _evidence(plan: BudgetPlan) -> str:
    rows = [
        (
            each.channel,
            whole_money(each.weekly_spend),
            *_known(each),
        )
        for each in plan.channels
    ]
    header = (
        "channel",
        "weekly spend",
        "average return so far (9 in 10)",
        "share of outcome (8 in 10)",
        "told from zero?",
    )
    signal = (
        f"Placebo test: {plan.media_signal.sentence} (p {ratio(plan.media_signal.p_value)}, "
        f"{plan.media_signal.n_placebos:,} placebos)"
    )
    return _section("Evidence by channel", [_table(header, rows, right=(1, 2, 3)), "", signal])


def _known(each: ChannelEvidence) -> tuple[str, str, str]:
    """Return, share and whether it is told from zero; of a channel that the data do not measure, that alone."""
    if each.standing == "not_measured":
        return "not measured", "not measured", "not measured"
    middle, low, high = ratios(each.roi.p50, each.roi_p05, each.roi_p95)
    with_others = ", with others" if each.standing == "only_together" else ""
    part = each.contribution_share
    return (
        f"{middle} ({low} to {high}){with_others}",
        f"{share(part.p50)} ({share(part.p10)} to {share(part.p90)})",
        "yes" if each.told_from_zero else "no",
    )


def _experiments(plan: BudgetPlan) -> str:
    """Geo tests that run or have been read, and what they showed."""
    if not plan.experiments:
        return ""
    rows = [
        (
            each.experiment_id,
            each.channel,
            each.status,
            f"{each.start_date} to {each.end_date}",
            "–" if each.lift is None else f"{share(each.lift.lift_rel, signed=True)} (p {each.lift.p_value:.3f})",
        )
        for each in plan.experiments
    ]
    return _section("Geo tests behind it", [_table(("test", "channel", "status", "window", "lift"), rows)])


def _forecast(plan: BudgetPlan) -> str:
    quality = plan.forecast_quality
    scores = [(score.method, share(score.wape), f"{score.n:,}") for score in quality.scores]
    coverage = f"**{quality.verdict.capitalize()}.** {quality.sentence}"
    table = _table(("method", "error (WAPE)", "n"), scores, right=(1, 2))
    by_lead = [
        (str(each.first_lead), share(each.coverage), f"{share(each.low)} to {share(each.high)}", f"{each.n:,}")
        for each in plan.coverage_by_lead
    ]
    header = ("periods ahead", "held by the 80 % interval", "95 % range of that", "n")
    leads = [_table(header, by_lead, right=(0, 1, 2, 3))] if by_lead else ["Coverage by lead is not measured yet."]
    chosen = f"Chosen: {quality.chosen}."
    if quality.issued_wape is not None:
        chosen += f" As issued, at each time by the method chosen then: off by {share(quality.issued_wape)}."
    return _section("Forecast beside simple methods", [table, "", chosen, "", coverage, "", *leads])


def _weather(plan: BudgetPlan) -> str:
    rows = [
        (
            geo.name,
            "–" if geo.temp_anomaly_c is None else f"{_signed(geo.temp_anomaly_c)} °C",
            "–" if geo.wet_days is None else f"{geo.wet_days:.1f}",
            "–" if geo.demand_weather_rel is None else share(geo.demand_weather_rel, signed=True),
            whole_money(geo.current),
            whole_money(geo.recommended),
        )
        for geo in plan.geos
    ]
    header = ("place", "against normal", "wet days", "demand by weather", "now", "plan")
    over = [plan.weather_sentence, ""] if plan.weather_sentence else []
    effects = [
        f"- {each.category}, {each.index} ({each.unit}): demand {share(each.rel_p50, signed=True)} (from "
        f"{share(each.rel_p05, signed=True)} to {share(each.rel_p95, signed=True)})"
        for each in plan.weather_effects
    ]
    return _section(
        "Weather", [*over, _table(header, rows, right=(1, 2, 3, 4, 5)), *([""] if effects else []), *effects]
    )


def _grain(plan: BudgetPlan) -> str:
    grain = plan.grain
    rejected = [f"- Not {each.grain}: {each.because}" for each in grain.rejected]
    fact = (
        f"By {grain.time}, {grain.geo_level} and {grain.category_level}, over {grain.n_days:,} days; weather complete "
        f"on {share(grain.weather_complete_share)} of them. {grain.reason}"
    )
    return _section("Grain", [fact, *([""] if rejected else []), *rejected])


def _model(plan: BudgetPlan) -> str:
    model, proof = plan.model, plan.certificate
    step = 10.0 ** max(0, len(str(int(abs(proof.objective)))) - 4)
    bound = (
        "no other split of the lines that may move can"
        if plan.verdict == "change"
        else "no split within the limits can"
    )
    unseen = [f"- {model.unseen_sentence}"] if model.unseen_sentence else []
    return _section(
        "Model",
        [
            *unseen,
            f"- {model.engine}, `{model.model_id}`, fitted through {model.fitted_through}",
            f"- Convergence: R-hat at most {model.rhat_max:.3f}, effective draws at least {model.ess_min:,.0f}, "
            f"divergences {model.divergences:,}",
            f"- This split is expected to bring {amount(proof.objective, _unit(plan), step)}; {bound} be expected to "
            f"bring more than {amount(proof.upper_bound, _unit(plan), step)} ({share(proof.gap_rel)} more)",
            f"- Limits: change of a line at most {share(plan.limits.max_change_rel)}",
            *(
                f"- A limit that holds the best split back: {each.limit}"
                + (f"; {_one(plan)} more of room would bring {ratio(each.worth)} at most" if each.worth else "")
                for each in proof.binding
            ),
            *_carried(plan),
        ],
    )


def _carried(plan: BudgetPlan) -> list[str]:
    if plan.carry_in is None or plan.carry_out is None:
        return []
    return [
        f"- In the period earlier spend still brings {spread(plan.carry_in, _unit(plan))}, which no budget changes",
        f"- Of what this split is expected to bring, {spread(plan.carry_out, _unit(plan))} comes after the period",
    ]


def _data(plan: BudgetPlan) -> str:
    rows = [(name, f"`{digest}`") for name, digest in sorted(plan.data_hashes.items())]
    return _section("Data", [_table(("table", "sha256 of its content"), rows)])


def _again(command: str, files: Mapping[str, str]) -> str:
    rows = [(name, f"`{digest}`") for name, digest in sorted(files.items())]
    body = ["```sh", command, "```"]
    return _section("How to make this again", body + (["", _table(("file", "sha256"), rows)] if rows else []))


def _unit(plan: BudgetPlan) -> str:
    return plan.currency if plan.outcome_is_money else plan.outcome.replace("_", " ")


def _one(plan: BudgetPlan) -> str:
    return amount(1, plan.currency, 1)


def _range(quantiles: Quantiles) -> str:
    middle, low, high = ratios(quantiles.p50, quantiles.p10, quantiles.p90)
    return f"{middle} ({low} to {high})"


def _signed(value: float) -> str:
    text = f"{abs(value):.1f}"
    return text if text == "0.0" else f"{'−' if value < 0 else '+'}{text}"


def _section(title: str, body: Sequence[str]) -> str:
    return f"## {title}\n\n" + "\n".join(body)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    rule = ["---:" if column in right else "---" for column in range(len(header))]
    return "\n".join("| " + " | ".join(_cell(each) for each in row) + " |" for row in (header, rule, *rows))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
