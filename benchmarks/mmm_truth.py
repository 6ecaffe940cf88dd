"""The media mix model against worlds of known truth: named ones, and ones whose channels are drawn from its priors.

Run by `python -m benchmarks.mmm --only truth`, `--only believed`, `--only outside` and `--only warmth`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from benchmarks.figure import Figure
from benchmarks.outside_worlds import INSIDE, KINDS, WORDS, Kind, known_world
from weathervane.connectors.synthetic.specs import WorldSpec, world_spec
from weathervane.connectors.synthetic.world import build_world
from weathervane.contracts.errors import ModelFailed, NotEnoughData
from weathervane.model.features.build import Panel, build_panel
from weathervane.model.features.grain import select_grain
from weathervane.model.mmm.hierarchical import MediaMixFit, fit_media_mix
from weathervane.model.mmm.joint import joined
from weathervane.model.mmm.placebo import media_signal
from weathervane.model.mmm.prepare import prepare
from weathervane.model.mmm.priors import LogNormal, Priors
from weathervane.model.mmm.weather_reaction import weather_reactions, without_weather
from weathervane.model.pipeline import known_at

Floats = NDArray[np.float64]
ASIDE = Console(stderr=True)  # figures alone go to standard output
LAST_DAY, AS_OF = date(2026, 5, 31), datetime(2026, 6, 1, 6, tzinfo=UTC)
Truths = dict[str, tuple[float, float, float]]  # of each channel: ROI, contribution share, modulation
WARMTH = 0.3  # log-change of an effect for one standard deviation of temperature
REAL_CHANNEL = 0.03  # a share of the outcome that must not be called nothing


@dataclass(frozen=True)
class Seen:
    """One world's channels c: truth, 90 % intervals, and what was told from zero."""

    roi: Floats  # [c], true
    share: Floats  # [c], true
    delta: Floats  # [c], true modulation
    interval: Floats  # [2, c], of ROI
    share_interval: Floats  # [2, c]
    median: Floats  # [c]
    modulation: Floats  # [2, c]
    total_told: bool
    told: NDArray[np.bool_]  # [c]
    unadjusted: Floats  # [2, c], of a fit that knows no weather, where spend reacts; else NaN
    reacts: NDArray[np.bool_]  # [c]


def panel_of(spec: WorldSpec, seed: int) -> tuple[Panel, Truths]:
    """A world's weekly panel and each channel's true ROI, contribution share and modulation."""
    world = build_world(spec, seed=seed, end=LAST_DAY)
    tables = known_at(world.tables, AS_OF)
    panel = build_panel(tables, select_grain(tables), as_of=AS_OF, step_days=7, horizon=1, total=True)
    return panel, {each.channel: (each.roi, each.contribution_share, each.delta) for each in world.truth.channels}


def look(name: str, seed: int) -> Seen:
    panel, truth = panel_of(world_spec(name), seed)
    fit = fit_media_mix(panel, Priors(), seed)
    seen = seen_in(fit, truth)
    signal = media_signal(fit.design, fit.data, fit.form)
    reactions = weather_reactions(panel)
    reacts = np.array([each.reacts for each in reactions]) if reactions else seen.reacts
    unadjusted = seen.unadjusted
    if reacts.any():
        unadjusted = np.quantile(fit_media_mix(without_weather(panel), Priors(), seed).roi, [0.05, 0.95], axis=0)
    low, high = seen.interval
    told = signal.told_from_zero & ((low > 0) | (high < 0))
    return replace(seen, total_told=signal.told_from_zero, told=told, unadjusted=unadjusted, reacts=reacts)


def seen_in(fit: MediaMixFit, truth: Truths) -> Seen:
    """What the fit alone says, beside the truth; nothing told from zero, no reaction looked for."""
    low, median, high = np.quantile(fit.roi, [0.05, 0.5, 0.95], axis=0)
    roi, share, delta = np.array([truth[channel] for channel in fit.channels]).T
    nothing = np.zeros(len(median), dtype=bool)
    return Seen(
        roi,
        share,
        delta,
        np.stack([low, high]),
        np.quantile(fit.contribution_share, [0.05, 0.95], axis=0),
        median,
        np.quantile(fit.modulation, [0.05, 0.95], axis=0),
        total_told=False,
        told=nothing,
        unadjusted=np.full((2, len(median)), np.nan),
        reacts=nothing,
    )


def fitted(spec: WorldSpec, seed: int) -> Seen:
    """A world of that spec as a fit alone sees it."""
    panel, truth = panel_of(spec, seed)
    return seen_in(fit_media_mix(panel, Priors(), seed), truth)


