"""Generated worlds shared by the tests of the model."""

from __future__ import annotations

from datetime import date

import pytest

from weathervane.connectors.synthetic.world import World, make_world

END = date(2026, 5, 31)


@pytest.fixture(scope="session")
def sensitive() -> World:
    """Six places, 500 days; weather and every channel work."""
    return make_world("sensitive", seed=3, end=END, n_days=500, n_geos=6)


@pytest.fixture(scope="session")
def national_weekly() -> World:
    """One national series, 208 weeks."""
    return make_world("national-weekly", seed=3, end=END, n_geos=6)


@pytest.fixture(scope="session")
def sparse() -> World:
    """Three places, 140 days, few orders, holes."""
    return make_world("sparse", seed=3, end=END)
