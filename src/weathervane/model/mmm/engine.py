"""Two engines behind one interface: a panel and a specification in, the same estimates out (engines.md, "Engines")."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.choice import chosen
from weathervane.contracts.errors import BadInput
from weathervane.contracts.experiment import LiftResult
from weathervane.contracts.fit import ShapeInterval
from weathervane.contracts.forecast import Quantiles
from weathervane.contracts.plan import MediaSignal
from weathervane.contracts.response import ResponseCurves
from weathervane.model.features.build import Panel
from weathervane.model.mmm import hierarchical, sampler
from weathervane.model.mmm.checkpoint import Checkpoint
from weathervane.model.mmm.contraction import Learnt, learnt
from weathervane.model.mmm.curves import response_curves, shape_draws
from weathervane.model.mmm.design import Likelihood, link_of
from weathervane.model.mmm.diagnostics import Convergence
from weathervane.model.mmm.hierarchical import MediaMixFit, fit_media_mix
from weathervane.model.mmm.holdout import WEEKS, holdout_sd
from weathervane.model.mmm.lightweight_curves import lightweight_curves, lightweight_shapes
from weathervane.model.mmm.lightweight_panel import fit_lightweight_panel
from weathervane.model.mmm.modulation import modulation_doubts
from weathervane.model.mmm.placebo import media_signal
from weathervane.model.mmm.prepare import prepare, without_tested
from weathervane.model.mmm.priors import Priors

Floats = NDArray[np.float64]
Progress = Callable[[str], None]
EngineName = Literal["hierarchical", "lightweight"]
LightweightModel = Literal["adstock", "hill_adstock", "carryover"]
Step = Literal["week", "day"]


@dataclass(frozen=True)
class MediaMixSpec:
    """Which engine to fit with and what it is told beside the data; what an engine cannot use is refused."""

    engine: EngineName = "hierarchical"
    priors: Priors = field(default_factory=Priors)
    experiments: tuple[LiftResult, ...] = ()
    lightweight_model: LightweightModel = "hill_adstock"
    likelihood: Likelihood = "normal"
    step: Step = "week"
    by_category: bool = False  # a model of each category beside the total's

    def __post_init__(self) -> None:
        chosen(self.engine, get_args(EngineName), "engine")
        chosen(self.lightweight_model, get_args(LightweightModel), "lightweight model")
        chosen(self.likelihood, get_args(Likelihood), "likelihood")
        chosen(self.step, get_args(Step), "step")
        if self.by_category and link_of(self.likelihood) == "log":
            raise BadInput(
                f"With a {self.likelihood} likelihood effects multiply, so those of categories add up to no total.",
                "leave out --by-category, or use the normal likelihood.",
            )
        if self.engine == "hierarchical":
            return
        if self.by_category:
            raise BadInput(
                "The lightweight engine fits no categories beside the total.", "use the hierarchical engine."
            )
        if self.priors != Priors():
            raise BadInput(
                "The lightweight engine has LightweightMMM's priors and reads no priors file.",
                "leave out --priors, or use the hierarchical engine.",
            )
        if self.step != "week":
            raise BadInput("The lightweight engine is weekly.", "fit by week, or use the hierarchical engine.")
        if self.likelihood != "normal":
            raise BadInput("The lightweight engine's likelihood is normal.", "use the hierarchical engine.")
        if self.experiments:
            raise BadInput(
                "The lightweight engine cannot take experiments into account.", "use the hierarchical engine."
            )

    @property
    def name(self) -> str:
        """The engine as plans show it, with its model where it has several."""
        if self.engine == hierarchical.ENGINE:
            unusual = [self.likelihood] if self.likelihood != "normal" else []
            unusual += ["by day"] if self.step == "day" else []
            return f"{self.engine} ({', '.join(unusual)})" if unusual else self.engine
        return f"{self.engine} ({self.lightweight_model})"

    @property
    def step_days(self) -> int:
        """Days of a period."""
        return 7 if self.step == "week" else 1

    @property
    def priors_sha256(self) -> str:
        """Hash of every belief that enters the fit."""
        if self.engine == hierarchical.ENGINE:
            return self.priors.sha256
        return hashlib.sha256(f"{self.name}: defaults of LightweightMMM".encode()).hexdigest()

    @property
    def sha256(self) -> str:
        """Hash of the whole specification."""
        tests = sorted(repr(each) for each in self.experiments)
        groups = ["by category"] if self.by_category else []
        return hashlib.sha256(repr((self.name, self.priors_sha256, tests, *groups)).encode()).hexdigest()


def told_by(name: str) -> tuple[Likelihood, Step]:
    """The likelihood and step of a hierarchical fit, from its engine's name as plans show it."""
    words = name.partition("(")[2].rstrip(")").split(", ")
    unusual = [word for word in words if word in get_args(Likelihood)]
    step: Step = "day" if "by day" in words else "week"
    return chosen(unusual[0] if unusual else "normal", get_args(Likelihood), "likelihood"), step


