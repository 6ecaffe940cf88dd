"""The media mix model: truth over many worlds, experiments, calibration, speed and memory.

    python -m benchmarks.mmm [--small] [--seeds N] [--first SEED]
                             [--only truth|believed|outside|warmth|wetness|experiments|likelihoods|calibration|speed|
                                     scale]

A figure's bar is what the product promises. Fits on panels and worlds of known truth; speed cases each run in a process
of their own, cold (first fit) and warm (compiled before, new data). CPU seconds, imports excluded.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import get_args

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from scipy.stats import chisquare

from benchmarks.figure import Figure, print_figures
from benchmarks.mmm_truth import ASIDE, Floats, inside, of_believed, of_outside, of_truth, of_warmth, share_in_bar
from benchmarks.panels import Cut, scattered, simulate
from weathervane.contracts.errors import ModelFailed
from weathervane.contracts.experiment import LiftResult
from weathervane.model.features.build import Panel
from weathervane.model.mmm.calibration import check_experiment
from weathervane.model.mmm.design import Likelihood
from weathervane.model.mmm.hierarchical import MediaMixFit, fit_media_mix
from weathervane.model.mmm.likelihood import (
    N_SHAPES,
    columns_of,
    n_coordinates,
    prior_sd_of,
    response_per_unit,
    spreads,
)
from weathervane.model.mmm.modulation import modulation_doubts
from weathervane.model.mmm.prepare import prepare, without_tested
from weathervane.model.mmm.priors import ChannelPriors, Normal, Priors

NAMED_WORLDS = 0.8  # prior sd: as far from the centre of its priors as the farthest channel of the named worlds


def lift_of(
    panel: Panel, channel: int, treated: tuple[str, ...], window: object, lift: float, cut: float
) -> LiftResult:
    """A read-out with a standard error of a tenth of the lift, 90 % interval."""
    reach = 1.645 * 0.1 * abs(lift)
    return LiftResult(
        "test", panel.channels[channel], "treated", "USD", "synthetic_control", "randomisation", 0.1, treated, (),
        window, 0, len(treated), 0, window.n_days, 0.05, None, None, lift, lift - reach, lift + reach, 0.01, 0.01, -cut,
        lift / cut, None, None, None, None, None, True, (), "",
    )  # fmt: skip


def of_experiments(n: int) -> list[Figure]:
    shrunk, covered, flagged, quiet = [], [], [], []
    for seed in track(range(n), "experiments", console=ASIDE):
        # Spend that hardly differs between places, as most brands have it: why they test.
        made = simulate(16, 104, 4, 7, 5000 + seed, local=0.1, cut=Cut(channel=0))
        rng = np.random.default_rng(seed)
        measured = made.lift * (1 + 0.1 * rng.standard_normal())
        test = lift_of(made.panel, 0, made.treated, made.window, measured, made.cut)
        wrong = lift_of(made.panel, 0, made.treated, made.window, -2.0 * made.lift, made.cut)
        # Without the test, its rows are unknown too: else the same outcome would be counted before and after.
        before = fit_media_mix(without_tested(made.panel, (test,)), Priors(), seed)
        after = fit_media_mix(made.panel, Priors(), seed, experiments=(test,))
        widths = [float(np.ptp(np.quantile(fit.roi[:, 0], [0.05, 0.95]))) for fit in (before, after)]
        shrunk.append(1 - widths[1] / widths[0])
        covered.append(inside(made.roi[:1], np.quantile(after.roi[:, :1], [0.05, 0.95], axis=0)))
        quiet.append(not check_experiment(before, made.panel, test).conflicts)
        flagged.append(check_experiment(before, made.panel, wrong).conflicts)
    less = float(np.median(shrunk))
    return [
        Figure("one experiment: narrower ROI interval, median", less, "share", ">= 0.4", less >= 0.4, f"of {n} panels"),
        share_in_bar("one experiment: true ROI in its 90 % interval", covered),
        Figure("one experiment: wrong one flagged", float(np.mean(flagged)), "share", "1", all(flagged)),
        Figure(
            "one experiment: right one not flagged",
            float(np.mean(quiet)),
            "share",
            ">= 0.9",
            bool(np.mean(quiet) >= 0.9),
        ),
    ]


def of_calibration(seeds: range) -> list[Figure]:
    """Simulation-based calibration: effects drawn from the prior, outcome from the model; their ranks are uniform.

    A right interval covers as often as it says over the prior, and so more often near its centre: told apart.
    """
    found = [rank_of_truth(seed) for seed in track(seeds, "calibration", console=ASIDE)]
    pooled, far = (np.concatenate(each) for each in zip(*found, strict=True))
    counts = np.histogram(pooled, bins=10, range=(0.0, 1.0))[0]
    p, held = float(chisquare(counts).pvalue), (pooled >= 0.05) & (pooled <= 0.95)
    near = far <= NAMED_WORLDS
    return [
        Figure("calibration: ranks uniform, p", p, "p", ">= 0.01", p >= 0.01, f"{len(pooled)} ranks {counts.tolist()}"),
        share_in_bar("calibration: effects in their 90 % interval", [held]),
        *(
            Figure(
                f"calibration: the same, {where} {NAMED_WORLDS} prior sd of the prior's centre",
                float(held[of].mean()),
                "share",
                note=f"{held[of].sum()} of {of.sum()}",
            )
            for where, of in (("within", near), ("beyond", ~near))
        ),
    ]


def rank_of_truth(seed: int) -> tuple[Floats, Floats]:
    """[c] each: the share of posterior draws of what each channel caused that lie below the truth; and how many prior
    standard deviations its effect, half-saturation and slope are from the prior's centre, root mean square."""
    from weathervane.model.mmm import hierarchical  # the engine's own stages, on data drawn from its own prior

    rng = np.random.default_rng(seed)
    panel = simulate(1, 120, 3, 7, seed).panel
    design, data, form = prepare(panel, Priors())
    x = rng.standard_normal(n_coordinates(3))
    response = response_per_unit(jnp.asarray(x), data, form)[0]
    noise = float(spreads(jnp.asarray(x), data)[0][-1])
    media = np.asarray(columns_of(response, data, form))[0]  # [q, t]
    sd = np.asarray(prior_sd_of(data, spreads(jnp.asarray(x), data)[0]))
    coefficient = np.asarray(data.prior_mean) + sd * rng.standard_normal(len(sd))
    baseline = np.asarray(data.fixed)[0, :, :-1]
    rows = np.concatenate([baseline, media.T], axis=1)
    outcome = rows @ coefficient + noise * rng.standard_normal(len(rows)) * (np.asarray(data.lead)[0] > 0)
    fixed = np.concatenate([baseline, outcome[:, None]], axis=1)[None]
    varies = list(design.varies)
    data = data._replace(
        fixed=jnp.asarray(fixed),
        gram_total=jnp.asarray(fixed[0].T @ fixed[0]),
        gram_varying=jnp.asarray((fixed[0][:, varies].T @ fixed[0])[None]),
    )
    q = media.shape[0]
    effect = coefficient[-q:]
    weighted = np.asarray(response)[:, 0]
    caused = weighted.sum(axis=1) * effect[:3]
    caused += effect[3:] * (weighted * np.asarray(data.weather)[:, 0]).sum(axis=1)
    drawn = hierarchical.sample(data, form, seed).caused
    apart = ((effect - np.asarray(data.prior_mean)[-q:]) / np.asarray(data.prior_sd)[-q:])[:3]
    _, half_saturation, slope, _ = x[: N_SHAPES * 3].reshape(N_SHAPES, 3)
    return (drawn < caused).mean(axis=0), np.sqrt((apart**2 + half_saturation**2 + slope**2) / 3)


