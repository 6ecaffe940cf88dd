"""Show scenarios: kept ones, each with a word where the plan it is about is no longer the newest."""

from __future__ import annotations

from collections.abc import Sequence

from weathervane.contracts.errors import BadInput, NotFound
from weathervane.contracts.scenario import MAX_COMPARED, SavedScenario, ShownScenario
from weathervane.store import results, scenarios
from weathervane.store.paths import Store


def show_scenarios(store: Store, scenario_ids: Sequence[str] | None = None) -> list[ShownScenario]:
    """All of the tenant's scenarios, the last changed first; or those named, at most four, in that order.

    NotFound for an unknown one, BadInput for one named twice or more than can be compared.
    """
    if scenario_ids is None:
        chosen = scenarios.scenarios(store)
    else:
        twice = next((one for one in scenario_ids if list(scenario_ids).count(one) > 1), None)
        if twice is not None:
            raise BadInput(f"The scenario {twice} is named twice.", "name each scenario once.")
        if len(scenario_ids) > MAX_COMPARED:
            raise BadInput(f"{len(scenario_ids)} scenarios were named.", f"name at most {MAX_COMPARED}.")
        chosen = [scenarios.scenario(store, one) for one in scenario_ids]
    newest = _newest_hash(store)
    return [ShownScenario(one, _changed(one, *newest)) for one in chosen]


def _newest_hash(store: Store) -> tuple[str | None, str | None]:
    try:
        plan = results.latest_plan(store)
    except NotFound:
        return None, None
    return plan.plan_id, results.plan_sha256(plan)


def _changed(saved: SavedScenario, plan_id: str | None, sha256: str | None) -> str | None:
    if saved.result.plan_sha256 == sha256:
        return None
    now = "there is no plan now" if plan_id is None else f"the newest plan is {plan_id}"
    return f"The baseline has changed: this is about {saved.result.plan_id}, and {now}. Run it again to compare."
