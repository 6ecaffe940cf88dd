"""Examination report: a page of Markdown for the sceptical analyst; every number on it is one of the examination."""

from __future__ import annotations

from collections.abc import Sequence

from weathervane.contracts.examination import Contributions, Examination, Part, Range, Recovery, Stability
from weathervane.contracts.figures import amount, channel_name, ratio, ratios, share, step_of

_CHARTS = {
    "fit": "Fit and residuals",
    "contributions": "What sales are made of",
    "curves": "Response curves; shaded is beyond the most ever spent",
    "prior_posterior": "Return before and after the data",
    "correlations": "What cannot be told apart",
}


def examination_report(made: Examination, pictures: Sequence[str] = ()) -> str:
    """The page: verdicts first, then each question with its table; `pictures` are the file names of the charts."""
    parts = [
        _opening(made),
        *([] if made.contributions is None else [_contributions(made, made.contributions)]),
        _pairs(made),
        _priors(made),
        _next_tests(made),
        *([] if made.recovery is None else [_recovery(made.recovery)]),
        *([] if made.stability is None else [_stability(made.stability)]),
        _charts(pictures),
        _section("Caveats", [f"- {caveat}" for caveat in made.caveats] or ["None known."]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def verdicts(made: Examination) -> tuple[str, ...]:
    """The sentences that matter, one a question."""
    close = [pair.sentence for pair in made.pairs if not pair.told_apart]
    test = made.next_tests[0].sentence if made.next_tests else "No channel costs money, so there is none to test."
    found = [
        *([] if made.contributions is None else [made.contributions.sentence]),
        *(close or ["Every pair of channels can be told apart."]),
        made.priors.sentence,
        test,
    ]
    found += [] if made.recovery is None else [made.recovery.sentence]
    found += [] if made.stability is None else [made.stability.sentence]
    return tuple(found)


def _opening(made: Examination) -> str:
    demo = "> **DEMO: every number here is generated, none comes from a business**\n\n" if made.demo else ""
    same = (
        "The refit gives the champion's own numbers." if made.same_as_champion else "The refit is NOT the champion's."
    )
    lines = "\n".join(f"- {sentence}" for sentence in verdicts(made))
    return (
        f"# {made.tenant_name}: the model, examined\n\n{demo}Model `{made.model_id}`, as of {made.as_of}, seed "
        f"{made.seed}. {same}\n\n{lines}"
    )


def _contributions(made: Examination, whole: Contributions) -> str:
    rows = [_part(part, made) for part in whole.parts]
    worst = max(whole.negative_baseline)
    note = (
        "Parts add up to the fitted outcome in every draw, so their medians nearly do. Weather counts against normal "
        f"weather. Highest probability of a negative baseline in a period: {share(worst)}."
    )
    return _section("What sales are made of", [_table(("part", "total", "share (9 in 10)"), rows), "", note])


def _part(part: Part, made: Examination) -> tuple[str, str, str]:
    unit = made.currency if made.outcome_is_money else made.outcome.replace("_", " ")
    step = step_of(max(part.total.p95 - part.total.p05, 1e-9))
    name = channel_name(part.name) if part.is_channel else part.name
    return name, amount(part.total.p50, unit, step), _shares(part.share)


def _pairs(made: Examination) -> str:
    rows = [
        (
            f"{channel_name(pair.first)} + {channel_name(pair.second)}",
            "fitted as one" if pair.correlation is None else ratio(pair.correlation),
            "yes" if pair.told_apart else "**no**",
            "–" if pair.joint_roi is None else _range(pair.joint_roi),
        )
        for pair in made.pairs
    ]
    if not rows:
        return _section("Channels that cannot be told apart", ["There is one channel."])
    header = ("pair", "correlation of what they caused", "told apart?", "joint return (9 in 10)")
    return _section("Channels that cannot be told apart", [_table(header, rows)])


def _priors(made: Examination) -> str:
    said = made.priors
    facts = [
        f"- Total media: {_shares(said.total_share)} of sales",
        f"- Draws where media cause more than all that was sold: {share(said.above_outcome)}",
        f"- Draws where media destroy sales: {share(said.below_zero)}",
        f"- Draws where some period's baseline is negative: {share(said.negative_baseline)}",
        *(f"- {channel_name(each.channel)}: return {_range(each.roi)}" for each in said.roi),
    ]
    return _section("What the priors say before the data", [said.sentence, "", *facts])


def _next_tests(made: Examination) -> str:
    unit = made.currency if made.outcome_is_money else made.outcome.replace("_", " ")
    if not made.next_tests:
        return ""
    step = step_of(max(10 * max(each.perfect for each in made.next_tests), 1e-9))
    rows = [
        (
            channel_name(each.channel),
            amount(each.value, unit, min(step, step_of(max(20 * each.value, 1e-9)))),
            amount(each.perfect, unit, step),
            ratio(1.645 * each.sd),
        )
        for each in made.next_tests
    ]
    header = ("channel", "worth of the test, a week", "of knowing it exactly", "the test is off by at most (9 in 10)")
    return _section("Which channel to test next", [_table(header, rows)])


def _recovery(made: Recovery) -> str:
    rows = [
        (
            channel_name(each.channel),
            "yes" if each.recoverable else "**no**",
            f"{each.covered} of {each.n}",
            ratio(each.relative_width),
            ratio(each.bias),
            share(each.left),
        )
        for each in made.channels
    ]
    header = ("channel", "can be measured?", "intervals that held", "relative width", "bias, in sd", "prior doubt left")
    failed = f" {made.failed} of {made.replications} refits did not converge." if made.failed else ""
    return _section("Known effects, looked for", [made.sentence + failed, "", _table(header, rows)])


def _stability(made: Stability) -> str:
    rows = [
        (
            channel_name(each.channel),
            "yes" if each.stable else "**no**",
            *(_range(roi) for roi in each.roi),
            " ".join(ratio(move) for move in each.moves),
            share(each.overlap),
            _range(each.lately),
        )
        for each in made.channels
    ]
    header = (
        "channel",
        "stable?",
        *(f"through {end}" for end in made.ends),
        "moves, in sd",
        "first and last intervals share",
        "last quarter against before",
    )
    sentences = [f"- {each.sentence}" for each in made.channels]
    return _section("As the data came in", [made.sentence, "", _table(header, rows), "", *sentences])


def _charts(pictures: Sequence[str]) -> str:
    shown = [f"![{_CHARTS[name[:-4]]}]({name})" for name in pictures if name[:-4] in _CHARTS]
    return _section("Pictures", ["\n\n".join(shown)]) if shown else ""


def _shares(values: Range) -> str:
    return f"{share(values.p50)} ({share(values.p05)} to {share(values.p95)})"


def _range(values: Range) -> str:
    middle, low, high = ratios(values.p50, values.p05, values.p95)
    return f"{middle} ({low} to {high})"


def _section(title: str, body: Sequence[str]) -> str:
    return f"## {title}\n\n" + "\n".join(body)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *("---:" for _ in header[1:])]
    return "\n".join("| " + " | ".join(_cell(each) for each in row) + " |" for row in (header, rule, *rows))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
