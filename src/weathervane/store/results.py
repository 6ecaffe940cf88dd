"""Results: tenants, plans, forecasts and runs in and out of the ledger, as canonical JSON with its hash."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Select, delete, select

from weathervane.contracts.errors import BadInput, NotFound, StateUnusable
from weathervane.contracts.forecast import DemandForecast, ForecastQuality
from weathervane.contracts.plan import BudgetPlan, TenantSummary
from weathervane.contracts.tenant import Tenant
from weathervane.store.ledger import (
    ApprovalRow,
    ForecastRow,
    PlanRow,
    RunRow,
    ScenarioRow,
    SettingsRow,
    TenantRow,
    sha256,
    transaction,
)
from weathervane.store.paths import LEDGER_FILE, Store, default_database_url

T = TypeVar("T")
RunStatus = Literal["running", "done", "failed"]


@dataclass(frozen=True)
class Run:
    """One run of a job or command. Instants are UTC ending in Z; a killed run stays `running`."""

    run_id: str
    kind: str
    started_at: str
    finished_at: str | None
    status: RunStatus
    detail: Mapping[str, str | int | float | bool | None]


def to_json(value: object) -> str:
    """Canonical JSON of a contract: sorted keys, UTF-8, two spaces, a newline at the end; equal values, equal text.

    Raises BadInput for a number that is not finite.
    """
    adapter = _adapter(type(value))
    # Through the contract's own types once, so that 1 in a float field is written 1.0 as it will be after reading.
    read_back = adapter.validate_json(_dumps(adapter, value))
    return _dumps(adapter, read_back) + "\n"


def _dumps(adapter: TypeAdapter[Any], value: object) -> str:
    try:
        plain = adapter.dump_python(value, mode="json")
        return json.dumps(plain, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise BadInput(f"A {type(value).__name__} holds a number that is not finite.", "mend what made it.") from error


def from_json(cls: type[T], text: str) -> T:
    """The contract `cls` that `text` describes; StateUnusable if it does not describe one."""
    try:
        return _adapter(cls).validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise StateUnusable(
            f"A stored {cls.__name__} cannot be read: {where}: {first['msg']}.", "restore it from a backup."
        ) from error


@cache
def _adapter(cls: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(cls)


# --- tenants --------------------------------------------------------------------------------------------------------


def keep_tenant(store: Store, tenant: Tenant) -> None:
    """Stores the tenant, replacing what was known of it."""
    if tenant.tenant_id != store.tenant_id:
        raise BadInput(f"This is the store of {store.tenant_id!r}, not {tenant.tenant_id!r}.", "open the other one.")
    document = to_json(tenant)
    with transaction(store.database_url) as session:
        session.merge(TenantRow(tenant_id=store.tenant_id, document=document, sha256=sha256(document)))


def tenant(store: Store) -> Tenant:
    """The store's tenant; NotFound if it was never set up."""
    found = find_tenant(store)
    if found is None:
        raise _no_tenant(store)
    return found


def find_tenant(store: Store) -> Tenant | None:
    """The store's tenant, or None; looking makes no database."""
    if not _has_ledger(store.root, store.database_url):
        return None
    with transaction(store.database_url) as session:
        row = session.get(TenantRow, store.tenant_id)
    return None if row is None else from_json(Tenant, intact(row.document, row.sha256))


def forget_demo(store: Store) -> None:
    """Removes what a demo tenant's ledger holds, so that the next demo starts clean; BadInput for real data."""
    known = find_tenant(store)
    if known is None:
        return
    if not known.demo:
        raise BadInput(f"{store.tenant_id!r} holds real data.", "choose another id for the demo, DEMO_TENANT=…")
    with transaction(store.database_url) as session:
        for kind in (PlanRow, ForecastRow, RunRow, SettingsRow, ApprovalRow, ScenarioRow):
            session.execute(delete(kind).where(kind.tenant_id == store.tenant_id))


