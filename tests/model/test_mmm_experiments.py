"""A geo experiment in the model: it narrows the channel it tested, holds the truth, and a wrong one is flagged."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from benchmarks.panels import Cut, Simulated, simulate

from model.lift_results import lift_result
from weathervane.contracts.errors import BadInput
from weathervane.contracts.experiment import LiftResult
from weathervane.contracts.period import Period
from weathervane.model.mmm.calibration import check_experiment, expected_lift
from weathervane.model.mmm.hierarchical import MediaMixFit, fit_media_mix
from weathervane.model.mmm.prepare import prepare, without_tested
from weathervane.model.mmm.priors import Priors

MADE = simulate(10, 104, 2, 7, seed=21, local=0.1, cut=Cut(channel=0))


def measured(made: Simulated, times: float = 1.0) -> LiftResult:
    assert made.window is not None
    return lift_result(
        "channel-00", made.treated, made.window, lift=times * made.lift, sd=0.1 * made.lift, spend_change=-made.cut
    )


@pytest.fixture(scope="module")
def before() -> MediaMixFit:
    return fit_media_mix(without_tested(MADE.panel, (measured(MADE),)), Priors(), seed=1)


@pytest.fixture(scope="module")
def after() -> MediaMixFit:
    return fit_media_mix(MADE.panel, Priors(), seed=1, experiments=(measured(MADE),))


@pytest.mark.slow
def test_a_test_narrows_its_channel_and_holds_the_truth(before: MediaMixFit, after: MediaMixFit) -> None:
    widths = [float(np.ptp(np.quantile(fit.roi[:, 0], [0.05, 0.95]))) for fit in (before, after)]
    assert widths[1] < 0.6 * widths[0]
    low, high = np.quantile(after.roi[:, 0], [0.005, 0.995])
    assert low < MADE.roi[0] < high


@pytest.mark.slow
def test_afterwards_the_model_expects_what_was_measured(before: MediaMixFit, after: MediaMixFit) -> None:
    result = measured(MADE)
    off = abs(expected_lift(before, MADE.panel, result).mean() / MADE.lift - 1)
    assert expected_lift(after, MADE.panel, result).mean() == pytest.approx(MADE.lift, rel=min(0.1, off + 0.02))
    assert expected_lift(after, MADE.panel, result).std() < 0.12 * MADE.lift


@pytest.mark.slow
def test_a_wrong_test_is_flagged_and_a_right_one_is_not(before: MediaMixFit) -> None:
    assert not check_experiment(before, MADE.panel, measured(MADE)).conflicts
    wrong = check_experiment(before, MADE.panel, measured(MADE, times=-2.0))
    assert wrong.conflicts
    assert "contradict" in wrong.sentence


def test_rows_a_read_out_has_used_are_not_counted_twice() -> None:
    result = measured(MADE)
    design, _, _ = prepare(MADE.panel, Priors(), (result,))
    inside = [result.window.start <= start <= result.window.end for start in MADE.panel.starts]
    assert (design.observed[:5, inside] == 0).all()
    assert (design.observed[5:, inside] == 1).all()
    assert design.observed.sum() == design.observed.size - 5 * sum(inside)


def test_the_sign_of_the_change_does_not_matter() -> None:
    # The same test told as spend added: weights turn, and so does what would have been.
    result = measured(MADE)
    more = replace(
        result, spend_change_abs=0.2 * float(MADE.panel.spend[0, 5:, 60:66].sum()), treated_geos=MADE.panel.geos[5:]
    )
    window = Period(MADE.panel.starts[60], MADE.panel.starts[65] + timedelta(days=6))
    _, cut, form = prepare(MADE.panel, Priors(), (result,))
    _, added, _ = prepare(MADE.panel, Priors(), (replace(more, window=window),))
    assert form.tested == (0,)
    assert float(cut.test_weight.min()) < 0 <= float(added.test_weight.min())
    run_up = 8
    actual = np.asarray(added.exposure)[0]
    assert (np.asarray(added.test_exposure)[0] <= actual + 1e-12).all()
    assert np.asarray(added.test_exposure)[0][5:, run_up + 60] == pytest.approx(0.8 * actual[5:, run_up + 60])
    assert (np.asarray(cut.test_exposure)[0] >= np.asarray(cut.exposure)[0] - 1e-12).all()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"channel": "radio"}, "no spend here"),
        ({"treated_geos": ("atlantis",)}, "not modelled"),
        ({"spend_change_abs": None}, "says nothing of return"),
        ({"lift_abs_low": None, "p_value": 0.5}, "says nothing of return"),
        ({"window": Period(MADE.panel.starts[0] - timedelta(400), MADE.panel.starts[0] - timedelta(390))}, "outside"),
        ({"spend_change_abs": 1e12}, "more than"),
    ],
)
def test_what_the_panel_cannot_hold_is_refused_by_name(change: dict[str, object], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        prepare(MADE.panel, Priors(), (replace(measured(MADE), **change),))
