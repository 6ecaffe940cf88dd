"""Tiers: the same forecasts by series, by place, by category and in all (forecast.md, "Totals")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from weathervane.contracts.grain import NATIONAL, TOTAL
from weathervane.model.features.build import Panel
from weathervane.model.forecast.candidate import Floats


@dataclass(frozen=True)
class Tier:
    """One way of adding series up."""

    keys: tuple[tuple[str, str], ...]  # (geo, category) of each row
    add: Callable[[Floats], Floats]  # [..., k, g, h] -> [..., s, h]


def tiers(panel: Panel) -> tuple[Tier, ...]:
    """Series, geo totals, category totals and the grand total; those that only repeat a finer tier are left out."""
    k, g = len(panel.categories), len(panel.geos)
    series = tuple((geo, category) for category in panel.categories for geo in panel.geos)
    out = [Tier(series, lambda values: values.reshape(*values.shape[:-3], k * g, values.shape[-1]))]
    if k > 1 and g > 1:
        out.append(Tier(tuple((geo, TOTAL) for geo in panel.geos), lambda values: values.sum(axis=-3)))
        out.append(Tier(tuple((NATIONAL, name) for name in panel.categories), lambda values: values.sum(axis=-2)))
    if k * g > 1:
        out.append(Tier(((NATIONAL, TOTAL),), lambda values: values.sum(axis=(-3, -2))[..., None, :]))
    return tuple(out)