@dataclass(frozen=True)
class Variable:
    """A named array of a posterior file: its axes by name, and what its numbers are."""

    axes: tuple[str, ...]
    values: NDArray[Any]
    unit: str


@dataclass(frozen=True)
class Estimates:
    """What a fit found, whatever the engine; draws s run chain by chain over channels c and geos g.

    `posterior` has every named quantity by [chain, draw, ...], `labels` the names along every other axis.
    `can_be_zero` is False where the priors themselves say that every channel helps. `peak` is where the next fit may
    start. `curves` carry no model id yet. `collinear` are groups of channels, by position, that the data cannot tell
    apart (joint.py); `learnt` [c] is what the data added to the belief on each return, and `test_sd` [c] how well a
    geo holdout would measure it: empty where an engine does not say.
    """

    engine: str
    channels: tuple[str, ...]
    geos: tuple[str, ...]
    roi: Floats  # [s, c]; NaN for a channel that costs nothing
    contribution_share: Floats  # [s, c], of the whole outcome
    weekly_spend: Floats  # [c]
    transforms: tuple[ShapeInterval, ...]
    curves: ResponseCurves
    convergence: Convergence
    n_chains: int
    can_be_zero: bool
    labels: Mapping[str, tuple[str, ...]]
    posterior: Mapping[str, Variable]
    sample_stats: Mapping[str, Variable]
    observed: Mapping[str, Variable]
    peak: Floats | None = None
    caveats: tuple[str, ...] = ()
    modulation_doubts: tuple[str, ...] = ()  # where it is open whether effects change with weather
    collinear: tuple[tuple[int, ...], ...] = ()
    learnt: tuple[Learnt, ...] = ()
    test_sd: Floats | None = None


def fit(
    panel: Panel,
    spec: MediaMixSpec,
    seed: int,
    progress: Progress = lambda _: None,
    *,
    start: Floats | None = None,
    checkpoint: Checkpoint | None = None,
) -> Estimates:
    """The estimates of the engine that `spec` names, from a panel of totals; `progress` hears each stage in words.

    `start` is the peak of an earlier fit of the same channels; an engine without such a thing starts cold. What an
    engine cannot do it raises: NotEnoughData, BadInput or ModelFailed, never another engine's result. What `checkpoint`
    keeps of this very fit is not done again; the lightweight engine keeps nothing.
    """
    if spec.engine == hierarchical.ENGINE:
        return _hierarchical(panel, spec, seed, progress, start, checkpoint)
    return _lightweight(panel, spec, seed, progress)


def placebo_test(panel: Panel, spec: MediaMixSpec) -> MediaSignal:
    """Whether spend leaves a mark on the outcome at all; asked of the hierarchical model whatever the engine.

    The lightweight engine's priors hold every effect above zero, so its own draws cannot say that there is none.
    """
    # Experiments are no part of it: their spend cannot be moved to the wrong time.
    return media_signal(*prepare(without_tested(panel, spec.experiments), spec.priors, likelihood=spec.likelihood))