def tenants(root: Path, database_url: str | None = None) -> list[TenantSummary]:
    """Every tenant in the ledger, by id; empty where no state was ever made."""
    url = database_url or default_database_url(root)
    if not _has_ledger(root, url):
        return []
    with transaction(url) as session:
        rows = session.scalars(select(TenantRow).order_by(TenantRow.tenant_id)).all()
        newest = {row.tenant_id: session.scalars(_newest_plan(row.tenant_id)).first() for row in rows}
    known = [from_json(Tenant, intact(row.document, row.sha256)) for row in rows]
    plans = {tenant_id: _plan_of(row) for tenant_id, row in newest.items() if row is not None}
    return [
        TenantSummary(
            tenant_id=one.tenant_id,
            name=one.name,
            demo=one.demo,
            has_plan=one.tenant_id in plans,
            plan_as_of=plans[one.tenant_id].as_of if one.tenant_id in plans else None,
        )
        for one in known
    ]


# --- plans ----------------------------------------------------------------------------------------------------------


def keep_plan(store: Store, plan: BudgetPlan) -> None:
    """Stores the plan; making the same plan (by id) again replaces it."""
    same_tenant(store, plan.tenant_id)
    document = to_json(plan)
    with transaction(store.database_url) as session:
        need_tenant(session.get(TenantRow, store.tenant_id), store)
        session.merge(
            PlanRow(
                tenant_id=store.tenant_id,
                plan_id=plan.plan_id,
                as_of=plan.as_of.isoformat(),
                generated_at=plan.generated_at,
                document=document,
                sha256=sha256(document),
            )
        )


def latest_plan(store: Store) -> BudgetPlan:
    """The tenant's plan of the latest `as_of`, the last made of those; NotFound if there is none."""
    with transaction(store.database_url) as session:
        row = session.scalars(_newest_plan(store.tenant_id)).first()
    if row is None:
        raise NotFound(f"There is no plan for {store.tenant_id!r} yet.", "run `weathervane plan`.")
    return _plan_of(row)


def plan(store: Store, plan_id: str) -> BudgetPlan:
    """The tenant's plan of that id; NotFound if there is none."""
    with transaction(store.database_url) as session:
        row = session.get(PlanRow, (store.tenant_id, plan_id))
    if row is None:
        raise NotFound(f"{store.tenant_id!r} has no plan {plan_id!r}.", "run `weathervane plan`, or check the id.")
    return _plan_of(row)


def plan_sha256(plan: BudgetPlan) -> str:
    """The hash of what a plan says, whenever it was made: the same plan made again tomorrow has the same."""
    return sha256(to_json(replace(plan, generated_at="")))


def _newest_plan(tenant_id: str) -> Select[PlanRow]:
    newest_first = (PlanRow.as_of.desc(), PlanRow.generated_at.desc(), PlanRow.plan_id.desc())
    return select(PlanRow).where(PlanRow.tenant_id == tenant_id).order_by(*newest_first).limit(1)


def _plan_of(row: PlanRow) -> BudgetPlan:
    return from_json(BudgetPlan, intact(row.document, row.sha256))


# --- forecasts ------------------------------------------------------------------------------------------------------


def keep_forecast(store: Store, forecast: DemandForecast, quality: ForecastQuality) -> None:
    """Freezes an issued forecast; keeping the same one again does nothing, another one under its id is refused."""
    same_tenant(store, forecast.tenant_id)
    document, record = to_json(forecast), to_json(quality)
    with transaction(store.database_url) as session:
        need_tenant(session.get(TenantRow, store.tenant_id), store)
        row = session.get(ForecastRow, (store.tenant_id, forecast.forecast_id))
        if row is None:
            session.add(
                ForecastRow(
                    tenant_id=store.tenant_id,
                    forecast_id=forecast.forecast_id,
                    issued_at=forecast.issued_at,
                    document=document,
                    quality=record,
                    sha256=sha256(document + record),
                )
            )
        elif row.sha256 != sha256(document + record):
            raise BadInput(
                f"The forecast {forecast.forecast_id!r} was issued with other content; forecasts never change.",
                "issue it under a new id.",
            )


