"""Distances are the sphere's, and neighbours end up in one unit or one of them leaves with a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weathervane.contracts.errors import BadInput
from weathervane.contracts.tenant import Place
from weathervane.experiments.buffers import merged, near_pairs, thinned

PLACES = (
    Place("new-york", "New York", 40.7128, -74.006),
    Place("newark", "Newark", 40.7357, -74.1724),
    Place("philadelphia", "Philadelphia", 39.9526, -75.1652),
    Place("suva", "Suva", -18.1416, 178.4419),
    Place("apia", "Apia", -13.8333, -171.7667),
)
PAIRS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")), max_size=10)


def test_distances_are_the_spheres_also_across_the_date_line() -> None:
    assert near_pairs(PLACES, 14) == ()
    assert near_pairs(PLACES, 15) == (("new-york", "newark"),)  # 14.3 km
    assert len(near_pairs(PLACES, 132)) == 3  # New York to Philadelphia is 129.6 km
    assert ("apia", "suva") in near_pairs(PLACES, 1_160)  # 1,146 km, not around the world
    assert near_pairs(tuple(reversed(PLACES)), 132) == near_pairs(PLACES, 132)


def test_a_place_without_coordinates_is_no_distance_away() -> None:
    with pytest.raises(BadInput, match="no coordinates"):
        near_pairs((*PLACES, Place("x", "X")), 10)


@given(PAIRS)
def test_merging_joins_all_neighbours_and_only_them(pairs: list[tuple[str, str]]) -> None:
    units = merged("abcdefgh", pairs)
    assert sorted(geo for unit in units for geo in unit) == list("abcdefgh")
    unit_of = {geo: unit for unit in units for geo in unit}
    assert all(unit_of[a] == unit_of[b] for a, b in pairs)
    assert merged("abcdefgh", reversed(pairs)) == units
    assert len(units) >= 8 - len(pairs)


@given(PAIRS, st.permutations("abcdefgh"))
def test_thinning_leaves_no_neighbours_and_drops_no_more_than_it_must(
    pairs: list[tuple[str, str]], order: list[str]
) -> None:
    pairs = [(a, b) for a, b in pairs if a != b]
    weights = {geo: float(ord(geo)) for geo in "abcdefgh"}
    kept, dropped = thinned(order, pairs, weights, keep_first=("a",))
    assert not [pair for pair in pairs if set(pair) <= set(kept)]
    assert sorted([*kept, *(one.geo for one in dropped)]) == list("abcdefgh")
    for one in dropped:
        assert one.geo != "a"
        assert any({one.geo, geo} in [set(pair) for pair in pairs] for geo in kept)
    assert thinned("abcdefgh", pairs, weights, keep_first=("a",)) == (kept, dropped)
