"""Training is for data that are ready; what cannot be solved is refused by name, never by a traceback."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from weathervane.contracts.errors import ModelFailed, NotEnoughData
from weathervane.contracts.tenant import Tenant
from weathervane.store.paths import Store, open_store
from weathervane.store.tables import upsert
from weathervane.workflows import train_model as workflow
from weathervane.workflows.set_up_tenant import set_up_tenant
from weathervane.workflows.train_model import train_model

NOW = datetime(2026, 6, 1, 6, tzinfo=UTC)


def tenant(root: Path, n_spend: int) -> Store:
    """Forty weeks of sales, and as many weeks of spend as said."""
    store = open_store(root, "acme")
    set_up_tenant(store, Tenant("acme", "Acme", "USD", demo=False))
    weeks = [NOW.date() - timedelta(days=7 * (i + 1)) for i in range(40)]
    sales = pl.DataFrame({"geo": "national", "date": weeks, "category": "total", "net_revenue": 100.0})
    spend = pl.DataFrame({"geo": "national", "date": weeks[:n_spend], "channel": "tv"})
    upsert(store, "sales", sales, NOW, "export", 7)
    upsert(store, "spend", spend.with_columns(spend=pl.int_range(pl.len()) % 5 * 1.0), NOW, "export", 7)
    return store


def train(store: Store, **options: bool) -> object:
    return train_model(store, as_of=NOW, seed=1, run_id="test", **options)  # pyright: ignore[reportArgumentType]  one option


@pytest.mark.parametrize("n_spend", [0, 12])
def test_data_that_are_not_ready_are_refused_unless_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_spend: int
) -> None:
    asked: list[bool] = []

    def fit(*_: object, **__: object) -> None:
        asked.append(True)
        raise ModelFailed("Stopped here.", "nothing.")

    monkeypatch.setattr(workflow, "train", fit)
    store = tenant(tmp_path, n_spend)
    with pytest.raises(NotEnoughData, match=f"there are {n_spend} weeks") as refusal:
        train(store)
    assert (asked, "--anyway" in refusal.value.remedy) == ([], True)
    with pytest.raises(ModelFailed, match="Stopped here"):
        train(store, anyway=True)


def test_equations_without_a_solution_are_no_defect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(*_: object, **__: object) -> None:
        raise np.linalg.LinAlgError("Singular matrix")

    monkeypatch.setattr(workflow, "train", fit)
    with pytest.raises(ModelFailed, match="have no solution") as refusal:
        train(tenant(tmp_path, 40))
    assert "weathervane status" in refusal.value.remedy