def each_of(seeds: range, name: str, look_at: Callable[[int], Seen]) -> tuple[list[Seen], Figure]:
    """Every world whose fits converge, and how many others there are."""
    found: list[Seen] = []
    for seed in track(seeds, name, console=ASIDE):
        with suppress(ModelFailed):
            found.append(look_at(seed))
    failed = 1 - len(found) / len(seeds)
    return found, Figure(f"{name}: fits that did not converge", failed, "share", note="no result")


def of_truth(seeds: range) -> Iterator[Figure]:
    everywhere: list[Seen] = []
    for name in ("sensitive", "triggered", "national-weekly", "null"):
        seen, failed = each_of(seeds, name, partial(look, name))
        yield failed
        everywhere += seen
        yield from of_null(seen) if name == "null" else of_world(name, seen)
    yield from of_intervals("all of these worlds", everywhere)
    yield of_sparse(seeds)


def of_warmth(seeds: range) -> Iterator[Figure]:
    """The sensitive world with one channel that works a third better for each standard deviation of warmth."""
    plain = world_spec("sensitive")
    moved = tuple(replace(one, delta=WARMTH) if one.delta else one for one in plain.channels)
    warm = replace(plain, channels=moved)
    found, failed = each_of(seeds, "warmth", lambda seed: fitted(warm, seed))
    yield failed
    # Effects multiply by exp(delta z); the model's are linear in z, so its truth is the slope of the two at z = 0.
    yield share_in_bar(
        "warmth: true modulation in its 90 % interval",
        [inside(w.roi * w.delta, w.modulation)[w.delta > 0] for w in found],
    )
    told = np.concatenate([w.modulation[0][w.delta > 0] > 0 for w in found])
    yield Figure("warmth: modulation told from zero", float(told.mean()), "share", note=f"{told.sum()} of {told.size}")
    none = np.concatenate([inside(np.zeros(1), w.modulation)[w.delta == 0] for w in found])
    quiet = float(none.mean())
    yield Figure(
        "warmth: no modulation where there is none",
        quiet,
        "share",
        ">= 0.9",
        quiet >= 0.9,
        f"{none.sum()} of {none.size}",
    )
    yield from of_intervals("warmth", found)


def of_believed(seeds: range) -> Iterator[Figure]:
    """Worlds whose channels are drawn from the priors: there a right interval holds as often as it says.

    In the named worlds the truth is always near the middle of what is believed, and there it holds more often.
    """
    for name in ("sensitive", "national-weekly"):
        drawn, spec = f"{name}, channels drawn from the priors", world_spec(name)
        seen, failed = each_of(seeds, drawn, lambda seed, spec=spec: fitted(as_believed(spec, seed), seed))
        yield failed
        yield from of_intervals(drawn, seen)


def of_outside(seeds: range) -> Iterator[Figure]:
    """Worlds whose ads work as the model believes, and worlds in which they do not, kind by kind and together."""
    every: dict[bool, list[NDArray[np.bool_]]] = {True: [], False: []}
    for kind in KINDS:
        hits: list[NDArray[np.bool_]] = []
        for seed in track(seeds, kind, console=ASIDE):
            with suppress(ModelFailed):
                hits.append(_returns_held(kind, seed))
        yield Figure(f"{kind}: fits that did not converge", 1 - len(hits) / len(seeds), "share", note=WORDS[kind])
        if hits:
            held = np.concatenate(hits)
            value, note = float(held.mean()), f"{held.sum()} of {held.size}"
            yield Figure(f"{kind}: true ROI in its 90 % interval", value, "share", note=note)
            every[kind in INSIDE] += hits
    if every[True]:
        yield share_in_bar("inside the family: true ROI in its 90 % interval", every[True])
    if every[False]:
        held = np.concatenate(every[False])
        value = float(held.mean())
        note = f"{held.sum()} of {held.size}"
        name = "outside the family: true ROI in its 90 % interval"
        yield Figure(name, value, "share", ">= 0.8", value >= 0.8, note)


def _returns_held(kind: Kind, seed: int) -> NDArray[np.bool_]:
    """[c]: whether the true return lies in its 90 % interval, of a fit to channels joined as training joins them."""
    world = known_world(kind, seed)
    panel = world.panel()
    one = joined(panel, Priors(), (), "normal")
    fit = fit_media_mix(one.panel, one.priors, seed)
    spent = panel.spend[:, :, : panel.n_past].sum(axis=(1, 2))
    held: list[bool] = []
    for c, channel in enumerate(fit.channels):
        members = [i for i, each in enumerate(panel.channels) if each in channel.split(" + ")]
        truth = float(world.roi[members] @ spent[members] / spent[members].sum())
        low, high = np.quantile(fit.roi[:, c], [0.05, 0.95])
        held.append(bool(low <= truth <= high))
    return np.array(held)


