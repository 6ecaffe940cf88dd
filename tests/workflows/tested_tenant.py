"""A small tenant stored by hand, and its experiment commands run to their end."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from weathervane.cli import experiment as door
from weathervane.cli.main import main
from weathervane.contracts.tenant import Tenant
from weathervane.store import results
from weathervane.store.paths import Store, open_store
from weathervane.store.tables import upsert

FIRST = date(2026, 1, 5)
N_DAYS = 140
LAST = FIRST + timedelta(days=N_DAYS - 1)
NOW = datetime(2026, 5, 25, 6, tzinfo=UTC)  # the morning after the last day


def outcomes(n_geos: int = 10, n_days: int = N_DAYS, seed: int = 0) -> np.ndarray:
    """Sales [n_geos, n_days] with a common week and shock."""
    rng = np.random.default_rng(seed)
    week = 0.1 * (np.arange(n_days) % 7 >= 5) + 0.05 * rng.standard_normal(n_days)
    level = np.exp(rng.normal(6.0, 0.4, (n_geos, 1)))
    return np.round(level * (1.0 + week + 0.05 * rng.standard_normal((n_geos, n_days))), 2)


def keep(root: Path, sales: np.ndarray, *, gone: tuple[tuple[int, int], ...] = (), dark: tuple[int, ...] = ()) -> Store:
    """The tenant `acme` with these sales and even spend on search; `gone` (geo, day) have no row of sales.

    Geos in `dark` spend nothing in the last 35 days.
    """
    store = open_store(root, "acme")
    results.keep_tenant(store, Tenant("acme", "Acme", "USD", demo=False))
    rows = [
        {"geo": f"geo-{g:02d}", "date": FIRST + timedelta(days=t), "sold": float(sales[g, t]), "paid": 10.0 * (1 + g)}
        for g in range(sales.shape[0])
        for t in range(sales.shape[1])
    ]
    frame = pl.DataFrame(rows)
    here = pl.Series([(int(r["geo"][4:]), (r["date"] - FIRST).days) not in set(gone) for r in rows])
    off = pl.Series([int(r["geo"][4:]) in dark and (r["date"] - FIRST).days >= N_DAYS - 35 for r in rows])
    sold = frame.filter(here).select("geo", "date", category=pl.lit("total"), net_revenue="sold")
    paid = frame.with_columns(paid=pl.when(off).then(0.0).otherwise("paid"))
    upsert(store, "sales", sold, NOW, "export")
    upsert(store, "spend", paid.select("geo", "date", channel=pl.lit("search"), spend="paid"), NOW, "export")
    return store


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Runs `weathervane experiment …` at NOW; gives the exit code and what it said."""
    for name in ("WEATHERVANE_STATE", "WEATHERVANE_TENANT"):
        monkeypatch.setenv(name, "")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(door, "now", lambda: NOW)

    def run(store: Store, *words: str) -> tuple[int, str]:
        monkeypatch.setattr(
            sys, "argv", ["weathervane", "--state", str(store.root), "--tenant", "acme", "experiment", *words]
        )
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return int(end.value.code or 0), " ".join((said.out + said.err).split())

    return run
