"""Buffers: geos too close to each other to be told apart are merged into one unit, or the smaller one is left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from weathervane.contracts.errors import BadInput
from weathervane.contracts.experiment_design import ExcludedGeo
from weathervane.contracts.tenant import Place

_EARTH_KM = 6371.0088

Pair = tuple[str, str]


def near_pairs(places: Sequence[Place], within_km: float) -> tuple[Pair, ...]:
    """Pairs of geos whose places lie at most `within_km` apart on the sphere, sorted.

    Raises BadInput for a place without coordinates: a buffer that cannot be measured must not pass for one.
    """
    known = sorted(places, key=lambda place: place.geo)
    position: list[tuple[float, float]] = []
    for place in known:
        if place.latitude is None or place.longitude is None:
            raise BadInput(f"{place.geo} has no coordinates.", "add them to its place, or give neighbours by name.")
        position.append((place.latitude, place.longitude))
    if not position:
        return ()
    latitude, longitude = np.radians(np.array(position)).T
    haversine = (
        np.sin((latitude[:, None] - latitude) / 2) ** 2
        + np.cos(latitude[:, None]) * np.cos(latitude) * np.sin((longitude[:, None] - longitude) / 2) ** 2
    )
    distance = 2 * _EARTH_KM * np.arcsin(np.sqrt(np.clip(haversine, 0, 1)))
    return tuple(
        (known[i].geo, known[j].geo) for i, j in zip(*np.nonzero(np.triu(distance <= within_km, k=1)), strict=True)
    )


def merged(geos: Iterable[str], pairs: Iterable[Pair]) -> tuple[tuple[str, ...], ...]:
    """Units of geos joined by pairs, directly or through others; each sorted, and sorted by their first geo."""
    unit = {geo: {geo} for geo in geos}
    for a, b in pairs:
        if a in unit and b in unit and unit[a] is not unit[b]:
            joined = unit[a] | unit[b]
            for geo in joined:
                unit[geo] = joined
    return tuple(sorted({tuple(sorted(one)) for one in unit.values()}))


def thinned(
    geos: Iterable[str], pairs: Iterable[Pair], weights: Mapping[str, float], keep_first: Iterable[str] = ()
) -> tuple[tuple[str, ...], tuple[ExcludedGeo, ...]]:
    """The geos that stay when no two neighbours may, `keep_first` and then larger ones first; and the others."""
    near: dict[str, set[str]] = {}
    for a, b in pairs:
        near.setdefault(a, set()).add(b)
        near.setdefault(b, set()).add(a)
    first = set(keep_first)
    kept: list[str] = []
    dropped: list[ExcludedGeo] = []
    for geo in sorted(geos, key=lambda g: (g not in first, -weights.get(g, 0.0), g)):
        blocking = sorted(near.get(geo, set()) & set(kept))
        if blocking:
            dropped.append(ExcludedGeo(geo, f"It lies in the buffer around {blocking[0]}."))
        else:
            kept.append(geo)
    return tuple(sorted(kept)), tuple(sorted(dropped, key=lambda one: one.geo))