def as_believed(spec: WorldSpec, seed: int) -> WorldSpec:
    """The spec with returns, half-lives, half-saturations and slopes drawn from the default priors."""
    rng, prior = np.random.default_rng([seed, 8]), Priors().default
    panel = panel_of(spec, seed)[0]  # what is spent does not depend on what it does
    unit = dict(zip(panel.channels, prepare(panel, Priors())[0].unit_in_means, strict=True))

    def positive(believed: LogNormal) -> float:
        return float(believed.median * np.exp(believed.spread * rng.standard_normal()))

    drawn = tuple(
        replace(
            channel,
            roi=float(rng.normal(prior.roi.mean, prior.roi.sd)),
            half_life_days=positive(prior.half_life_days),
            # A world's is in multiples of mean spend.
            half_saturation=positive(prior.half_saturation) * float(unit[channel.name]),
            slope=positive(prior.slope),
        )
        for channel in spec.channels
    )
    return replace(spec, channels=drawn)


def inside(values: Floats, interval: Floats) -> NDArray[np.bool_]:
    return (interval[0] <= values) & (values <= interval[1])


def share_in_bar(name: str, hits: list[NDArray[np.bool_]]) -> Figure:
    flat = np.concatenate(hits)
    share = float(flat.mean())
    return Figure(name, share, "share", "0.86 to 0.94", 0.86 <= share <= 0.94, f"{flat.sum()} of {len(flat)}")


def of_intervals(name: str, worlds: list[Seen]) -> list[Figure]:
    return [
        share_in_bar(f"{name}: true ROI in its 90 % interval", [inside(w.roi, w.interval) for w in worlds]),
        share_in_bar(f"{name}: true share in its 90 % interval", [inside(w.share, w.share_interval) for w in worlds]),
    ]


def of_world(name: str, worlds: list[Seen]) -> list[Figure]:
    figures = of_intervals(name, worlds)
    error = float(np.median(np.concatenate([np.abs(w.median / w.roi - 1) for w in worlds])))
    figures.append(Figure(f"{name}: relative error of ROI, median", error, "share"))
    if name == "sensitive":
        real = np.concatenate([~w.told[w.share > REAL_CHANNEL] for w in worlds])
        note = f"{real.sum()} of {len(real)} channels above 3 % of the outcome"
        missed = float(real.mean())
        figures.append(
            Figure("sensitive: real channels called nothing", missed, "share", "<= 0.05", missed <= 0.05, note)
        )
        moved = np.concatenate([w.modulation[0][w.delta > 0] > 0 for w in worlds])
        still = np.concatenate([inside(np.zeros(1), w.modulation[:, w.delta == 0]) for w in worlds])
        figures.append(Figure("sensitive: true modulation told from none", float(moved.mean()), "share"))
        quiet = float(still.mean())
        figures.append(Figure("sensitive: no modulation where there is none", quiet, "share", ">= 0.9", quiet >= 0.9))
    if name == "triggered":
        reacting = [w for w in worlds if w.reacts.any()]
        naive = np.concatenate([inside(w.roi, w.unadjusted)[w.reacts] for w in reacting])
        adjusted = [inside(w.roi, w.interval)[w.reacts] for w in reacting]
        figures.append(Figure("triggered: spend found to react", len(reacting) / len(worlds), "share", "1"))
        figures.append(
            Figure(
                "triggered: true ROI in the naive interval",
                float(naive.mean()),
                "share",
                note="biased, as it should be",
            )
        )
        figures.append(share_in_bar("triggered: true ROI in the adjusted interval, reacting channels", adjusted))
    return figures


def of_null(worlds: list[Seen]) -> list[Figure]:
    total = float(np.mean([not w.total_told for w in worlds]))
    single = float(np.mean(np.concatenate([~w.told for w in worlds])))
    return [
        *of_intervals("null", worlds),
        Figure("null: total media not told from zero", total, "share", ">= 0.9", total >= 0.9, f"of {len(worlds)}"),
        Figure("null: single channels not told from zero", single, "share", ">= 0.9", single >= 0.9),
    ]


def of_sparse(seeds: range) -> Figure:
    refused = 0
    for seed in seeds:
        try:
            fit_media_mix(panel_of(world_spec("sparse"), seed)[0], Priors(), seed)
        except NotEnoughData:
            refused += 1
    share = refused / len(seeds)
    return Figure("sparse: refused with what is missing", share, "share", "1", share == 1.0)