def of_likelihoods(seeds: range) -> list[Figure]:
    """Outcomes that scatter as each likelihood says, fitted with it; and with the normal one, for comparison."""
    figures: list[Figure] = []
    for kind in get_args(Likelihood):
        covered, width, plain, failed = [], [], [], 0
        for seed in track(seeds, kind, console=ASIDE):
            panel, roi = scattered(kind, seed)
            try:
                draws = fit_media_mix(panel, Priors(), seed, likelihood=kind).roi
            except ModelFailed:
                failed += 1
                continue
            interval = np.quantile(draws, [0.05, 0.95], axis=0)
            covered.append(inside(roi, interval))
            width.append(np.ptp(interval, axis=0))
            if kind in ("student", "censored"):
                normal = np.quantile(fit_media_mix(panel, Priors(), seed).roi, [0.05, 0.95], axis=0)
                plain.append(np.ptp(normal, axis=0))
        figures.append(Figure(f"{kind}: fits that did not converge", failed / len(seeds), "share", note="no result"))
        if not covered:
            continue
        figures.append(share_in_bar(f"{kind}: true ROI in its 90 % interval", covered))
        if plain:
            ratio = float(np.median(np.concatenate(width) / np.concatenate(plain)))
            figures.append(Figure(f"{kind}: width over that of a normal fit, median", ratio, "share"))
    return figures


