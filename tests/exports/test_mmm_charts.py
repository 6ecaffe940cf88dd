"""An examination as a page and pictures: every figure on them is the examination's, and the same bytes come again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from weathervane.contracts.examination import (
    Band,
    ChannelRange,
    ChannelRecovery,
    ChannelStability,
    Contributions,
    CorrelationChart,
    CurveChart,
    DensityChart,
    Examination,
    Pair,
    Part,
    PriorPredictive,
    Range,
    Recovery,
    Stability,
    TestValue,
)
from weathervane.exports.examination import examination_report, verdicts
from weathervane.exports.mmm_charts import mmm_charts
from weathervane.store.results import from_json, to_json

N = 30
ONE = Range(0.8, 1.0, 1.2)


def flat(value: float) -> Band:
    return Band((0.9 * value,) * N, (value,) * N, (1.1 * value,) * N)


def part(name: str, value: float, *, is_channel: bool) -> Part:
    return Part(name, is_channel, Range(value, 2 * value, 3 * value), Range(0.1, 0.2, 0.3), flat(value), (ONE,))


def examination(n_channels: int = 2) -> Examination:
    channels = tuple(f"channel_{i}" for i in range(n_channels))
    whole = Contributions(
        geos=("here",),
        starts=tuple(date(2026, 1, 5) + timedelta(days=7 * i) for i in range(N)),
        observed=(None, *(1e5 + 1e3 * i for i in range(N - 1))),
        fitted=flat(1.1e5),
        parts=(
            part("baseline", 9e4, is_channel=False),
            part("weather", -2e3, is_channel=False),
            *(part(channel, 1e4, is_channel=True) for channel in channels),
        ),
        negative_baseline=(0.0,) * (N - 1) + (0.02,),
        negative_geos=(),
        flagged=False,
        sentence="The baseline stays above zero in every period.",
    )
    return Examination(
        model_id="m-1",
        tenant_id="acme",
        tenant_name="Acme",
        demo=True,
        currency="EUR",
        outcome="net_revenue",
        outcome_is_money=True,
        as_of="2026-08-01T06:00:00Z",
        seed=1,
        step_days=7,
        same_as_champion=True,
        contributions=whole,
        pairs=(Pair("channel_0", "channel_1", -0.81, False, ONE, "channel 0 and channel 1 cannot be told apart."),),
        priors=PriorPredictive(ONE, 0.0, 0.1, 0.0, (ChannelRange("channel_0", ONE),), False, "Which is possible."),
        next_tests=(TestValue("channel_0", 40.0, 20.0, 6, 0.3, "Test next channel 0."),),
        curves=tuple(CurveChart(c, tuple(map(float, range(N))), flat(5.0), 10.0, 20.0) for c in channels),
        densities=tuple(DensityChart(c, tuple(map(float, range(N))), (0.1,) * N, (0.2,) * N) for c in channels),
        correlations=CorrelationChart(channels, ((1.0,) * n_channels,) * n_channels),
        recovery=None,
        stability=None,
        caveats=("One caveat.",),
    )


def deep(made: Examination) -> Examination:
    recovered = ChannelRecovery("channel_0", 3, 4, 1.5, 0.1, 0.7, False, "channel 0 cannot be measured here.")
    moved = ChannelStability("channel_0", (ONE, ONE), (1.4,), 0.3, 0.2, ONE, True, False, "channel 0 moved.")
    return replace(
        made,
        recovery=Recovery(4, 1, (recovered,), "This data cannot measure channel 0."),
        stability=Stability((date(2026, 7, 5), date(2026, 8, 2)), (moved,), ONE, "The return of channel 0 changed."),
    )


def test_every_picture_is_drawn_and_the_same_bytes_come_again() -> None:
    drawn = mmm_charts(examination())
    assert set(drawn) == {"fit", "contributions", "curves", "prior_posterior", "correlations"}
    assert all(picture.startswith(b"\x89PNG") for picture in drawn.values())
    assert mmm_charts(examination()) == drawn


def test_pictures_without_data_are_left_out_and_many_channels_are_drawn() -> None:
    alone = replace(examination(1), densities=(), pairs=())
    assert set(mmm_charts(alone)) == {"fit", "contributions", "curves"}
    assert len(mmm_charts(examination(15))) == 5


def test_the_page_says_the_verdicts_first_and_keeps_its_figures() -> None:
    page = examination_report(examination(), ("fit.png",))
    assert page.startswith("# Acme: the model, examined\n\n> **DEMO")
    assert page.index("cannot be told apart.") < page.index("## What sales are made of")
    for figure in ("−0.81", "20 % (10 % to 30 %)", "2 %", "**no**", "![Fit and residuals](fit.png)", "- One caveat."):
        assert figure in page
    assert "Known effects" not in page


def test_a_deep_examination_has_its_sections_and_verdicts() -> None:
    made = deep(examination())
    page = examination_report(made)
    for words in ("## Known effects, looked for", "1 of 4 refits did not converge", "3 of 4", "through 2026-07-05"):
        assert words in page
    assert verdicts(made)[-2:] == ("This data cannot measure channel 0.", "The return of channel 0 changed.")


def test_a_stored_examination_reads_back_as_it_was() -> None:
    made = deep(examination())
    assert from_json(Examination, to_json(made)) == made


def test_a_refit_that_is_not_the_champions_says_so() -> None:
    page = examination_report(replace(examination(), same_as_champion=False))
    assert "NOT the champion's" in page
