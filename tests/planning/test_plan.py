"""The plan: it changes where a change pays, keeps where nothing says so, and its numbers add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from planning.builders import GEOS, QUALITY, curves_of, fit_of, request_of, same
from weathervane.contracts.errors import BadInput, ModelFailed
from weathervane.contracts.forecast import Quantiles
from weathervane.contracts.money import Money
from weathervane.contracts.period import Period
from weathervane.contracts.plan import BudgetPlan, PlanLimits
from weathervane.contracts.response import ResponseCurves
from weathervane.planning.plan import make_budget_plan
from weathervane.planning.request import PlanRequest

STRONG = same({"search": 0.6, "social": 1.8})


def usd(amount: float) -> Money:
    return Money.from_major(amount, "USD")


def sound(plan: BudgetPlan) -> BudgetPlan:
    """What holds for every plan."""
    assert sum(line.recommended.minor for line in plan.lines) == plan.total_recommended.minor
    assert all(line.change.minor == line.recommended.minor - line.current.minor for line in plan.lines)
    assert plan.certificate.upper_bound >= plan.certificate.objective
    if plan.total_current == plan.total_recommended:
        assert {line.direction for line in plan.lines if line.change.minor} <= {"clearly_up", "clearly_down", "unclear"}
    assert all(line.gain.p10 > 0 for line in plan.lines if line.direction in ("clearly_up", "clearly_down"))
    assert all((line.chance_gain is None) == (line.gain.p50 == 0) for line in plan.lines)
    assert "will" not in " ".join([plan.sentence, plan.reason]).split()
    assert all(line.reason and line.would_change_our_mind for line in plan.lines)
    return plan


def test_a_strong_signal_moves_money_the_right_way_to_the_known_best() -> None:
    plan = sound(make_budget_plan(request_of(curves_of(STRONG))))
    assert plan.verdict == "change"
    # All curves alike but for their height: the best within 15 % is every search line down and every social line up.
    assert {(line.channel, line.recommended.minor) for line in plan.lines} == {
        ("search", 850_000),
        ("social", 1_150_000),
    }
    assert plan.chance_gain == 0.97, "every draw agrees, and no more than that is claimed"
    # 4,500 moved from a return near 0.6 to one near 1.8, a little less for saturation.
    assert 4_400 < plan.gain.p50 < 5_400
    assert plan.sentence.startswith("Move $4,500 from search to social next week, most of it in Chicago and Dallas. 97")
    assert "Dallas. 97 in 100 that this brings more net revenue than today's split: most likely +$" in plan.sentence
    assert plan.ribbons == ("demo",)
    assert plan.valid_until == plan.period.end


def test_line_gains_are_against_the_average_and_middle_up_to_the_plan() -> None:
    plan = make_budget_plan(request_of(curves_of(STRONG)))
    assert all(line.gain.p10 > 0 for line in plan.lines)  # a cut gains too: its money brings more elsewhere
    assert sum(line.gain.p50 for line in plan.lines) == pytest.approx(plan.gain.p50, rel=0.05)


def test_noise_around_zero_keeps_the_budget() -> None:
    plan = sound(make_budget_plan(request_of(curves_of(same({"search": 0.0, "social": 0.0}), error=0.5))))
    assert plan.verdict == "keep"
    assert all(line.recommended == line.current for line in plan.lines)
    assert plan.gain == Quantiles(0.0, 0.0, 0.0)
    assert plan.sentence.startswith("Keep the split as it is. No other split of this total is shown to bring more")
    assert {line.direction for line in plan.lines} <= {"keep", "unclear"}
    assert all(line.marginal_return.p10 < 0 < line.marginal_return.p90 for line in plan.lines)
    assert "holdout" in plan.would_change_our_mind[0]


def test_a_search_over_flat_noise_does_not_fool_itself() -> None:
    """No cell is better than another, each estimate is off by its own posterior's error, and nothing was pooled."""
    changed = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        slopes = {(f"geo{g}", f"channel{c}"): 1.0 + 0.5 * random.normal() for g in range(6) for c in range(3)}
        changed += make_budget_plan(request_of(curves_of(slopes, error=0.5, seed=seed))).verdict == "change"
    assert changed <= 2


