"""Priors of the media mix model in business terms, with reasons; `config/model_priors.yaml` overrides them."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field, fields, replace
from math import isfinite, sqrt
from typing import Any, Literal, get_args

import yaml

from weathervane.contracts.errors import BadInput
from weathervane.model.mmm.transforms import CarryOver, Saturation

Exposure = Literal["spend", "impressions", "clicks", "reach"]


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
    """What is believed of one channel before the data speaks.

    Its effect is believed in one of three currencies: net outcome per unit of spend (`roi`), the same of one more unit
    (`marginal_roi`), or a share of the whole outcome (`contribution_share`, for media that cost nothing). The last
    named of the three that is given counts.
    """

    # Admits losses: a channel that does nothing must be able to say so.
    roi: Normal = Normal(1.0, 1.5)
    marginal_roi: Normal | None = None
    contribution_share: Normal | None = None
    half_life_days: LogNormal = LogNormal(6.0, 0.6)
    # In multiples of the exposure, per unit of outcome, at which the average unit of it was bought. Wide enough for a
    # straight line: where it is 9, which is not rare, the next unit there brings nine tenths of the average one.
    half_saturation: LogNormal = LogNormal(1.5, 1.1)
    slope: LogNormal = LogNormal(1.0, 0.3)
    # Days from exposure to the peak of its effect, for delayed carry-over.
    peak_days: LogNormal = LogNormal(5.0, 0.5)
    # Change of the effect per unit of mean temperature anomaly, as a part of the effect: small unless the data insists.
    weather_modulation: Normal = Normal(0.0, 0.2)
    # The same per unit of wetness, which is from all dry to all wet; None leaves the effect alike in any rain.
    wet_modulation: Normal | None = None
    carry_over: CarryOver = "geometric"
    saturation: Saturation = "hill"
    # What carries over and saturates: money spent, or what it bought. Cost enters the return alone then.
    exposure: Exposure = "spend"


# Of a channel that costs nothing, so that its effect is no return but a share of the outcome.
_ORGANIC_SHARE = Normal(0.05, 0.1)


def organic(own: ChannelPriors, exposure: Exposure) -> ChannelPriors:
    """The priors of a channel that costs nothing, which is measured by what it showed."""
    return replace(own, exposure=exposure, contribution_share=own.contribution_share or _ORGANIC_SHARE)


def modulation_of(effect: Normal, part: Normal) -> Normal:
    """The belief on effect × part, for independent beliefs on both: its mean and sd (mmm.md, "Weather modulation")."""
    squares = (effect.mean**2 + effect.sd**2) * (part.mean**2 + part.sd**2)
    return Normal(effect.mean * part.mean, sqrt(squares - (effect.mean * part.mean) ** 2))


@dataclass(frozen=True)
class Priors:
    """Defaults for every channel, channels that differ, and what all media together bring, if anything is believed."""

    default: ChannelPriors = ChannelPriors()
    channels: dict[str, ChannelPriors] = field(default_factory=dict[str, ChannelPriors])
    total_media_share: Normal | None = None

    def of(self, channel: str) -> ChannelPriors:
        """The priors of this channel."""
        return self.channels.get(channel, self.default)

    @property
    def sha256(self) -> str:
        """Hash of every number here, for the registry."""
        # What came later and is not asked for leaves the hash of a belief as it was.
        numbers = [leaf for leaf in _flat(asdict(self)) if leaf[1] is not None or not leaf[0].endswith(_LATER)]
        return hashlib.sha256(repr([_MEANING, *sorted(numbers)]).encode()).hexdigest()


_LATER = "/wet_modulation"
# What the numbers mean; it changed twice, and the same numbers were other beliefs before.
_MEANING = "modulations are parts of the effect; half-saturation is in units of exposure weighted by itself"
_CHOICES = {
    "carry_over": get_args(CarryOver),
    "saturation": get_args(Saturation),
    "exposure": get_args(Exposure),
}
_KINDS: dict[str, type[Normal] | type[LogNormal]] = {
    "roi": Normal,
    "marginal_roi": Normal,
    "contribution_share": Normal,
    "half_life_days": LogNormal,
    "half_saturation": LogNormal,
    "slope": LogNormal,
    "peak_days": LogNormal,
    "weather_modulation": Normal,
    "wet_modulation": Normal,
}


def parse_priors(text: str, origin: str) -> Priors:
    """Priors from YAML: `default:` and `channels:` with any of ChannelPriors' names, and `total_media_share:`.

    Errors name the entry.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadInput(f"{origin} is not YAML: {' '.join(str(error).split())}.", "correct that line.") from error
    sections = _section(document, origin, "`default:` and `channels:`")
    unknown = sorted(set(sections) - {"default", "channels", "total_media_share"})
    if unknown:
        raise BadInput(
            f"{origin}: {unknown[0]!r} is not a section of the priors.",
            "use `default:`, `channels:` and `total_media_share:`.",
        )
    default = _channel(sections.get("default"), ChannelPriors(), f"{origin}: default")
    named = _section(sections.get("channels"), f"{origin}: channels", "a channel a line")
    total = sections.get("total_media_share")
    return Priors(
        default,
        {name: _channel(entry, default, f"{origin}: channels.{name}") for name, entry in named.items()},
        None if total is None else Normal(**_numbers(Normal, total, f"{origin}: total_media_share")),
    )


def _section(value: object, where: str, wanted: str) -> dict[str, Any]:
    """The mapping that stands here; an empty place is an empty mapping."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadInput(f"{where} is not a mapping.", f"write {wanted}.")
    return {str(name): entry for name, entry in value.items()}


def _channel(entry: object, base: ChannelPriors, where: str) -> ChannelPriors:
    names = [f.name for f in fields(base)]
    values: dict[str, Any] = {name: getattr(base, name) for name in names}
    for name, written in _section(entry, where, "a prior a line").items():
        if name not in names:
            raise BadInput(f"{where}: there is no prior {name!r}.", f"choose from {', '.join(names)}.")
        if name in _CHOICES:
            if written not in _CHOICES[name]:
                raise BadInput(f"{where}.{name}: there is no {written!r}.", f"choose from {', '.join(_CHOICES[name])}.")
            values[name] = written
        else:
            kind = _KINDS[name]
            values[name] = kind(**_numbers(kind, written, f"{where}.{name}"))
    return ChannelPriors(**values)


def _numbers(kind: type[Normal] | type[LogNormal], numbers: object, where: str) -> dict[str, float]:
    wanted = [f.name for f in fields(kind)]
    written = " and ".join(wanted)
    given = _section(numbers, f"{where}, which needs the numbers {written},", f"{written} in braces")
    given.pop("reason", None)
    if sorted(given) != sorted(wanted) or not all(_is_number(value) for value in given.values()):
        raise BadInput(f"{where} needs the numbers {written}.", "correct that line.")
    if any(given[key] <= 0 for key in wanted if key != "mean"):
        raise BadInput(f"{where}: sd, spread and median must be above zero.", "correct that line.")
    return {key: float(value) for key, value in given.items()}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _flat(value: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in _flat(inner, f"{path}/{key}")]
    return [(path, value)]
