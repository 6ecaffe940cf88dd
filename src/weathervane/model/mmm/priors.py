"""Priors of the media mix model in business terms, with reasons; `config/model_priors.yaml` overrides them."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field, fields
from math import isfinite
from typing import Any

import yaml

from weathervane.contracts.errors import BadInput


@dataclass(frozen=True)
class Normal:
    """A Gaussian prior."""

    mean: float
    sd: float


@dataclass(frozen=True)
class LogNormal:
    """A prior on a positive number: its median, and the standard deviation of its logarithm."""

    median: float
    spread: float


@dataclass(frozen=True)
class ChannelPriors:
    """What is believed of one channel before the data speaks."""

    # Net outcome per unit of spend. Admits losses: a channel that does nothing must be able to say so.
    roi: Normal = Normal(1.0, 1.5)
    half_life_days: LogNormal = LogNormal(6.0, 0.5)
    # In multiples of the channel's mean weekly spend per unit of outcome.
    half_saturation: LogNormal = LogNormal(1.2, 0.5)
    slope: LogNormal = LogNormal(1.0, 0.3)
    # Change of ROI per unit of mean weekly temperature anomaly: small unless the data insists.
    weather_modulation: Normal = Normal(0.0, 0.2)


@dataclass(frozen=True)
class Priors:
    """Defaults for every channel, and channels that differ."""

    default: ChannelPriors = ChannelPriors()
    channels: dict[str, ChannelPriors] = field(default_factory=dict[str, ChannelPriors])

    def of(self, channel: str) -> ChannelPriors:
        """The priors of this channel."""
        return self.channels.get(channel, self.default)

    @property
    def sha256(self) -> str:
        """Hash of every number here, for the registry."""
        return hashlib.sha256(repr(sorted(_flat(asdict(self)))).encode()).hexdigest()


def parse_priors(text: str, origin: str) -> Priors:
    """Priors from YAML: `default:` and `channels:`, each with any of ChannelPriors' names; errors name the entry."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadInput(f"{origin} is not YAML: {' '.join(str(error).split())}.", "correct that line.") from error
    sections = _section(document, origin, "`default:` and `channels:`")
    unknown = sorted(set(sections) - {"default", "channels"})
    if unknown:
        raise BadInput(f"{origin}: {unknown[0]!r} is no section of the priors.", "use `default:` and `channels:`.")
    default = _channel(sections.get("default"), ChannelPriors(), f"{origin}: default")
    named = _section(sections.get("channels"), f"{origin}: channels", "a channel a line")
    return Priors(
        default, {name: _channel(entry, default, f"{origin}: channels.{name}") for name, entry in named.items()}
    )


def _section(value: object, where: str, wanted: str) -> dict[str, Any]:
    """The mapping that stands here; an empty place is an empty mapping."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadInput(f"{where} is not a mapping.", f"write {wanted}.")
    return {str(name): entry for name, entry in value.items()}


def _channel(entry: object, base: ChannelPriors, where: str) -> ChannelPriors:
    kinds = {f.name: type(getattr(base, f.name)) for f in fields(base)}
    values: dict[str, Any] = {name: getattr(base, name) for name in kinds}
    for name, numbers in _section(entry, where, "a prior a line").items():
        if name not in kinds:
            raise BadInput(f"{where}: there is no prior {name!r}.", f"choose from {', '.join(kinds)}.")
        wanted = [f.name for f in fields(kinds[name])]
        written = " and ".join(wanted)
        given = _section(numbers, f"{where}.{name}, which needs the numbers {written},", f"{written} in braces")
        given.pop("reason", None)
        if sorted(given) != sorted(wanted) or not all(_is_number(value) for value in given.values()):
            raise BadInput(f"{where}.{name} needs the numbers {written}.", "correct that line.")
        if any(given[key] <= 0 for key in wanted if key != "mean"):
            raise BadInput(f"{where}.{name}: sd, spread and median must be above zero.", "correct that line.")
        values[name] = kinds[name](**{key: float(value) for key, value in given.items()})
    return ChannelPriors(**values)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _flat(value: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in _flat(inner, f"{path}/{key}")]
    return [(path, value)]
