"""The media mix model beside PyMC-Marketing's on the same worlds: CPU seconds and error of ROI.

    python -m benchmarks.peers --python PEER/bin/python [--small] [--worlds NAME …] [--first SEED] [--seeds N]

PEER is a virtual environment of its own with `pip install pymc-marketing numpyro`; the peer is no dependency of the
product. It gets what this model gets: the same spend and outcome by week, weather, promotion, price and events as
controls, a trend, two yearly harmonics; geometric carry-over over eight weeks, logistic saturation, its own priors, its
fastest sampler, 4 chains of 500 + 500 draws. CPU seconds are of cold fits, imports left out. Of a world with places it
gets their sum, for no peer was seen to converge on tens of places within minutes; this model gets the places.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.figure import Figure, print_figures
from benchmarks.mmm_truth import ASIDE, panel_of
from weathervane.connectors.synthetic.specs import world_spec
from weathervane.model.features.build import Panel
from weathervane.model.mmm.hierarchical import fit_media_mix
from weathervane.model.mmm.priors import Priors

Floats = NDArray[np.float64]
_NEEDED = "a virtual environment with `pip install pymc-marketing numpyro`, and its interpreter as --python"
_FIT = """
import json, sys, time, warnings
warnings.filterwarnings("ignore")
import arviz as az, numpy as np, pandas as pd
from pymc_marketing.mmm import GeometricAdstock, LogisticSaturation
from pymc_marketing.mmm.multidimensional import MMM
folder, seed = sys.argv[1], int(sys.argv[2])
about = json.load(open(folder + "/about.json"))
rows = pd.read_csv(folder + "/rows.csv", parse_dates=["date"])
before = time.process_time()
model = MMM(
    date_column="date", target_column="sales", channel_columns=about["channels"], control_columns=about["controls"],
    adstock=GeometricAdstock(l_max=8), saturation=LogisticSaturation(), yearly_seasonality=2,
)
x, y = rows.drop(columns="sales"), rows["sales"]
model.build_model(x, y)
model.add_original_scale_contribution_variable(var=["channel_contribution"])
model.fit(x, y, chains=4, tune=500, draws=500, target_accept=0.9, nuts_sampler="numpyro", random_seed=seed,
          progressbar=False)
cpu = time.process_time() - before
caused = model.idata.posterior["channel_contribution_original_scale"].sum("date")
roi = caused / np.array([rows[name].sum() for name in about["channels"]])
quantiles = np.quantile(roi.values.reshape(-1, roi.shape[-1]), [0.05, 0.5, 0.95], axis=0)
print(json.dumps({"cpu": cpu, "quantiles": quantiles.tolist(), "rhat": float(az.rhat(roi).to_array().max())}))
"""


def peer(panel: Panel, seed: int, python: str) -> tuple[float, Floats, float]:
    """The peer's CPU seconds, quantiles [3, c] of ROI at 5, 50 and 95 %, and largest R-hat of an ROI."""
    with tempfile.TemporaryDirectory() as folder:
        _write(panel, Path(folder))
        done = subprocess.run([python, "-c", _FIT, folder, str(seed)], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"The peer did not run: {done.stderr.strip().splitlines()[-1]}. It needs {_NEEDED}.")
    found = json.loads(done.stdout.strip().splitlines()[-1])
    return found["cpu"], np.array(found["quantiles"]), found["rhat"]


def _write(panel: Panel, folder: Path) -> None:
    """What the peer reads: a row a week of all places together, controls scaled to a spread of one."""
    n = panel.n_past
    named: dict[str, Floats] = {"trend": np.linspace(-1, 1, n)}
    named |= {f"weather {i}": values[:, :n].mean(axis=0) for i, values in enumerate(panel.weather)}
    named |= {"promotion": panel.promotion[0, :, :n].mean(axis=0), "price": panel.log_price[0, :, :n].mean(axis=0)}
    named |= {name: panel.event_days[i, :, :n].mean(axis=0) for i, name in enumerate(panel.events)}
    controls = {name: values / values.std() for name, values in named.items() if values.std() > 0}
    columns = {"date": panel.starts[:n], "sales": panel.outcome[0, :, :n].sum(axis=0)}
    columns |= dict(zip(panel.channels, panel.spend[:, :, :n].sum(axis=1), strict=True)) | controls
    pl.DataFrame(columns).write_csv(folder / "rows.csv")
    (folder / "about.json").write_text(json.dumps({"channels": panel.channels, "controls": list(controls)}))