def test_without_a_media_signal_nothing_moves_however_good_it_looks() -> None:
    plan = sound(make_budget_plan(request_of(curves_of(STRONG), media_signal=False)))
    assert plan.verdict == "keep"
    assert "no_media_signal" in plan.ribbons
    assert plan.caveats[0] == plan.media_signal.sentence
    assert plan.reason.startswith(plan.media_signal.sentence)
    assert {line.direction for line in plan.lines} == {"keep"}


def test_unclear_lines_stay_while_clear_ones_move() -> None:
    slopes = {("dallas", "search"): 0.2, ("dallas", "social"): 2.2, ("dallas", "tv"): 2.1, ("dallas", "video"): 1.4}
    plan = sound(make_budget_plan(request_of(curves_of(slopes, error=0.35))))
    assert plan.verdict == "change"
    directions = {line.channel: line.direction for line in plan.lines}
    assert (directions["search"], directions["video"]) == ("clearly_down", "unclear")
    changes = {line.channel: line.change.minor for line in plan.lines}
    # Taking from video too would fund both of the others; video is not clearly worse than the average, so it stays.
    assert (changes["search"], changes["video"], changes["social"] + changes["tv"]) == (-150_000, 0, 150_000)


def test_weather_moves_money_only_through_the_curves() -> None:
    hot = {geo: 2.0 if geo == "dallas" else -2.0 for geo in GEOS}
    mild: dict[str, float] = {}
    alike = same({"search": 1.0, "social": 1.0})

    def recommended(per_z: dict[tuple[str, str], float] | None, weather: dict[str, float]) -> dict:
        plan = sound(make_budget_plan(request_of(curves_of(alike, per_z=per_z, error=0.15), weather=weather)))
        return {(line.geo, line.channel): line.recommended.minor for line in plan.lines}

    warm_social = {(geo, "social"): 0.4 for geo in GEOS}
    assert recommended(None, hot) == recommended(None, mild)  # flat in weather: to the cent
    with_weather = recommended(warm_social, hot)
    assert with_weather["dallas", "social"] > 1_000_000 > with_weather["miami", "social"]
    assert recommended(warm_social, mild) == recommended(None, mild)


def reordered(curves: ResponseCurves, geos: Sequence[int], channels: Sequence[int]) -> ResponseCurves:
    g, c = np.ix_(geos, channels)
    arrays = {
        name: getattr(curves, name)[g, c].copy() for name in ("budget", "outcome", "outcome_per_z", "spend_recent")
    }
    return replace(
        curves,
        geos=tuple(curves.geos[i] for i in geos),
        channels=tuple(curves.channels[i] for i in channels),
        spend_max=curves.spend_max[g, c].copy(),
        **arrays,
    )


@pytest.mark.parametrize(
    "strength", [STRONG, same({"search": 1.0, "social": 1.0}), same({"search": 0.0, "social": 0.3})]
)
def test_order_of_geos_and_channels_changes_no_number(strength: dict[tuple[str, str], float]) -> None:
    curves = curves_of(strength, error=0.2)
    plan = make_budget_plan(request_of(curves))
    other = make_budget_plan(replace(request_of(curves), curves=reordered(curves, [2, 0, 1], [1, 0])))
    assert other == plan


def test_the_same_plan_made_later_has_the_same_id_and_another_plan_another() -> None:
    curves = curves_of(STRONG)
    plan = make_budget_plan(request_of(curves))
    later = make_budget_plan(request_of(curves, generated_at="2026-11-22T09:00:00Z"))
    assert later.plan_id == plan.plan_id
    assert make_budget_plan(request_of(curves, limits=PlanLimits(0.1))).plan_id != plan.plan_id


def test_four_weeks_scale_budget_and_gain() -> None:
    curves = curves_of(STRONG)
    one, four = make_budget_plan(request_of(curves)), make_budget_plan(request_of(curves, weeks=4))
    assert four.total_current.minor == 4 * one.total_current.minor
    assert four.gain.p50 == pytest.approx(4 * one.gain.p50)
    assert "over the four weeks from Mon 23 Nov" in four.sentence


