"""Fit: what a trained media mix model says of itself, beside its response curves."""

from __future__ import annotations

from dataclasses import dataclass

from weathervane.contracts.grain import GrainSelection
from weathervane.contracts.plan import ChannelEvidence, MediaSignal, ModelSummary
from weathervane.contracts.response import WeatherResponse


@dataclass(frozen=True)
class ChannelPosterior:
    """Posterior medians of one channel's shape: days until half an effect has gone, and its saturation."""

    channel: str
    half_life_days: float
    half_saturation: float  # in multiples of the channel's mean weekly spend
    slope: float


@dataclass(frozen=True)
class FitReport:
    """One fit: its grain, evidence, diagnostics and everything needed to make it again."""

    model_id: str
    tenant_id: str
    created_at: str
    seed: int
    grain: GrainSelection
    summary: ModelSummary
    channels: tuple[ChannelEvidence, ...]
    shapes: tuple[ChannelPosterior, ...]
    media_signal: MediaSignal
    weather: WeatherResponse
    data_hashes: dict[str, str]
    priors_sha256: str
    versions: dict[str, str]
    caveats: tuple[str, ...]
