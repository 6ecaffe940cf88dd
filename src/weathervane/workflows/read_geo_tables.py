"""Read geo tables: what the tenant's store holds, as the panels that experiments work on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from weathervane.contracts.experiment_design import ExperimentDesign, TriggerRule
from weathervane.contracts.period import Period
from weathervane.experiments.panel import Bools, Panel
from weathervane.experiments.tables import GeoTables, geo_tables, outcome_panel
from weathervane.experiments.trigger_weather import trigger_days
from weathervane.store import results
from weathervane.store.paths import Store
from weathervane.store.tables import read


def read_geo_tables(store: Store, *, as_of: datetime | None = None) -> GeoTables:
    """The tenant's geos and days as known at `as_of` (now, if None). NotFound without the tenant, NotEnoughData without
    sales."""
    frames = [read(store, name, as_of) for name in ("sales", "spend", "weather", "calendar", "inventory")]
    return geo_tables(results.tenant(store), *frames)


def outcome_then(store: Store, at: datetime) -> Panel | None:
    """The outcome as it was known at an instant; None where there was none yet."""
    sales = read(store, "sales", at)
    return None if sales.is_empty() else outcome_panel(results.tenant(store), sales)


def read_trigger(
    store: Store,
    rule: TriggerRule,
    pre_period: Period,
    geos: Sequence[str],
    days: Sequence[date],
    *,
    as_of: datetime | None = None,
) -> Bools:
    """Where the rule fires on those geos and days, [n_geos, n_days]. NotEnoughData without weather to tell."""
    return trigger_days(read(store, "weather", as_of), geos, days, rule, pre_period)


def trigger_of(
    store: Store, design: ExperimentDesign, tables: GeoTables, *, as_of: datetime | None = None
) -> Bools | None:
    """Where a trigger experiment's rule fires on the tables' geos and days; None for any other design."""
    if design.trigger is None:
        return None
    geos, days = tables.outcome.geos, tables.outcome.days
    return read_trigger(store, design.trigger.rule, design.pre_period, geos, days, as_of=as_of)
