"""The question that a geo test asks, and the arrays that answer it: two arms, their days, their spend."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import numpy as np

from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.contracts.experiment import EstimatorName, TestName
from weathervane.contracts.period import Period
from weathervane.experiments.inference import distinct_assignments
from weathervane.experiments.panel import Bools, Floats, Panel, named
from weathervane.experiments.unusual_days import spans


@dataclass(frozen=True)
class Question:
    """What is to be read, as the frozen plan says. `sign` is +1 where treated geos had more ads, -1 where fewer.

    `test` None takes the randomisation test where the assignment set is known and the estimator's own otherwise.
    `spend_change_abs`, where the spend is not given day by day, is the whole change, signed. `pairs` (treated, control)
    are for trimmed match. `choices` are what the block test is held against where geos were chosen by model
    (`paid_for`). `seed` feeds placebo draws and single-day permutations only. `false_alarm_share` is how often the
    design's own test was measured to find something where nothing happened, where that is more than it should be, in
    `false_alarm_windows` of its past that do not overlap.
    """

    experiment_id: str
    channel: str
    kpi_unit: str
    treated_geos: tuple[str, ...]
    control_geos: tuple[str, ...]
    window: Period
    estimator: EstimatorName = "synthetic_control"
    test: TestName | None = None
    alpha: float = 0.1
    sign: Literal[1, -1] = 1
    cell: str = ""
    cooldown_days: int = 0
    spend_change_abs: float | None = None
    pairs: tuple[tuple[str, str], ...] = ()
    choices: tuple[float, ...] = ()
    seed: int = 0
    false_alarm_share: float | None = None
    false_alarm_windows: int = 0

    def __post_init__(self) -> None:
        if not 0.0 < self.alpha < 1.0:
            raise BadInput(f"alpha is {self.alpha}; it must lie between 0 and 1.", "write 0.1 for a 90 % interval.")
        for arm, geos in (("treated", self.treated_geos), ("control", self.control_geos)):
            if not geos:
                raise NotEnoughData(f"The test has no {arm} places.", f"name at least one {arm} place.")
            if len(set(geos)) < len(geos):
                raise BadInput(f"A {arm} geo is named twice.", "name each geo once.")
        both = sorted(set(self.treated_geos) & set(self.control_geos))
        if both:
            raise BadInput(f"{named(both)} would be treated and control at once.", "put each geo into one arm.")
        if self.estimator == "trimmed_match" and not self.pairs:
            raise BadInput("Trimmed match needs pairs of a treated and a control place.", "give the design's pairs.")


@dataclass(frozen=True)
class Arms:
    """Arrays of a test: `outcome` and `raw` [n_geos, t] (the same without weather taken out), `treated` [n_geos].

    `assignments` [n, n_geos] holds the observed one first, None if not randomised; `pairs` [n_pairs, 2] are
    row numbers; `spend` [n_geos, t] or None.
    """

    geos: tuple[str, ...]
    outcome: Floats
    raw: Floats
    treated: Bools
    n_pre: int
    assignments: Bools | None
    pairs: np.ndarray
    spend: Floats | None

    @property
    def has_negatives(self) -> bool:
        """A KPI that goes below zero has no constant relative effect; an absolute one is looked for instead."""
        return bool((self.raw < 0.0).any())

    def pattern(self) -> Floats:
        """What theta = 1 would have added, [n_geos, t]: the treated outcome in the window or one a day; 0 elsewhere."""
        shape = np.zeros_like(self.raw)
        window = np.ones_like(self.raw) if self.has_negatives else self.raw
        shape[self.treated, self.n_pre :] = window[self.treated, self.n_pre :]
        return shape

    def until(self, last: int, n_pre: int) -> Arms:
        """The same arms as if the test had run from day `n_pre` to just before day `last`."""
        return replace(self, outcome=self.outcome[:, :last], raw=self.raw[:, :last], n_pre=n_pre, spend=None)


def arms_of(
    panel: Panel, question: Question, assignments: Bools | None, spend: Panel | None
) -> tuple[Arms, tuple[str, ...], np.ndarray]:
    """The arms, what a reader must be told about them, and their rows in the panel.

    Raises NotEnoughData where days or geos lack, BadInput where a geo never sold or the spend fits no row.
    """
    n_pre, n_days = test_days(panel, question)
    last = panel.days[n_days - 1]
    refuse_missing(panel, question, question.treated_geos, last)
    lost = panel.missing(question.control_geos, panel.days[0], last)
    if lost and (assignments is not None or len(lost) == len(question.control_geos)):
        refuse_missing(panel, question, lost, last)
    notes = (f"Left out for missing days: {named(lost)}.",) if lost else ()
    geos = tuple(sorted({*question.treated_geos, *question.control_geos} - set(lost)))
    rows = panel.rows(geos)
    outcome = panel.outcome[rows, :n_days]
    empty = [geo for geo, values in zip(geos, outcome, strict=True) if not values[:n_pre].any()]
    if empty:
        raise BadInput(f"The outcome is zero on every day before the test: {named(empty)}.", "leave these places out.")
    treated = np.array([geo in set(question.treated_geos) for geo in geos])
    at = {geo: i for i, geo in enumerate(geos)}
    if spend is not None and (spend.geos != panel.geos or spend.days != panel.days):
        raise BadInput("The spend has other geos or days than the outcome.", "align the two panels.")
    spent = None if spend is None else spend.outcome[rows, :n_days]
    if spent is not None and not np.isfinite(spent).all():
        notes, spent = (*notes, "Spend has missing days, so no return is stated."), None
    return (
        Arms(
            geos,
            outcome,
            outcome,
            treated,
            n_pre,
            None if assignments is None else distinct_assignments(treated, assignments),
            np.array([[at[one], at[other]] for one, other in question.pairs], dtype=np.intp).reshape(-1, 2),
            spent,
        ),
        notes,
        rows,
    )


def refuse_missing(panel: Panel, question: Question, geos: tuple[str, ...], last: date) -> None:
    """NotEnoughData where one of `geos` lacks outcomes: which days, and how to go on where they cannot be had."""
    lost = panel.missing(geos, panel.days[0], last)
    if not lost:
        return
    until = np.array([day <= last for day in panel.days])
    holes = {geo: np.isnan(panel.outcome[row]) & until for geo, row in zip(lost, panel.rows(lost), strict=True)}
    days = np.array(panel.days, dtype=object)
    told = "; ".join(f"{geo} on {spans(tuple(days[gone]))}" for geo, gone in list(holes.items())[:5])
    more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
    left = " ".join(f"--without {shlex.quote(geo)}" for geo in lost)
    raise NotEnoughData(
        f"Sales are missing for {told}{more}.",
        "import those days and read the test again. If they are lost, read it without "
        f"{'that place' if len(lost) == 1 else 'those places'}: "
        f"`weathervane experiment read {question.experiment_id} {left}`.",
    )


def test_days(panel: Panel, question: Question) -> tuple[int, int]:
    """Number of days before the test, and until the end of its cool-down."""
    last = question.window.end.toordinal() + question.cooldown_days
    n_pre = sum(day < question.window.start for day in panel.days)
    n_days = sum(day.toordinal() <= last for day in panel.days)
    if panel.days[-1] < question.window.end or n_days == n_pre:
        raise NotEnoughData(f"The data end on {panel.days[-1]}, before the test does.", "read it when it is over.")
    if panel.days[-1].toordinal() < last and (panel.days[-1] - panel.days[0]).days < len(panel.days):
        raise NotEnoughData(f"The data end on {panel.days[-1]}, before the cool-down does.", "read it when it is over.")
    if n_pre < n_days - n_pre:
        raise NotEnoughData(
            f"The test is longer ({n_days - n_pre} days) than the history before it ({n_pre}).",
            "give at least as many days before the test as in it.",
        )
    return n_pre, n_days
