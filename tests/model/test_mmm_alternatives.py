"""A fit that does not converge is not the end: what is known to work is tried, and a refusal names what was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model.known_panels import known_panel, varied_spend
from model.small_estimates import small_estimates
from weathervane.contracts.errors import ModelFailed
from weathervane.model.features.build import Panel
from weathervane.model.mmm import alternatives
from weathervane.model.mmm.alternatives import fit_with_alternatives
from weathervane.model.mmm.engine import Estimates, MediaMixSpec, told_by

Asked = list[tuple[str, bool]]


@pytest.fixture(scope="module")
def panel() -> Panel:
    return known_panel(varied_spend(2, 1, 60), np.ones((2, 60))).panel


def fits_by(monkeypatch: pytest.MonkeyPatch, *works: tuple[str, bool]) -> Asked:
    """Makes only these (likelihood, warm start) converge; the list says what was asked."""
    asked: Asked = []

    def fit(_: Panel, spec: MediaMixSpec, *__: object, start: object, **___: object) -> Estimates:
        asked.append((spec.likelihood, start is not None))
        if asked[-1] not in works:
            raise ModelFailed("The media mix model did not converge: R-hat 1.4.", "narrow the priors.")
        return replace(small_estimates(), engine=spec.name)

    monkeypatch.setattr(alternatives, "fit", fit)
    return asked


def run(
    panel: Panel, spec: MediaMixSpec, start: np.ndarray | None = None
) -> tuple[Estimates, MediaMixSpec, tuple[str, ...]]:
    return fit_with_alternatives(panel, spec, 1, lambda _: None, start=start)


def test_what_converges_as_asked_is_taken_without_a_word(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = fits_by(monkeypatch, ("normal", False))
    found, spec, said = run(panel, MediaMixSpec())
    assert (found.engine, spec, said, asked) == ("hierarchical", MediaMixSpec(), (), [("normal", False)])


def test_effects_that_multiply_are_tried_and_said(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = fits_by(monkeypatch, ("log_normal", False))
    found, spec, said = run(panel, MediaMixSpec(), np.zeros(3))
    assert asked == [("normal", True), ("normal", False), ("log_normal", False)]
    assert (found.engine, spec.likelihood) == ("hierarchical (log_normal)", "log_normal")
    assert "did not converge" in said[0]
    assert told_by(found.engine) == ("log_normal", "week")


def test_a_refusal_names_everything_that_was_tried(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    fits_by(monkeypatch)
    with pytest.raises(ModelFailed) as refused:
        run(panel, MediaMixSpec(), np.zeros(3))
    assert "R-hat 1.4" in refused.value.problem
    assert "fresh start" in refused.value.problem
    assert "log_normal" in refused.value.problem
    assert "--likelihood student" in refused.value.remedy


def test_effects_cannot_multiply_what_was_not_sold_in_every_week(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = panel.outcome.copy()
    outcome[0, 0, 7] = 0.0
    asked = fits_by(monkeypatch)
    with pytest.raises(ModelFailed):
        run(replace(panel, outcome=outcome), MediaMixSpec())
    assert asked == [("normal", False)]


@pytest.mark.parametrize(
    "spec", [MediaMixSpec(), MediaMixSpec(likelihood="student", step="day"), MediaMixSpec(step="day")]
)
def test_a_fits_likelihood_and_step_are_read_back_from_its_name(spec: MediaMixSpec) -> None:
    assert told_by(spec.name) == (spec.likelihood, spec.step)