_LONG = ("outside", "wetness", "likelihoods", "scale")  # each takes minutes
CASES = {
    "national weekly x 5": (1, 168, 5, 7, 10.0, 2.5),
    "geo weekly 40 x 168 x 5": (40, 168, 5, 7, 25.0, 12.0),
    "geo daily 40 x 730 x 5": (40, 730, 5, 1, 45.0, 25.0),
}
BIG = (210, 730, 10, 1)


def of_wetness(seeds: range) -> Iterator[Figure]:
    """A return that rises by 0.8 from all dry to all wet, beside two that do not: found, shrunk, or said to be open."""
    # The belief is 0.6 of a return that is believed Normal(1, 1.5).
    truth, priors = 0.8, Priors(default=ChannelPriors(wet_modulation=Normal(0.0, 0.6 / np.hypot(1.0, 1.5))))
    for places in (24, 1):
        intervals, roi_held, left_open, failed = list[Floats](), list[NDArray[np.bool_]](), 0, 0
        for seed in track(seeds, f"{places} places", console=ASIDE):
            made = simulate(places, 104, 3, 7, seed, wet=(truth, 0.0, 0.0))
            try:
                fit = fit_media_mix(made.panel, priors, seed)
            except ModelFailed:
                failed += 1
                continue
            intervals.append(np.quantile(fit.wet_modulation, [0.05, 0.95], axis=0))
            roi_held.append(inside(made.roi, np.quantile(fit.roi, [0.05, 0.95], axis=0)))
            left_open += sum(said.count("channel-") for said in modulation_doubts(fit) if "wetter" in said)
        low, high = np.stack(intervals, axis=1)  # [world, channel]
        none = (low[:, 1:] <= 0) & (high[:, 1:] >= 0)
        world = f"rain, {places} place{'s' if places > 1 else ''}"
        yield share_in_bar(
            f"{world}: true modulation in its 90 % interval", [(low[:, 0] <= truth) & (truth <= high[:, 0])]
        )
        yield Figure(f"{world}: modulation told from zero", float((low[:, 0] > 0).mean()), "share")
        yield Figure(
            f"{world}: no modulation where there is none",
            float(none.mean()),
            "share",
            ">= 0.9",
            bool(none.mean() >= 0.9),
        )
        yield share_in_bar(f"{world}: true ROI in its 90 % interval", roi_held)
        yield Figure(f"{world}: channels said to be left open", left_open / low.size, "share")
        yield Figure(f"{world}: fits that did not converge", failed / len(seeds), "share", note="no result")


def measure(g: int, t: int, c: int, step: int, n_fits: int) -> dict[str, list[float]]:
    """CPU and wall seconds of fits in a new process, the first cold, and the peak of its memory in GB."""
    script = f"from benchmarks import mmm; mmm.child({g}, {t}, {c}, {step}, {n_fits})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def child(g: int, t: int, c: int, step: int, n_fits: int) -> None:
    cpu, wall, rhat, ess = [], [], [], []
    for seed in range(n_fits):
        panel = simulate(g, t, c, step, seed).panel
        cpu0, wall0 = time.process_time(), time.perf_counter()
        fit: MediaMixFit = fit_media_mix(panel, Priors(), seed)
        cpu.append(time.process_time() - cpu0)
        wall.append(time.perf_counter() - wall0)
        rhat.append(fit.convergence.rhat_max)
        ess.append(min(fit.convergence.ess_min, fit.convergence.ess_tail_min))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps({"cpu": cpu, "wall": wall, "rhat": rhat, "ess": ess, "peak_gb": [peak]}))


