"""Experiments: how often tests of nothing reject, how often intervals hold the truth, and what reading a test costs.

    python -m benchmarks.experiments [--small] [--panels N] [--only PART ...] [--write]

`--only` measures parts alone (speed, panels, geos, worlds, windows, time, contaminated, power, triggers,
trigger-power); `--write` puts the table of each part into docs/modeling/experiments.md. The panels of the part `panels`
have 20 geos, 84 days before and 14 in the test, errors that follow each other (AR 1, 0.5), a common factor that geos
load on differently, a week, and regional weather. Speed is in CPU seconds, on the GeoLift walkthrough and the
Proposition 99 panel where they lie in ../shared/data/geo.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.experiment_contaminated import contaminated
from benchmarks.experiment_designs import design_speeds, power_kept
from benchmarks.experiment_triggers import trigger_power_kept, triggers
from benchmarks.experiment_truth import by_geos, over_time, windows, worlds
from benchmarks.figure import Figure, print_figures
from weathervane.contracts.experiment import EstimatorName
from weathervane.contracts.period import Period
from weathervane.experiments.counterfactual import Refit, contrasts, counterfactual
from weathervane.experiments.estimate import placebo_effects
from weathervane.experiments.estimators.simplex import simplex_weights
from weathervane.experiments.inference import (
    Inference,
    block_conformal,
    block_p_values,
    iid_p_values,
    randomisation,
    randomisation_p_values,
    window_draws,
)
from weathervane.experiments.panel import Panel, panel_from_rows
from weathervane.experiments.question import Question
from weathervane.experiments.readout import read_out
from weathervane.experiments.weather_adjustment import adjust_for_weather

GEO_DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "geo"
PAGE = Path(__file__).resolve().parents[1] / "docs" / "modeling" / "experiments.md"
N_GEOS, N_PRE, N_POST, N_TREATED, N_ASSIGNMENTS, N_RUNS = 20, 84, 14, 8, 200, 5
ALPHA, LIFT = 0.05, 0.05
FULL, SMALL = 2000, 60
ESTIMATORS: tuple[EstimatorName, ...] = ("difference_in_differences", "synthetic_control", "time_based_regression")


@dataclass
class Tally:
    """Whether tests of no effect rejected, and intervals under the true lift held it; widths of finite intervals."""

    rejected: list[bool] = field(default_factory=list)
    covered: list[bool] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)
    contradictions: int = 0

    def add(self, nothing: Inference, lifted: Inference) -> None:
        true_share = LIFT / (1.0 + LIFT)
        self.rejected.append(nothing.p_value <= ALPHA)
        self.covered.append(lifted.low <= true_share <= lifted.high)
        self.widths.append(lifted.high - lifted.low)
        for found in (nothing, lifted):
            self.contradictions += (found.p_value <= ALPHA) != (found.low > 0.0 or found.high < 0.0)


def autoregressive(rng: np.random.Generator, rho: float, shape: tuple[int, ...]) -> np.ndarray:
    found = rng.standard_normal(shape)
    found[..., 1:] *= np.sqrt(1.0 - rho**2)
    for t in range(1, shape[-1]):
        found[..., t] += rho * found[..., t - 1]
    return found


def make_panel(seed: int, sensitivity: float, rho: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Outcome [n_geos, t] and weather [1, n_geos, t]; a spread of weather moves the outcome by `sensitivity`."""
    rng = np.random.default_rng(seed)
    n_days = N_PRE + N_POST
    level = np.exp(rng.normal(6.0, 0.6, N_GEOS))[:, None]
    factor = 0.15 * autoregressive(rng, 0.8, (n_days,))
    week = 0.1 * np.sin(2.0 * np.pi * np.arange(n_days) / 7.0)
    regional = np.repeat(autoregressive(rng, 0.7, (N_GEOS // 4, n_days)), 4, axis=0)
    weather = 0.8 * regional + 0.6 * autoregressive(rng, 0.7, (N_GEOS, n_days))
    noise = 0.06 * autoregressive(rng, rho, (N_GEOS, n_days))
    loading = rng.uniform(0.5, 1.5, (N_GEOS, 1))
    return level * (1.0 + loading * factor + week + sensitivity * weather + noise), weather[None]


def draw_assignments(seed: int) -> np.ndarray:
    """Distinct draws, the first of which is the one that ran."""
    order = np.argsort(np.random.default_rng([seed, 1]).random((N_ASSIGNMENTS, N_GEOS)), axis=1)
    return order < N_TREATED


def read_randomised(
    estimator: EstimatorName, outcome: np.ndarray, read: np.ndarray, masks: np.ndarray, tally: Tally
) -> None:
    """Each of the first assignments in turn is the one that ran. `outcome` carries the lift, `read` is what is read."""
    found = contrasts(estimator, read, masks, N_PRE)
    effects = found.mean_effects(read[:, N_PRE:].mean(axis=1))
    for run in range(N_RUNS):
        first = np.roll(np.arange(len(masks)), -run)
        responses = found.responses(np.where(masks[run], outcome[:, N_PRE:].mean(axis=1), 0.0))[first]
        tally.add(
            randomisation(effects[first], responses, ALPHA),
            randomisation(effects[first] + LIFT * responses, (1.0 + LIFT) * responses, ALPHA),
        )


def read_over_time(estimator: EstimatorName, outcome: np.ndarray, treated: np.ndarray) -> Inference:
    pattern = np.where(np.arange(outcome.shape[1]) >= N_PRE, outcome[treated].mean(axis=0), 0.0)
    effect = counterfactual(estimator, outcome, treated, N_PRE).effect[N_PRE:].sum()
    return block_conformal(estimator, outcome, treated, pattern, N_PRE, ALPHA, float(effect / pattern.sum()))


def simulate(n_panels: int) -> list[Figure]:
    tallies: dict[str, Tally] = {}
    for seed in range(n_panels):
        masks = draw_assignments(seed)
        for kind, sensitivity in (("sensitive", 0.08), ("insensitive", 0.0)):
            outcome, weather = make_panel(seed, sensitivity)
            adjusted = adjust_for_weather(outcome, weather, N_PRE).outcome
            for view, read in (("plain", outcome), ("weather-adjusted", adjusted)):
                for estimator in ESTIMATORS[:2]:
                    tally = tallies.setdefault(f"randomised, {estimator}, {kind}, {view}", Tally())
                    read_randomised(estimator, outcome, read, masks, tally)
        outcome, _ = make_panel(seed, 0.08)
        with_lift = outcome.copy()
        with_lift[masks[0], N_PRE:] *= 1.0 + LIFT
        for estimator in ESTIMATORS[1:]:  # difference in differences has no test over time
            tally = tallies.setdefault(f"over time, {estimator}, sensitive, plain", Tally())
            tally.add(read_over_time(estimator, outcome, masks[0]), read_over_time(estimator, with_lift, masks[0]))
    return [figure for name, tally in tallies.items() for figure in rates(name, tally, n_panels)] + widths(tallies)


def rates(name: str, tally: Tally, n_panels: int) -> list[Figure]:
    size, coverage = float(np.mean(tally.rejected)), float(np.mean(tally.covered))
    judged = n_panels >= FULL and name.startswith("randomised")
    note = f"{n_panels} panels, {len(tally.rejected)} tests, alpha {ALPHA}"
    return [
        Figure(f"size, {name}", size, "share", "0.04 to 0.06", abs(size - 0.05) <= 0.01 if judged else None, note),
        Figure(
            f"coverage, {name}",
            coverage,
            "share",
            "0.935 to 0.965",
            abs(coverage - 0.95) <= 0.015 if judged else None,
            note,
        ),
        Figure(f"contradictions, {name}", tally.contradictions, "count", "0", tally.contradictions == 0, note),
    ]


def widths(tallies: dict[str, Tally]) -> list[Figure]:
    """Interval with weather taken out, relative to the plain one, median over panels."""
    found: list[Figure] = []
    for estimator in ESTIMATORS[:2]:
        for kind, bar, most in (("sensitive", "< 1", 1.0), ("insensitive", "<= 1.03", 1.03)):
            plain = np.array(tallies[f"randomised, {estimator}, {kind}, plain"].widths)
            adjusted = np.array(tallies[f"randomised, {estimator}, {kind}, weather-adjusted"].widths)
            both = np.isfinite(plain) & np.isfinite(adjusted)
            ratio = float((adjusted[both] / plain[both]).mean())
            found.append(Figure(f"width, {estimator}, {kind}", ratio, "of the plain interval", bar, ratio <= most))
    return found


def cpu_seconds(work: Callable[[], object], repeats: int = 1) -> float:
    work()
    started = time.process_time()
    for _ in range(repeats):
        work()
    return (time.process_time() - started) / repeats


def read_panel(name: str, geo: str, day: str, value: str) -> Panel | None:
    path = GEO_DATA / name
    if not path.exists():
        return None
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    days = [date.fromisoformat(row[day]) if "-" in row[day] else date(int(row[day]), 1, 1) for row in rows]
    return panel_from_rows([row[geo] for row in rows], days, [float(row[value]) for row in rows])


def speeds() -> list[Figure]:
    panel = read_panel("geolift_test.csv", "location", "date", "Y")
    smoking = read_panel("california_prop99.csv", "State", "Year", "PacksPerCapita")
    if panel is None or smoking is None:
        return [Figure("speed", 0.0, "s", note="left out: ../shared/data/geo is not here")]
    treated = np.array([geo in ("chicago", "portland") for geo in panel.geos])
    controls = tuple(geo for geo, mask in zip(panel.geos, treated, strict=True) if not mask)
    window = Period(panel.days[90], panel.days[104])

    def analyse(estimator: EstimatorName) -> Callable[[], object]:
        question = Question("speed", "ads", "USD", ("chicago", "portland"), controls, window, estimator=estimator)
        return lambda: read_out(panel, question)

    centred = panel.outcome[:, :90] - panel.outcome[:, :90].mean(axis=1, keepdims=True)
    donors, target = centred[~treated], centred[treated].mean(axis=0)
    effects = np.linspace(0.0, 0.25, 51)

    def power_curve() -> None:
        for shift in range(7):
            past = panel.outcome[:, : 90 - shift]
            n_pre = past.shape[1] - 15
            pattern = np.where(np.arange(past.shape[1]) >= n_pre, past[treated].mean(axis=0), 0.0)
            residuals = Refit("synthetic_control", past, treated, pattern).residuals(-effects)
            block_p_values(residuals, n_pre)
            iid_p_values(residuals, n_pre, window_draws(past.shape[1], 15, 1000, seed=shift))

    california = np.array([geo == "California" for geo in smoking.geos])

    def california_with_placebos() -> None:
        counterfactual("synthetic_did", smoking.outcome, california, 19)
        placebo_effects("synthetic_did", smoking.outcome, california, 19, seed=0)

    masks = np.argsort(np.random.default_rng(0).random((1000, len(panel.geos))), axis=1) < 8

    def randomised_power() -> None:
        found = contrasts("synthetic_control", panel.outcome, masks, 75)
        mean = panel.outcome[:, 75:90].mean(axis=1)
        randomisation_p_values(found.mean_effects(mean), found.responses(np.where(masks[0], mean, 0.0)), effects)

    measured = [
        (
            "one fixed-effect synthetic control, 38 donors, 90 days",
            lambda: simplex_weights(donors, target),
            200,
            3e-4,
            "",
        ),
        ("analysis with intervals, synthetic control", analyse("synthetic_control"), 5, 0.5, "GeoLift 16.6 to 24.7"),
        ("analysis with intervals, ridge-augmented", analyse("augmented"), 2, 0.5, "GeoLift 20.9 to 23.3"),
        ("synthetic DID with 200 placebos", california_with_placebos, 2, 1.0, "synthdid 43.8"),
        ("power curve, 357 refits with 1000 permutations and blocks", power_curve, 2, 1.0, "GeoLift 43.0"),
        ("1000 assignments, 51 effects, randomisation test", randomised_power, 2, 1.0, ""),
    ]
    figures: list[Figure] = []
    for name, work, repeats, bar, note in measured:
        spent = cpu_seconds(work, repeats)
        figures.append(Figure(f"CPU, {name}", spent, "s", f"<= {bar:g}", spent <= bar, note))
    return figures


Part = Callable[[int], list[Figure]]
PARTS: dict[str, Part] = {
    "speed": lambda n: [*speeds(), *design_speeds(full=n >= FULL)],
    "panels": simulate,
    "geos": by_geos,
    "worlds": worlds,
    "windows": windows,
    "time": over_time,
    "contaminated": contaminated,
    "power": power_kept,
    "triggers": triggers,
    "trigger-power": trigger_power_kept,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help=f"{SMALL} panels of each kind instead of {FULL}")
    parser.add_argument("--panels", type=int, help="how many panels of each kind")
    parser.add_argument("--only", choices=sorted(PARTS), nargs="+", help="these parts alone")
    parser.add_argument("--write", action="store_true", help="put the figures into the page")
    options = parser.parse_args()
    n_panels: int = options.panels or (SMALL if options.small else FULL)
    found: list[Figure] = []
    for part in options.only or PARTS:
        measured = PARTS[part](n_panels)
        if options.write:
            write_table(part, measured, n_panels)
        found += measured
    print_figures(found)


def write_table(part: str, figures: list[Figure], n_panels: int) -> None:
    """Replaces the part's generated table in the page."""
    text = PAGE.read_text(encoding="utf-8")
    head = f"<!-- {part}: python -m benchmarks.experiments --only {part} --panels {n_panels} --write -->"
    rows = [f"| {one.figure} | {one.value:.3g} {one.unit} | {one.bar} | {one.note} |" for one in figures]
    table = "\n".join(["| figure | measured | bar | of |", "|---|---|---|---|", *rows])
    found, n = re.subn(
        rf"<!-- {part}:.*?<!-- end -->", lambda _: f"{head}\n{table}\n<!-- end -->", text, flags=re.DOTALL
    )
    if n != 1:
        raise SystemExit(f"{PAGE.name} has no place for {part}: write <!-- {part}: --><!-- end --> there.")
    PAGE.write_text(found, encoding="utf-8")


if __name__ == "__main__":
    main()
