"""What no better fit could do: error of ROI in the named worlds when told what a model has to find out.

    python -m benchmarks.limits [--small] [--world national-weekly|sensitive] [--first SEED] [--seeds N]

`shapes known`: this model's own baseline, priors and noise, told how every channel's response goes (carry-over,
saturation, weather, places), so that only how large each is remains. `all known`: the baseline told as well; what is
left is noise.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import jax.numpy as jnp
import numpy as np
import polars as pl
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.figure import Figure, print_figures
from benchmarks.mmm_truth import AS_OF, ASIDE, LAST_DAY
from weathervane.connectors.synthetic.world import World, make_world
from weathervane.model.features.build import Panel, build_panel
from weathervane.model.features.grain import select_grain
from weathervane.model.mmm import sampler
from weathervane.model.mmm.likelihood import LEVEL_BY_GEO, log_density_of, n_coordinates, prior_sd_of, spreads
from weathervane.model.mmm.prepare import prepare
from weathervane.model.mmm.priors import Priors
from weathervane.model.pipeline import known_at

Floats = NDArray[np.float64]
_NINETY = 1.645  # standard deviations either side of a Gaussian's middle that hold nine tenths of it


def errors(name: str, seed: int) -> tuple[Floats, Floats, Floats]:
    """[c] each: relative error of ROI with the shapes known, and with all known; of the first also whether the truth
    lies in its 90 % interval."""
    world = make_world(name, seed=seed, end=LAST_DAY)
    tables = known_at(world.tables, AS_OF)
    panel = build_panel(tables, select_grain(tables), as_of=AS_OF, step_days=7, horizon=1, total=True)
    design, data, form = prepare(panel, Priors())
    true_roi = {each.channel: each.roi for each in world.truth.channels}
    roi = np.array([true_roi[channel] for channel in panel.channels])
    media, expected = _truth(world, panel)
    level, c = design.level[:, None], len(roi)
    # What a return of one would have brought, week by week; the true coefficient is the ROI.
    per_unit = np.moveaxis(design.whiten(media / roi[:, None, None] / level), 0, -1)  # [g, t, c]

    peak = sampler.find_peak(log_density_of(data, form), np.zeros(n_coordinates(c))).mode
    common, _ = spreads(jnp.asarray(peak), data)
    noise, p = float(common[-1]), design.baseline.shape[-1]
    columns = np.concatenate([design.baseline, per_unit], axis=-1)
    sd, mean = np.asarray(prior_sd_of(data, common))[: p + c], np.asarray(data.prior_mean)[: p + c]
    season = np.where(np.asarray(data.is_season), float(common[0]), float(common[1]))
    by_place = np.where(np.asarray(data.is_level), LEVEL_BY_GEO, season)
    precision, right = np.diag(1 / sd**2), mean / sd**2
    for x, y in zip(columns, design.outcome, strict=True):
        metric = np.eye(len(y))
        if len(columns) > 1:
            own = x[:, list(design.varies)] * by_place
            metric -= own @ np.linalg.solve(np.eye(own.shape[1]) * noise**2 + own.T @ own, own.T)
        precision += x.T @ metric @ x / noise**2
        right += x.T @ metric @ y / noise**2
    covariance = np.linalg.inv(precision)
    shapes_known = (covariance @ right)[p:]
    held = np.abs(shapes_known - roi) <= _NINETY * np.sqrt(np.diag(covariance)[p:])

    rest = panel.outcome[0, :, : panel.n_past] - expected + media.sum(axis=0)
    left = design.whiten(np.where(design.observed > 0, rest / level, 0.0))
    gram = np.einsum("gtc,gtd->cd", per_unit, per_unit)
    all_known = np.linalg.solve(gram, np.einsum("gtc,gt->c", per_unit, left))
    return np.abs(shapes_known / roi - 1), np.abs(all_known / roi - 1), held.astype(np.float64)


def _truth(world: World, panel: Panel) -> tuple[Floats, Floats]:
    """What each channel caused [c, g, t], and the expected outcome [g, t], by the panel's weeks."""
    media = [
        _by_week(world.truth.contributions.filter(pl.col("channel") == channel), "contribution", panel)
        for channel in panel.channels
    ]
    return np.stack(media), _by_week(world.truth.outcome, "expected", panel)


def _by_week(frame: pl.DataFrame, column: str, panel: Panel) -> Floats:
    starts = panel.starts[: panel.n_past]
    week = (pl.col("date") - pl.lit(starts[0])).dt.total_days().floordiv(7)
    summed = frame.group_by("geo", week.alias("week")).agg(pl.col(column).sum())
    out = np.zeros((len(panel.geos), len(starts)))
    place = {geo: i for i, geo in enumerate(panel.geos)}
    for geo, at, value in summed.iter_rows():
        if 0 <= at < len(starts):
            out[place[geo], at] = value
    return out


def of_limits(world: str, seeds: range) -> Iterator[Figure]:
    """The median over worlds and channels of both."""
    found = np.array([errors(world, seed) for seed in track(seeds, world, console=ASIDE)])  # [world, which, c]
    for i, told in enumerate(("shapes known", "all known")):
        note = (
            f"{found[:, i].size} channels of {len(seeds)} worlds; by channel {np.median(found[:, i], axis=0).round(2)}"
        )
        value = float(np.median(found[:, i]))
        yield Figure(f"{world}, {told}: relative error of ROI, median", value, "share", note=note)
    held = found[:, 2]
    note = f"{held.sum():.0f} of {held.size}"
    yield Figure(f"{world}, shapes known: true ROI in its 90 % interval", float(held.mean()), "share", note=note)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="two worlds")
    parser.add_argument("--world", choices=["national-weekly", "sensitive"], default="national-weekly")
    parser.add_argument("--seeds", type=int, default=27)
    parser.add_argument("--first", type=int, default=4000)
    chosen = parser.parse_args()
    n = 2 if chosen.small else chosen.seeds
    print_figures(of_limits(chosen.world, range(chosen.first, chosen.first + n)))


if __name__ == "__main__":
    main()