def _hierarchical(
    panel: Panel,
    spec: MediaMixSpec,
    seed: int,
    progress: Progress,
    start: Floats | None,
    checkpoint: Checkpoint | None,
) -> Estimates:
    found = fit_media_mix(
        panel,
        spec.priors,
        seed,
        progress,
        experiments=spec.experiments,
        start=start,
        likelihood=spec.likelihood,
        checkpoint=checkpoint,
    )
    shape = {name: np.asarray(draws, dtype=np.float64) for name, draws in shape_draws(found)._asdict().items()}
    # Of reach and frequency it is the frequency that saturates, in multiples of its own mean.
    of_frequency = np.isin(np.arange(len(found.channels)), found.form.frequency)
    shape["half_saturation"] *= np.where(of_frequency, 1.0, found.design.unit_in_means)
    chains = sampler.CHAINS

    def by_chain(draws: NDArray[Any], *axes: str, unit: str = "") -> Variable:
        return Variable(("chain", "draw", *axes), draws.reshape(chains, -1, *draws.shape[1:]), unit)

    posterior = {
        "roi": by_chain(found.roi, "channel", unit="outcome per unit of spend"),
        "contribution_share": by_chain(found.contribution_share, "channel", unit="share of the outcome"),
        "half_life_days": by_chain(shape["half_life_days"], "channel", unit="days"),
        "half_saturation": by_chain(shape["half_saturation"], "channel", unit="mean exposure"),
        "slope": by_chain(shape["slope"], "channel", unit="1"),
        "peak_days": by_chain(shape["peak_days"], "channel", unit="days"),
        "weather_modulation": by_chain(found.modulation, "channel", unit="effect per unit of anomaly"),
        # Many places make this the bulk of the file; seven digits are more than its Monte-Carlo error has.
        "effect_by_geo": by_chain(found.effect_by_geo.astype(np.float32), "geo", "channel", unit="as the prior's"),
        "coordinates": by_chain(found.coordinates, "coordinate", unit="prior standard deviations"),
    }
    if len(found.form.modulated) > len(found.channels):
        posterior["wet_modulation"] = by_chain(found.wet_modulation, "channel", unit="effect per unit of wetness")
    if found.own is not None and spec.likelihood != "censored":
        named = "degrees_of_freedom" if spec.likelihood == "student" else "dispersion"
        posterior[named] = by_chain(found.own, unit="1")
    return Estimates(
        engine=spec.name,
        channels=found.channels,
        geos=found.geos,
        roi=found.roi,
        contribution_share=found.contribution_share,
        weekly_spend=_weekly_spend(panel),
        transforms=tuple(
            # No budget is held against a frequency.
            replace(each, half_saturation=None) if c in found.form.frequency else each
            for c, each in enumerate(
                _intervals(found.channels, shape["half_life_days"], shape["half_saturation"], shape["slope"])
            )
        ),
        curves=response_curves(found, ""),
        convergence=found.convergence,
        n_chains=chains,
        can_be_zero=True,
        labels={**_labels(panel), "coordinate": tuple(str(i) for i in range(len(found.peak)))},
        posterior=posterior,
        sample_stats=_sample_stats(found),
        observed=_observed(panel),
        peak=found.peak,
        modulation_doubts=modulation_doubts(found),
        learnt=learnt(found, seed),
        test_sd=holdout_sd(found, WEEKS),
    )


def _sample_stats(found: MediaMixFit) -> dict[str, Variable]:
    stats = {"peak": Variable(("coordinate",), found.peak, "prior standard deviations")}
    if found.energy is not None and found.diverging is not None:
        stats["energy"] = Variable(("chain", "draw"), found.energy, "")
        stats["diverging"] = Variable(("chain", "draw"), found.diverging, "")
    return stats


