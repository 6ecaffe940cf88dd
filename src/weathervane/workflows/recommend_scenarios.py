"""Recommend scenarios: what the allocator finds for the newest plan, and why not more."""

from __future__ import annotations

from weathervane.contracts.scenario import Recommendations
from weathervane.planning.recommend import recommend
from weathervane.store.paths import Store
from weathervane.workflows.read_baseline import read_baseline


def recommend_scenarios(store: Store, *, margin: float | None = None) -> Recommendations:
    """Up to three scenarios; `margin` is the profit in a unit of outcome. Raises as reading the baseline does."""
    return recommend(read_baseline(store), margin)
