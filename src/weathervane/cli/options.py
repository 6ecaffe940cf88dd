"""Options that every command shares: which state, which tenant, and whether a machine reads the answer."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from weathervane.contracts.errors import BadInput, NotFound

if TYPE_CHECKING:
    from weathervane.contracts.money import Money
    from weathervane.settings import Settings
    from weathervane.store.paths import Store

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a machine to read.")]


def settings() -> Settings:
    """The environment as it stands, with --state and --tenant in it."""
    from weathervane.settings import Settings

    return Settings()


def chosen_store() -> Store:
    """The store of the tenant that --tenant names, or of the only one there is.

    Raises NotFound where there is none, BadInput where there are several and none is named.
    """
    from weathervane.store import results
    from weathervane.store.paths import open_store

    chosen = settings()
    names = [one.tenant_id for one in results.tenants(chosen.state, chosen.database_url)]
    if chosen.tenant is None and not names:
        raise NotFound(
            f"There is no data in {chosen.state} yet.",
            "run `weathervane import MAPPING.yaml` or `weathervane demo run`.",
        )
    if chosen.tenant is None and len(names) > 1:
        raise BadInput(f"There are several tenants: {', '.join(names)}.", "choose one with --tenant.")
    tenant_id = chosen.tenant or names[0]
    if tenant_id not in names:
        have = f"choose one of {', '.join(names)} with --tenant." if names else "run `weathervane import MAPPING.yaml`."
        raise NotFound(f"There is no tenant {tenant_id!r}.", have)
    return open_store(chosen.state, tenant_id, chosen.database_url)


def amount_above_zero(name: str, amount: float, currency: str) -> Money:
    """The money of an option; BadInput for one that is no finite amount above zero."""
    from weathervane.contracts.money import Money

    if not (math.isfinite(amount) and amount > 0):
        raise BadInput(f"The {name} is {amount:g}.", "give an amount above zero.")
    return Money.from_major(amount, currency)


def checked_margin(margin: float | None) -> float | None:
    """The margin of an option; BadInput for one that is no share of what is sold."""
    from weathervane.contracts.plan import check_margin

    return None if margin is None else check_margin(margin)


def print_json(value: Mapping[str, object]) -> None:
    """Writes one JSON object to standard output; dates and instants as ISO text."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")
