"""The hierarchical engine: partially pooled over geos, by day or week, sampled on its collapsed density (mmm.md).

panel -> design -> density -> peak -> (reduced basis) -> sampler -> exact draws of the linear part -> estimands
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from weathervane.contracts.errors import ModelFailed
from weathervane.contracts.experiment import LiftResult
from weathervane.model.features.build import Panel
from weathervane.model.mmm import augmented, diagnostics, reduced, sampler
from weathervane.model.mmm.checkpoint import Checkpoint, Kept, Nowhere, Sampling, kept_of
from weathervane.model.mmm.cost import REDUCED_FROM_GEOS, REDUCED_FROM_ROWS
from weathervane.model.mmm.design import Design, Likelihood
from weathervane.model.mmm.diagnostics import Convergence
from weathervane.model.mmm.expected import caused_of_log
from weathervane.model.mmm.likelihood import (
    N_SHAPES,
    SPREADS,
    Data,
    Form,
    log_density_of,
    n_coordinates,
    response_per_unit,
)
from weathervane.model.mmm.linear import Linear, draw_linear
from weathervane.model.mmm.prepare import prepare
from weathervane.model.mmm.priors import Priors
from weathervane.model.mmm.running import side_by_side
from weathervane.model.mmm.transforms import Shape

Floats = NDArray[np.float64]
Progress = Callable[[str], None]

ENGINE = "hierarchical"
DRAWS = 200  # of each chain, a block
_MAX_BLOCKS = 8
_MAX_SHORTER, _SHORTER = 3, 0.6  # after divergences
_CHECKED_DRAWS = 64
_MAX_AUGMENTED_BLOCKS = 8  # successive sweeps lean on each other more
_MAX_GAP_SD = 0.2  # of the log density; shifts a posterior mean by at most a fifth of its spread, likely far less


@dataclass(frozen=True)
class MediaMixFit:
    """Draws s of the posterior for channels c and geos g, how they were made and whether they agree.

    `roi` is realised over the history, weather modulation included; NaN for a channel that costs nothing.
    `effect_by_geo` is ROI (or what the prior is of) by geo at normal weather, `modulation` its change per unit of z and
    `wet_modulation` per unit of wetness.
    """

    channels: tuple[str, ...]
    geos: tuple[str, ...]
    design: Design
    data: Data
    form: Form
    peak: Floats  # [d], where the next fit may start
    coordinates: Floats  # [s, d], chain by chain
    roi: Floats  # [s, c]
    contribution_share: Floats  # [s, c], of the whole outcome
    effect_by_geo: Floats  # [s, g, c]
    modulation: Floats  # [s, c]
    wet_modulation: Floats  # [s, c], zero where it is not asked for
    convergence: Convergence
    likelihood: Likelihood = "normal"
    linear: Linear | None = None  # of every draw, where it cannot be drawn again from the coordinates
    without: Floats | None = None  # [s, c, g], relative outcome a period expected without each, where effects multiply
    own: Floats | None = None  # [s], degrees of freedom of a Student, dispersion of a count
    energy: Floats | None = None  # [chain, draw], with which each trajectory began
    diverging: NDArray[np.bool_] | None = None  # [chain, draw]

    def factors(self, rows: NDArray[np.int64]) -> Floats:
        """[len(rows), c]: what scales saturation to the unit of the effect, in these draws."""
        return np.stack([np.asarray(_factor(jnp.asarray(self.coordinates[i]), self.data, self.form)) for i in rows])


def fit_media_mix(
    panel: Panel,
    priors: Priors,
    seed: int,
    progress: Progress = lambda _: None,
    *,
    experiments: tuple[LiftResult, ...] = (),
    start: Floats | None = None,
    likelihood: Likelihood = "normal",
    checkpoint: Checkpoint | None = None,
) -> MediaMixFit:
    """The posterior given a panel of totals by day or week; `progress` hears each stage in words.

    `start` is the peak of an earlier fit of the same channels: a warm start. Raises NotEnoughData below 26 weeks or
    without spend, BadInput for an experiment the panel does not hold, ModelFailed when the chains do not agree
    (R-hat above 1.01, or fewer than 400 effective draws of any effect): a fit that failed is never a result.

    Other likelihoods than the normal are told in mmm.md, "Likelihoods": what each is for and what it costs. A
    fit that was stopped goes on from the last block that `checkpoint` keeps (mmm.md, "Stopping and going on").
    """
    design, data, form = prepare(panel, priors, experiments, likelihood)
    if likelihood in ("normal", "log_normal"):
        sampled = sample(data, form, seed, progress, start, design, checkpoint)
    else:
        sampled = _sample_augmented(panel, likelihood, design, data, form, seed, progress, start)
    _insist(sampled.convergence, panel.channels)
    c, effect = len(panel.channels), sampled.effect
    wet = np.zeros((len(effect), c))
    wet[:, list(form.modulated[c:])] = effect[:, 2 * c :]
    spend_share = np.asarray(data.spend_share)
    return MediaMixFit(
        channels=panel.channels,
        geos=panel.geos,
        design=design,
        data=data,
        form=form,
        peak=sampled.peak,
        coordinates=sampled.coordinates,
        roi=np.where(spend_share > 0, sampled.caused / np.maximum(spend_share, 1e-12), np.nan),
        # The level is the mean outcome of a period, so the share of the outcome is caused / (periods × level).
        contribution_share=sampled.caused / design.z.shape[1],
        effect_by_geo=effect[:, None, :c] + sampled.deviation,
        modulation=effect[:, c : 2 * c].copy(),
        wet_modulation=wet,
        convergence=sampled.convergence,
        likelihood=likelihood,
        linear=sampled.linear,
        without=sampled.without,
        own=sampled.own,
        energy=sampled.energy,
        diverging=sampled.diverging,
    )


@lru_cache
def _reduced(form: Form) -> Callable[[Array, reduced.Reduced, Data], Array]:
    return partial(reduced.log_density, form=form)


@dataclass(frozen=True)
class Sampled:
    """Draws of the posterior of some data, chain by chain."""

    peak: Floats  # [d]
    coordinates: Floats  # [s, d]
    effect: Floats  # [s, q]
    deviation: Floats  # [s, g, c]
    caused: Floats  # [s, c], over the total level of a period
    convergence: Convergence
    linear: Linear | None = None
    without: Floats | None = None  # [s, c, g]
    own: Floats | None = None  # [s]
    energy: Floats | None = None  # [chain, draw]
    diverging: NDArray[np.bool_] | None = None  # [chain, draw]


_CAUSED = 3  # where a block has what is caused, after coordinates, effects and deviations
# Coordinates [s, d] as sampled -> effects, their deviations by geo and outcome caused; where effects multiply also all
# that is linear and `without`.
_DrawEffects = Callable[[Floats, np.random.Generator], tuple[Floats, ...]]


def sample(
    data: Data,
    form: Form,
    seed: int,
    progress: Progress = lambda _: None,
    start: Floats | None = None,
    design: Design | None = None,
    checkpoint: Checkpoint | None = None,
) -> Sampled:
    """Draws from the reduced density where that is cheaper and close to the exact one, else from the exact one.

    Where effects multiply, what channels cause, by which the draws are judged, takes the `design` and an exact draw of
    all that is linear.
    """
    n = n_coordinates(data.spend_share.shape[0])
    usable = start if start is not None and len(start) == n else np.zeros(n)
    kept = kept_of(checkpoint or Nowhere(), data, form, seed, usable, DRAWS)
    return _sample_gaussian(data, form, seed, progress, usable, kept, design)


def _multiplied(found: Sampled, linear: Linear, design: Design, data: Data, form: Form) -> Sampled:
    """The draws with what is caused on the scale of the outcome, and judged by that."""
    c = data.spend_share.shape[0]
    caused, without = caused_of_log(found.coordinates, linear, design, data, form)
    said = found.convergence
    by_chain = caused.reshape(sampler.CHAINS, -1, c)
    judged = diagnostics.convergence(by_chain, said.divergences, said.ebfmi, said.method)
    return replace(
        found,
        effect=linear.shared[:, -c - len(form.modulated) :],
        deviation=linear.deviation[:, :, -c:],
        caused=caused,
        convergence=replace(judged, gap_sd=said.gap_sd, blocks=said.blocks, strict=said.strict),
        linear=linear,
        without=without,
    )


def _sample_augmented(
    panel: Panel,
    likelihood: Likelihood,
    design: Design,
    data: Data,
    form: Form,
    seed: int,
    progress: Progress,
    start: Floats | None,
) -> Sampled:
    """Draws by sweeps over what makes the likelihood Gaussian; blocks until they agree or there have been enough."""
    n = n_coordinates(data.spend_share.shape[0])
    progress("finding the peak")
    usable = start is not None and len(start) == n
    peak = sampler.find_peak(log_density_of(data, form), start if usable and start is not None else np.zeros(n))
    if likelihood == "negative_binomial":
        form = form._replace(unit_noise=True)
    problem = augmented.problem_of(likelihood, design, data, form, panel.outcome[0, :, : panel.n_past])
    progress(f"warming up: a {likelihood} likelihood takes many times as long as the normal one")
    warm = augmented.warm_up(problem, peak, seed)
    blocks, shorter = list[augmented.Drawn](), 0
    while True:
        progress(f"drawing, block {len(blocks) + 1}")
        block = augmented.draw(warm, DRAWS)
        if block.diverging.any() and shorter < _MAX_SHORTER:
            blocks, shorter, warm.step = [], shorter + 1, _SHORTER * warm.step
            progress(f"{int(block.diverging.sum())} draws diverged: starting again with shorter steps")
            continue
        blocks.append(block)
        found = _joined(blocks, problem, peak.mode)
        if found.convergence.agreed or len(blocks) == _MAX_AUGMENTED_BLOCKS:
            return found


def _joined(blocks: list[augmented.Drawn], problem: augmented.Problem, mode: Floats) -> Sampled:
    """All blocks as one set of draws, chain by chain, and what they say of themselves."""
    data, form, c = problem.data, problem.form, problem.data.spend_share.shape[0]

    def by_chain(parts: list[Floats]) -> Floats:
        shaped = [part.reshape(sampler.CHAINS, -1, *part.shape[1:]) for part in parts]
        whole = np.concatenate(shaped, axis=1)
        return whole.reshape(-1, *whole.shape[2:])

    linear = Linear(
        *(
            by_chain([getattr(block.linear, name) for block in blocks])
            for name in ("shared", "deviation", "caused", "log_likelihood")
        )
    )
    energy = np.concatenate([block.energy for block in blocks], axis=1)
    diverging = np.concatenate([block.diverging for block in blocks], axis=1)
    coordinates = by_chain([block.coordinates for block in blocks])
    # The energy of a density that changes between draws says nothing of how far momentum reaches.
    said = replace(
        diagnostics.convergence(
            linear.caused.reshape(sampler.CHAINS, -1, c), int(diverging.sum()), np.inf, "augmented"
        ),
        blocks=inner_blocks(coordinates.reshape(sampler.CHAINS, -1, coordinates.shape[1]), c),
        strict=True,
    )
    found = Sampled(
        peak=mode,
        coordinates=coordinates,
        effect=linear.shared[:, -c - len(form.modulated) :],
        deviation=linear.deviation[:, :, -c:],
        caused=linear.caused,
        convergence=said,
        linear=linear,
        own=by_chain([block.own for block in blocks]),
        energy=energy,
        diverging=diverging,
    )
    return _multiplied(found, linear, problem.design, data, form) if form.link == "log" else found


def _exact_effects(data: Data, form: Form, design: Design | None) -> _DrawEffects:
    """Exact draws of the effects; where they multiply, what is caused is on the scale of the outcome."""
    c = data.spend_share.shape[0]

    def drawn(x: Floats, rng: np.random.Generator) -> tuple[Floats, ...]:
        linear = draw_linear(x, data, form, rng)
        effect, deviation = linear.shared[:, -c - len(form.modulated) :], linear.deviation[:, :, -c:]
        if form.link == "identity" or design is None:
            return effect, deviation, linear.caused
        caused, without = caused_of_log(x, linear, design, data, form)
        return effect, deviation, caused, *vars(linear).values(), without

    return drawn


def _sample_gaussian(
    data: Data, form: Form, seed: int, progress: Progress, start: Floats, kept: Kept, design: Design | None
) -> Sampled:
    """Draws of the posterior of a linear Gaussian model."""
    density = log_density_of(data, form)
    progress("finding the peak")
    peak = kept.peak(lambda: sampler.find_peak(density, start))
    g, t = data.lead.shape
    refused = ""
    # The basis is built over half-life and saturation; a peak that moves would be one dimension more.
    # So would a frequency beside the reach.
    plain = "delayed" not in form.carry_over and not form.frequency
    if g >= REDUCED_FROM_GEOS and g * t >= REDUCED_FROM_ROWS and plain:
        progress("building the reduced basis")
        found = _sample_reduced(data, form, density, peak, seed, progress, kept, design)
        if found.convergence.gap_sd <= _MAX_GAP_SD:
            return found
        refused = f"exact (the reduced basis was off by {found.convergence.gap_sd:.2f})"
        progress(f"sampling exactly: the reduced basis was off by {found.convergence.gap_sd:.2f}")
    effects = _exact_effects(data, form, design)
    at = kept.sampling("exact", density) or Sampling(sampler.warm_up(density, peak, seed), [], 0)
    stream = np.random.SeedSequence([seed, 1])
    return _blocks(peak.mode, at, effects, stream, refused or "exact", progress, partial(kept.keep, "exact"))


def _sample_reduced(
    data: Data,
    form: Form,
    exact: sampler.Density,
    peak: sampler.Peak,
    seed: int,
    progress: Progress,
    kept: Kept,
    design: Design | None,
) -> Sampled:
    """Draws from the reduced density, and how far its logarithm is from the exact one's on some of them."""
    c = data.spend_share.shape[0]
    small = reduced.reduce(data, form, peak.mode, peak.sd)
    density = sampler.Density(_reduced(form), (small, data))
    own = N_SHAPES * c
    held = peak.mode[own : own + len(SPREADS)]
    rows = np.delete(np.arange(len(peak.mode)), np.arange(own, own + len(SPREADS)))
    # With the spreads held, the curvature is that of the other coordinates alone.
    curvature = np.linalg.inv(peak.root @ peak.root.T)[np.ix_(rows, rows)]
    start = sampler.Peak(peak.mode[rows], np.asarray(np.linalg.cholesky(np.linalg.inv(curvature)), dtype=np.float64))
    at = kept.sampling("reduced", density) or Sampling(sampler.warm_up(density, start, seed), [], 0)
    multiplied = _exact_effects(data, form, design)

    def effects(x: Floats, rng: np.random.Generator) -> tuple[Floats, ...]:
        if form.link == "log":
            return multiplied(reduced.with_spreads(x, held, c), rng)
        return reduced.draw_effects(x, small, data, form, rng)

    def gap(x: Floats) -> float:
        checked = x[np.linspace(0, len(x) - 1, _CHECKED_DRAWS).round().astype(int)]

        def off(row: Floats) -> float:
            return exact(reduced.with_spreads(row, held, c))[0] - density(row)[0]

        return float(np.std(side_by_side(off, checked)))

    found = _blocks(
        peak.mode,
        at,
        effects,
        np.random.SeedSequence([seed, 2]),
        "reduced basis",
        progress,
        partial(kept.keep, "reduced"),
        lambda x: gap(x) <= _MAX_GAP_SD,
    )
    progress("checking against the exact density")
    return replace(
        found,
        coordinates=reduced.with_spreads(found.coordinates, held, c),
        convergence=replace(found.convergence, gap_sd=gap(found.coordinates)),
    )