def test_another_total_is_spread_and_gains_compare_splits_of_that_total() -> None:
    limits = PlanLimits(0.15, total=usd(63_000))
    curves = curves_of(same({"search": 0.0, "social": 0.0}), error=0.5)
    plan = sound(make_budget_plan(request_of(curves, limits=limits)))
    assert plan.verdict == "keep"
    assert {line.recommended.minor for line in plan.lines} == {1_050_000}
    assert plan.sentence.startswith("With $63.0k instead of $60.0k, keep the split as it is.")
    assert any("total differs" in caveat for caveat in plan.caveats)
    moved = sound(make_budget_plan(request_of(curves_of(STRONG), limits=limits)))
    assert moved.verdict == "change"
    assert moved.total_recommended == usd(63_000)
    assert moved.gain.p50 < 4_000  # not the 3,000 added, only where it goes


def test_a_line_without_spend_stays_at_zero_and_says_so() -> None:
    curves = curves_of(STRONG)
    current = {(geo, channel): usd(10_000) for geo in curves.geos for channel in curves.channels}
    current["miami", "social"] = usd(0)
    plan = sound(make_budget_plan(request_of(curves, current=current)))
    line = next(line for line in plan.lines if (line.geo, line.channel) == ("miami", "social"))
    assert line.recommended.minor == 0
    assert "stays at zero" in line.reason
    assert any("no spend now and stay" in caveat for caveat in plan.caveats)


def test_extrapolation_is_marked_on_line_ribbon_and_caveat() -> None:
    curves = curves_of(STRONG)
    curves = replace(curves, spend_max=curves.spend_recent * 1.05)
    capped = make_budget_plan(request_of(curves))
    assert max(line.recommended.minor for line in capped.lines) == 1_050_000
    free = make_budget_plan(request_of(curves, limits=PlanLimits(0.15, allow_extrapolation=True)))
    assert {line.channel for line in free.lines if line.extrapolates} == {"social"}
    assert "extrapolates" in free.ribbons
    assert any("above any spend seen there" in caveat for caveat in free.caveats)


def test_outlook_and_demand_reach_the_plan() -> None:
    quality = replace(QUALITY, verdict="too narrow", sentence="Too narrow: 70 %.")
    weather = {"chicago": 2.3, "dallas": -0.4}
    plan = make_budget_plan(request_of(curves_of(STRONG), weather=weather, quality=quality))
    chicago, miami = plan.geos[0], plan.geos[2]
    assert (chicago.name, chicago.temp_anomaly_c, chicago.latitude) == ("Chicago", 4.6, 41.9)
    assert chicago.demand.p50 == pytest.approx(sum(40_000 + 150 * i for i in range(7)))
    assert miami.temp_anomaly_z is None
    assert sum(1 for day in plan.demand if day.actual is not None) == 28
    assert sum(1 for day in plan.demand if day.forecast is not None) == 7
    assert not any(day.actual is not None and day.forecast is not None for day in plan.demand)
    assert "not_calibrated" in plan.ribbons
    assert {"Too narrow: 70 %.", "No weather outlook for Miami: planned at normal weather."} <= set(plan.caveats)


def test_parts_that_do_not_belong_together_are_refused() -> None:
    curves = curves_of(STRONG)
    request: PlanRequest = request_of(curves)
    with pytest.raises(BadInput, match="10 days"):
        make_budget_plan(replace(request, period=Period(date(2026, 11, 23), date(2026, 11, 23) + timedelta(days=9))))
    with pytest.raises(BadInput, match="different tenants"):
        make_budget_plan(replace(request, fit=replace(fit_of(curves), tenant_id="other")))
    with pytest.raises(BadInput, match="model-2"):
        make_budget_plan(replace(request, fit=replace(fit_of(curves), model_id="model-2")))
    cells = [(g, c) for g in curves.geos for c in curves.channels if (g, c) != ("miami", "social")]
    with pytest.raises(BadInput, match="miami × social"):
        make_budget_plan(replace(request, current=dict.fromkeys(cells, usd(1))))
    with pytest.raises(ModelFailed, match="20 posterior draws"):
        make_budget_plan(request_of(curves_of(STRONG, draws=20)))


def test_an_outcome_that_is_not_money_is_counted_not_priced() -> None:
    request = request_of(curves_of(STRONG))
    plan = make_budget_plan(replace(request, tenant=replace(request.tenant, outcome="orders", outcome_is_money=False)))
    assert " orders (from +" in plan.sentence
    assert not plan.outcome_is_money
