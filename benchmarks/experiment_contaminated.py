"""Experiment contaminated: size and coverage where a place was closed, short of stock, missing, or counted wrongly.

Part of benchmarks.experiments. Twelve places, 26 weeks before the test and four in it; a third of them is treated, and
one place, treated or control at even odds, has a fault on some days of the test. Each world is read as it is and as the
product reads it: by `unusual_days`, without the places it names. Seeds start where none were looked at before.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np

from benchmarks.experiment_truth import many_geos
from benchmarks.figure import Figure
from weathervane.contracts.period import Period
from weathervane.experiments.counterfactual import Refit, contrasts
from weathervane.experiments.inference import block_p_values, distinct_assignments, randomisation_p_values
from weathervane.experiments.panel import Bools, Floats, Panel
from weathervane.experiments.question import Question
from weathervane.experiments.readout import fewer_places, reduced, unusual_in_test

ALPHA, LIFT = 0.05, 0.05
N_GEOS, N_TREATED, N_PRE, N_TEST, N_ASSIGNMENTS = 12, 4, 182, 28, 120
MOST_SIZE, LEAST_COVERAGE = 0.07, 0.92
FRESH = 700_000
_DRAWN_EVERY = 4  # a test over assignments takes forty times as long to read, and is exact
GEOS = tuple(f"place-{g:02d}" for g in range(N_GEOS))
DAYS = tuple(date(2026, 1, 1) + timedelta(days=t) for t in range(N_PRE + N_TEST))

Fault = Callable[[np.random.Generator, Floats], None]


def closed(rng: np.random.Generator, sold: Floats) -> None:
    sold[_run(rng, 4, 10)] = 0.0


def stock_out(rng: np.random.Generator, sold: Floats) -> None:
    sold[_run(rng, 5, 10)] *= rng.uniform(0.2, 0.5)


def missing(rng: np.random.Generator, sold: Floats) -> None:
    sold[_run(rng, 3, 8)] = np.nan


def outlier(rng: np.random.Generator, sold: Floats) -> None:
    sold[_run(rng, 1, 1)] *= rng.uniform(3.0, 6.0)


def restated(rng: np.random.Generator, sold: Floats) -> None:
    """Some days are counted twice, as after an import with another key."""
    sold[_run(rng, 3, 7)] *= 2.0


def _run(rng: np.random.Generator, least: int, most: int) -> slice:
    length = int(rng.integers(least, most + 1))
    start = int(rng.integers(0, N_TEST - length + 1))
    return slice(start, start + length)


FAULTS: dict[str, Fault] = {
    "closed": closed,
    "stock-out": stock_out,
    "missing": missing,
    "outlier": outlier,
    "restated": restated,
}


def contaminated(n_panels: int) -> list[Figure]:
    """Each kind of fault, in tests that others drew (over time) and in drawn ones (over assignments)."""
    found: list[Figure] = []
    for kind, fault in FAULTS.items():
        for drawn in (False, True):
            how = "drawn by chance" if drawn else "over time"
            plain: list[tuple[bool, bool]] = []
            read: list[tuple[bool, bool]] = []
            named = 0
            panels = max(n_panels // _DRAWN_EVERY, 1) if drawn else n_panels
            for seed in range(FRESH, FRESH + panels):
                one = _read(seed, fault, drawn)
                read.append(one[0])
                named += one[2]
                if one[1] is not None:
                    plain.append(one[1])
            note = f"{panels} panels, alpha {ALPHA}; the place was named in {named / panels:.0%}"
            if plain:
                raw_size, raw_held = np.mean(plain, axis=0)
                note += f"; read with it: size {raw_size:.3f}, coverage {raw_held:.3f}"
            size, held = (float(share) for share in np.mean(read, axis=0))
            found += [
                Figure(f"A/A size, {kind}, {how}", size, "share", f"<= {MOST_SIZE}", size <= MOST_SIZE, note),
                Figure(f"coverage, {kind}, {how}", held, "share", f">= {LEAST_COVERAGE}", held >= LEAST_COVERAGE, note),
            ]
    return found


def _read(seed: int, fault: Fault, drawn: bool) -> tuple[tuple[bool, bool], tuple[bool, bool] | None, bool]:
    """Whether a test of nothing rejects and one of a lift holds it: without the places named, and with all of them."""
    rng = np.random.default_rng([seed, 13])
    sold = many_geos(seed, N_GEOS, N_PRE + N_TEST)
    masks = np.unique(np.argsort(rng.random((N_ASSIGNMENTS, N_GEOS)), axis=1) < N_TREATED, axis=0)
    treated = masks[int(rng.integers(len(masks)))]
    arm = np.flatnonzero(treated if rng.random() < 0.5 else ~treated)
    place = int(rng.choice(arm))
    fault(rng, sold[place, N_PRE:])
    lifted = sold.copy()
    lifted[treated, N_PRE:] *= 1.0 + LIFT
    names = np.array(GEOS)
    ours = Question(
        "contaminated", "ads", "USD", tuple(names[treated].tolist()), tuple(names[~treated].tolist()),
        Period(DAYS[N_PRE], DAYS[-1]), alpha=ALPHA,
    )  # fmt: skip
    outcomes: list[bool] = []
    raw: list[bool] = []
    named = False
    for outcome, theta in ((sold, 0.0), (lifted, LIFT / (1.0 + LIFT))):
        panel = Panel(GEOS, DAYS, outcome)
        found = unusual_in_test(panel, ours)
        unusual = {one.geo for one in found}
        named = named or GEOS[place] in unusual
        lost = [one.geo for one in found if one.kind == "missing"]
        start = reduced(ours, masks if drawn else None, lost) if lost else (ours, masks if drawn else None)
        fewer = fewer_places(*start, sorted(unusual - set(lost))) or start
        outcomes.append(_p_value(panel, *fewer, theta) <= ALPHA)
        if np.isfinite(outcome).all():
            raw.append(_p_value(panel, ours, masks if drawn else None, theta) <= ALPHA)
    return (outcomes[0], not outcomes[1]), (raw[0], not raw[1]) if raw else None, named


def _p_value(panel: Panel, question: Question, masks: Bools | None, theta: float) -> float:
    """The p-value of `theta`, by synthetic control."""
    kept = panel.only((*question.treated_geos, *question.control_geos))
    treated = np.isin(np.array(kept.geos), question.treated_geos)
    if masks is None:
        pattern = np.where(np.arange(len(DAYS)) >= N_PRE, kept.outcome[treated].mean(axis=0), 0.0)
        residuals = Refit("synthetic_control", kept.outcome, treated, pattern).residuals(np.array([theta]))
        return float(block_p_values(residuals, N_PRE)[0])
    drawn = distinct_assignments(treated, masks)
    found = contrasts("synthetic_control", kept.outcome, drawn, N_PRE)
    mean = kept.outcome[:, N_PRE:].mean(axis=1)
    responses = found.responses(np.where(treated, mean, 0.0))
    return float(randomisation_p_values(found.mean_effects(mean), responses, np.array([-theta]))[0])