def _blocks(
    peak: Floats,
    at: Sampling,
    draw_effects: _DrawEffects,
    stream: np.random.SeedSequence,
    method: str,
    progress: Progress,
    keep: Callable[[Sampling], None],
    worth_going_on: Callable[[Floats], bool] = lambda _: True,
) -> Sampled:
    """Blocks of draws until they agree or there have been enough; `keep` hears of each as it is finished.

    After the first, `worth_going_on` is asked with its draws [s, d].
    """
    tuned, drawn, shorter = at.tuned, list(at.drawn), at.shorter
    if drawn:
        progress(f"Going on after block {len(drawn)}, which was kept.")
    # The effects of kept blocks are drawn again: from the same stream they are the same.
    rng, blocks, found = np.random.default_rng(stream), list[tuple[Floats, ...]](), Convergence.nothing(method)
    while True:
        for block in drawn[len(blocks) :]:
            kept = block.draws.reshape(-1, block.draws.shape[-1])
            parts = (kept, *draw_effects(kept, rng))
            blocks.append(tuple(part.reshape(sampler.CHAINS, DRAWS, *part.shape[1:]) for part in parts))
        if blocks:
            found = _judged(blocks, drawn, method)
        if found.agreed or len(blocks) == _MAX_BLOCKS:
            break
        if len(blocks) == 1 and not worth_going_on(blocks[0][0].reshape(-1, blocks[0][0].shape[-1])):
            break
        progress(f"drawing, block {len(blocks) + 1}")
        block = sampler.draw(tuned, DRAWS)
        if block.divergences and shorter < _MAX_SHORTER:
            # A step too long for some corner: shorter ones reach it, and draws from before would not be of it.
            rng, blocks, drawn, shorter = np.random.default_rng(stream), [], [], shorter + 1
            tuned = replace(tuned, step=_SHORTER * tuned.step)
            progress(f"{block.divergences} draws diverged: starting again with shorter steps")
            continue
        drawn.append(block)
        keep(Sampling(tuned, drawn, shorter))
    joined = [np.concatenate(parts, axis=1) for parts in zip(*blocks, strict=True)]
    coordinates, effect, deviation, caused, *multiplied = (part.reshape(-1, *part.shape[2:]) for part in joined)
    return Sampled(
        peak,
        coordinates,
        effect,
        deviation,
        caused,
        convergence=found,
        linear=Linear(*multiplied[:-1]) if multiplied else None,
        without=multiplied[-1] if multiplied else None,
        energy=np.concatenate([each.energy for each in drawn], axis=1),
        diverging=np.concatenate([each.diverging for each in drawn], axis=1),
    )