def latest_forecast(store: Store) -> tuple[DemandForecast, ForecastQuality]:
    """The tenant's last issued forecast and the quality it was issued with; NotFound if there is none."""
    newest_first = (ForecastRow.issued_at.desc(), ForecastRow.forecast_id.desc())
    chosen = select(ForecastRow).where(ForecastRow.tenant_id == store.tenant_id).order_by(*newest_first).limit(1)
    with transaction(store.database_url) as session:
        row = session.scalars(chosen).first()
    if row is None:
        raise NotFound(f"There is no forecast for {store.tenant_id!r} yet.", "run `weathervane forecast`.")
    intact(row.document + row.quality, row.sha256)
    return from_json(DemandForecast, row.document), from_json(ForecastQuality, row.quality)


def forecasts(store: Store, since: str, until: str) -> list[DemandForecast]:
    """The tenant's forecasts issued between two UTC instants, both included, oldest first.

    Raises StateUnusable where one of them is not what was issued.
    """
    issued = ForecastRow.issued_at.between(since, until)
    by_time = (ForecastRow.issued_at, ForecastRow.forecast_id)
    if not _has_ledger(store.root, store.database_url):
        return []
    with transaction(store.database_url) as session:
        rows = session.scalars(
            select(ForecastRow).where(ForecastRow.tenant_id == store.tenant_id, issued).order_by(*by_time)
        ).all()
    for row in rows:
        intact(row.document + row.quality, row.sha256)
    return [from_json(DemandForecast, row.document) for row in rows]


# --- runs -----------------------------------------------------------------------------------------------------------


def keep_run(store: Store, run: Run) -> None:
    """Stores a run, replacing what was known of it under its id."""
    with transaction(store.database_url) as session:
        need_tenant(session.get(TenantRow, store.tenant_id), store)
        session.merge(
            RunRow(
                tenant_id=store.tenant_id,
                run_id=run.run_id,
                kind=run.kind,
                started_at=run.started_at,
                finished_at=run.finished_at,
                status=run.status,
                detail=json.dumps(dict(run.detail), sort_keys=True, ensure_ascii=False),
            )
        )


def runs(store: Store, kind: str) -> list[Run]:
    """The tenant's runs of one kind, newest first."""
    chosen = select(RunRow).where(RunRow.tenant_id == store.tenant_id, RunRow.kind == kind)
    with transaction(store.database_url) as session:
        rows = session.scalars(chosen.order_by(RunRow.started_at.desc(), RunRow.run_id.desc())).all()
    return [
        from_json(
            Run,
            json.dumps(
                {
                    "run_id": row.run_id,
                    "kind": row.kind,
                    "started_at": row.started_at,
                    "finished_at": row.finished_at,
                    "status": row.status,
                    "detail": json.loads(row.detail),
                }
            ),
        )
        for row in rows
    ]


# --- guards ---------------------------------------------------------------------------------------------------------


def same_tenant(store: Store, tenant_id: str) -> None:
    """BadInput where a document belongs to another tenant than the store."""
    if tenant_id != store.tenant_id:
        raise BadInput(f"This is the store of {store.tenant_id!r}, not {tenant_id!r}.", "open the other one.")


def need_tenant(row: TenantRow | None, store: Store) -> None:
    """NotFound where the tenant was never set up."""
    if row is None:
        raise _no_tenant(store)


def _no_tenant(store: Store) -> NotFound:
    remedy = "run `weathervane import MAPPING.yaml` or `weathervane demo run`."
    return NotFound(f"There is no tenant {store.tenant_id!r}.", remedy)


def _has_ledger(root: Path, database_url: str) -> bool:
    """Whether there may be a ledger: a server always counts, the state folder's own file only once it is there."""
    return database_url != default_database_url(root) or (root / LEDGER_FILE).exists()


def intact(document: str, expected: str) -> str:
    """The document, if it is the one that was stored; StateUnusable otherwise."""
    if sha256(document) != expected:
        raise StateUnusable(
            "A stored document does not match its hash: it was changed outside WeatherVane.",
            "restore the database from a backup.",
        )
    return document