def _lightweight(panel: Panel, spec: MediaMixSpec, seed: int, progress: Progress) -> Estimates:
    found, convergence = fit_lightweight_panel(panel, spec.lightweight_model, seed, progress)
    chains = len(found.diverged)
    roi = found.channel_roi()
    share = found.contribution.reshape(len(roi), len(panel.channels), -1).sum(axis=2) / found.fitted().reshape(
        len(roi), -1
    ).sum(axis=1, keepdims=True)
    half_life, half_saturation, slope = lightweight_shapes(found)
    axes = _lightweight_axes(found.draws)

    def by_chain(draws: Floats, unit: str) -> Variable:
        return Variable(("chain", "draw", "channel"), draws.reshape(chains, -1, *draws.shape[1:]), unit)

    posterior = {
        "roi": by_chain(roi, "outcome per unit of spend"),
        "contribution_share": by_chain(share, "share of the outcome"),
        "half_life_days": by_chain(half_life, "days"),
    } | {
        name: Variable(("chain", "draw", *axes[name]), draws.reshape(*draws.shape[: 2 + len(axes[name])]), "scaled")
        for name, draws in found.draws.items()
    }
    sizes = {axis: n for each in posterior.values() for axis, n in zip(each.axes, each.values.shape, strict=True)}
    numbered = {axis: tuple(str(i) for i in range(n)) for axis, n in sizes.items() if axis not in {"chain", "draw"}}
    return Estimates(
        engine=spec.name,
        channels=panel.channels,
        geos=panel.geos,
        roi=roi,
        contribution_share=share,
        weekly_spend=_weekly_spend(panel),
        transforms=_intervals(panel.channels, half_life, half_saturation, slope),
        curves=lightweight_curves(found, panel),
        convergence=convergence,
        n_chains=chains,
        can_be_zero=False,
        labels=numbered | _labels(panel),
        posterior=posterior,
        sample_stats={"diverging": Variable(("chain", "draw"), found.diverged, "")},
        observed=_observed(panel),
        caveats=(
            "The lightweight engine's priors hold every return above zero, so none of its intervals can say that a "
            "channel does nothing; only the placebo tests, made with the hierarchical model, can.",
        ),
    )


def _lightweight_axes(draws: Mapping[str, Floats]) -> dict[str, tuple[str, ...]]:
    """The axes of each of the package's parameters after chain and draw; a channel's scale drops its axis of one."""
    known = {
        "expo_trend": (),
        "gamma_seasonality": ("degree", "wave"),
        "coef_media": ("channel", "geo"),
        "coef_extra_features": ("feature", "geo"),
        "channel_coef_media": ("channel",),
        **dict.fromkeys(("intercept", "coef_trend", "sigma", "coef_seasonality"), ("geo",)),
    }
    return {name: known.get(name, ("channel",))[: values.ndim - 2] for name, values in draws.items()}


def _intervals(
    channels: tuple[str, ...], half_life: Floats, half_saturation: Floats | None, slope: Floats
) -> tuple[ShapeInterval, ...]:
    """Of draws [s, c]."""

    def of(draws: Floats) -> Quantiles:
        return Quantiles(*(float(q) for q in np.quantile(draws, [0.1, 0.5, 0.9])))

    return tuple(
        ShapeInterval(
            channel,
            of(half_life[:, c]),
            None if half_saturation is None else of(half_saturation[:, c]),
            of(slope[:, c]),
        )
        for c, channel in enumerate(channels)
    )


def _weekly_spend(panel: Panel) -> Floats:
    """[c]: mean weekly spend of all geos."""
    n = panel.n_past
    return np.nansum(panel.spend[:, :, :n], axis=(1, 2)) / (n * panel.step_days / 7)


def _labels(panel: Panel) -> dict[str, tuple[str, ...]]:
    starts = tuple(start.isoformat() for start in panel.starts[: panel.n_past])
    return {"channel": panel.channels, "geo": panel.geos, "period": starts}


def _observed(panel: Panel) -> dict[str, Variable]:
    n = panel.n_past
    return {
        "outcome": Variable(("geo", "period"), panel.outcome[0, :, :n], "outcome a period"),
        "spend": Variable(("channel", "geo", "period"), panel.spend[:, :, :n], "currency a period"),
    }