@dataclass(frozen=True)
class Fit:
    """One model's fit of one world: CPU seconds, relative errors of ROI [c], and which lay in their 90 % interval."""

    cpu: float
    error: Floats  # [c]
    held: NDArray[np.bool_]  # [c]

    @staticmethod
    def of(cpu: float, quantiles: Floats, roi: Floats) -> Fit:
        """Quantiles [3, c] at 5, 50 and 95 % beside the true ROI [c]."""
        return Fit(cpu, np.abs(quantiles[1] / roi - 1), (quantiles[0] <= roi) & (roi <= quantiles[2]))


def of_peers(worlds: list[str], seeds: range, python: str) -> Iterator[Figure]:
    """Both models' cost and error on each kind of world, then on all of them together."""
    everywhere: list[tuple[Fit, Fit]] = []
    for world in worlds:
        fits, rhats = list[tuple[Fit, Fit]](), list[float]()
        for seed in track(seeds, world, console=ASIDE):
            panel, truth = panel_of(world_spec(world), seed)
            roi = np.array([truth[channel][0] for channel in panel.channels])
            before = time.process_time()
            own = np.quantile(fit_media_mix(panel, Priors(), seed).roi, [0.05, 0.5, 0.95], axis=0)
            cpu = time.process_time() - before
            peer_cpu, theirs, rhat = peer(panel, seed, python)
            fits.append((Fit.of(cpu, own, roi), Fit.of(peer_cpu, theirs, roi)))
            rhats.append(rhat)
        yield from of_both(world, fits, f"R-hat of ROI <= {max(rhats):.3f}")
        everywhere += fits
    if len(worlds) > 1:
        yield from of_both("all of these worlds", everywhere)


def of_both(world: str, fits: list[tuple[Fit, Fit]], of_peer: str = "") -> Iterator[Figure]:
    """Cost, coverage and error of both; ours is held to half of the peer's error."""
    theirs = float("nan")
    for name, found in reversed(list(zip(("weathervane", "pymc-marketing"), zip(*fits, strict=True), strict=True))):
        held, error = (np.concatenate(each) for each in zip(*((fit.held, fit.error) for fit in found), strict=True))
        of = f"{world}, {name}"
        note = of_peer if name == "pymc-marketing" else f"the first {found[0].cpu:.1f}"
        yield Figure(f"{of}: a fit, median", float(np.median([fit.cpu for fit in found])), "CPU s", note=note)
        yield Figure(
            f"{of}: true ROI in its 90 % interval", float(held.mean()), "share", note=f"{held.sum()} of {held.size}"
        )
        median = float(np.median(error))
        if name == "pymc-marketing":
            theirs = median
            yield Figure(f"{of}: relative error of ROI, median", median, "share")
        else:
            half = theirs / 2
            yield Figure(
                f"{of}: relative error of ROI, median",
                median,
                "share",
                f"<= {half:.3f}",
                median <= half,
                f"{error.size}",
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="one world")
    parser.add_argument("--python", help=f"the peer's interpreter: {_NEEDED}")
    kinds = ["sensitive", "triggered", "national-weekly"]
    parser.add_argument("--worlds", nargs="+", choices=kinds, default=kinds)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=1000)
    chosen = parser.parse_args()
    if not chosen.python:
        sys.exit(f"The peer is not part of this product. The comparison needs {_NEEDED}.")
    n = 1 if chosen.small else chosen.seeds
    print_figures(of_peers(chosen.worlds, range(chosen.first, chosen.first + n), chosen.python))


if __name__ == "__main__":
    main()