def of_speed(*, small: bool) -> list[Figure]:
    figures: list[Figure] = []
    load = f"load {os.getloadavg()[0]:.1f} at the start"
    for name, (g, t, c, step, cold, warm) in CASES.items():
        if small and g > 1:
            continue
        found = measure(g, t, c, step, 2 if small else 4)
        first, later = found["cpu"][0], float(np.median(found["cpu"][1:]))
        honest = f"R-hat <= {max(found['rhat']):.3f}, ESS >= {min(found['ess']):.0f}, {load}"
        figures.append(Figure(f"{name}, cold", first, "CPU s", f"<= {cold:g}", first <= cold, honest))
        figures.append(Figure(f"{name}, warm", later, "CPU s", f"<= {warm:g}", later <= warm, honest))
        wall = float(np.median(found["wall"][1:]))
        figures.append(Figure(f"{name}, warm, wall", wall, "s", note=load))
        if step == 1:
            peak = found["peak_gb"][0]
            figures.append(Figure(f"{name}, peak memory", peak, "GB", "<= 2", peak <= 2.0))
    if not small:
        found = measure(*BIG, 2)
        wall, peak = found["wall"][1], found["peak_gb"][0]
        figures.append(Figure("geo daily 210 x 730 x 10, cold", found["cpu"][0], "CPU s", note=load))
        figures.append(Figure("geo daily 210 x 730 x 10, warm, wall", wall, "s", "<= 300", wall <= 300))
        figures.append(Figure("geo daily 210 x 730 x 10, peak memory", peak, "GB", "<= 8", peak <= 8))
    return figures


def of_scale() -> list[Figure]:
    """How warm CPU seconds grow with places, weeks, days in a week and channels: the exponent between two sizes."""
    base = (20, 104, 4, 7)
    bigger = {
        "four times the places": ((80, 104, 4, 7), 4),
        "four times the weeks": ((20, 416, 4, 7), 4),
        "twice the channels": ((20, 104, 8, 7), 2),
        "four times the channels": ((20, 104, 16, 7), 4),
        "days instead of weeks": ((20, 728, 4, 1), 7),
    }
    small = float(np.median(measure(*base, 4)["cpu"][1:]))
    figures = [Figure("20 x 104 x 4, warm", small, "CPU s")]
    for name, (case, times) in bigger.items():
        cost = float(np.median(measure(*case, 3)["cpu"][1:]))
        slope = float(np.log(cost / small) / np.log(times))
        figures.append(Figure(f"{name}, warm", cost, "CPU s", note=f"grows with the power {slope:.2f}"))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--small",
        action="store_true",
        help=f"two minutes: one world of each kind, the smallest case, without {', '.join(_LONG)}",
    )
    parser.add_argument(
        "--only",
        choices=[
            "truth",
            "believed",
            "outside",
            "warmth",
            "wetness",
            "experiments",
            "likelihoods",
            "calibration",
            "speed",
            "scale",
        ],
    )
    parser.add_argument("--seeds", type=int, default=25, help="worlds of each kind")
    parser.add_argument("--first", type=int, default=1000)
    chosen = parser.parse_args()
    small = chosen.small
    seeds = range(chosen.first, chosen.first + (1 if small else chosen.seeds))
    parts: dict[str, Callable[[], Iterable[Figure]]] = {
        "speed": lambda: of_speed(small=small),
        "truth": lambda: of_truth(seeds),
        "believed": lambda: of_believed(seeds),
        "outside": lambda: of_outside(seeds),
        "warmth": lambda: of_warmth(seeds),
        "wetness": lambda: of_wetness(seeds),
        "experiments": lambda: of_experiments(1 if small else 20),
        "likelihoods": lambda: of_likelihoods(seeds),
        "calibration": lambda: of_calibration(seeds),
        "scale": of_scale,
    }
    wanted = [chosen.only] if chosen.only else [name for name in parts if not (small and name in _LONG)]
    figures = (figure for name in wanted for figure in parts[name]())
    # One world says that it runs, not how often it holds.
    print_figures(replace(f, holds=None) if small and f.unit in ("share", "p") else f for f in figures)


if __name__ == "__main__":
    main()