def _judged(blocks: list[tuple[Floats, ...]], drawn: list[sampler.Drawn], method: str) -> Convergence:
    """What all blocks together say of themselves."""
    caused = np.concatenate([each[_CAUSED] for each in blocks], axis=1)
    divergences, ebfmi = sum(each.divergences for each in drawn), min(each.ebfmi for each in drawn)
    inner = inner_blocks(np.concatenate([each.draws for each in drawn], axis=1), caused.shape[2])
    return replace(diagnostics.convergence(caused, divergences, ebfmi, method), blocks=inner, strict=True)


def inner_blocks(coordinates: Floats, n_channels: int) -> tuple[diagnostics.Block, ...]:
    """What coordinates [chain, draw, d], with the spreads or without, say of the shapes and of the spreads.

    A channel stands by its position; `_insist` knows its name.
    """
    c = n_channels
    shapes = [(name.replace("_", " "), str(i)) for name in Shape._fields for i in range(c)]
    spread_by_geo = [("spread by place", str(i)) for i in range(c)]
    common = [(name.replace("_", " "), None) for name in SPREADS]
    rest = [*common, *spread_by_geo] if coordinates.shape[2] > (N_SHAPES + 1) * c else spread_by_geo
    own = N_SHAPES * c
    found = (
        diagnostics.block_of("shapes", coordinates[:, :, :own], shapes),
        diagnostics.block_of("spreads", coordinates[:, :, own:], rest),
    )
    return tuple(block for block in found if block is not None)


def _insist(convergence: Convergence, channels: tuple[str, ...]) -> None:
    """Raises ModelFailed, with the channel and what to do, unless the chains agree."""
    if convergence.agreed:
        return
    named = tuple(
        replace(block, channel=None if block.channel is None else channels[int(block.channel)])
        for block in convergence.blocks
    )
    doubts = replace(convergence, blocks=named).doubts(channels)
    raise ModelFailed(
        f"The media mix model did not converge: {'; '.join(said for said, _ in doubts)}.",
        f"{'; '.join(dict.fromkeys(remedy for _, remedy in doubts))}.",
    )


@partial(jax.jit, static_argnames=("form",))
def _factor(x: Array, data: Data, form: Form) -> Array:
    return response_per_unit(x, data, form)[1]
