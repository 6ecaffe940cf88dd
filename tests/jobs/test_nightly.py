"""The nightly job: done once, nothing doubled, finished after a kill, and one tenant's trouble is its own."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import text

from weathervane.cli.main import main
from weathervane.connectors.synthetic.world import make_world
from weathervane.contracts.tables import TABLES
from weathervane.jobs import nightly
from weathervane.jobs.nightly import Step, run_nightly
from weathervane.store import results
from weathervane.store.event_log import events
from weathervane.store.ledger import transaction
from weathervane.store.paths import Store, open_store
from weathervane.store.tables import data_hash, read, upsert
from weathervane.workflows.check_due import check_due

LAST = date(2026, 5, 31)
NIGHT = datetime(2026, 6, 1, 6, tzinfo=UTC)

pytestmark = pytest.mark.slow

RUN = """
import sys
from datetime import datetime
from pathlib import Path
from weathervane.jobs.nightly import run_nightly
clock = lambda: datetime.fromisoformat(sys.argv[2])
run_nightly(Path(sys.argv[1]), None, clock=clock, on_step=lambda step: print(step.name, flush=True))
"""


def set_up(root: Path, tenant_id: str = "acme", n_days: int = 210) -> Store:
    """A real tenant's data, as an import leaves it."""
    world = make_world("null", seed=7, end=LAST, n_days=n_days, n_geos=2, tenant_id=tenant_id)
    store = open_store(root, tenant_id)
    results.keep_tenant(store, replace(world.tenant, demo=False))
    for table, frame in world.tables.items():
        upsert(store, table, frame, NIGHT, "export")
    return store


def night(root: Path, at: datetime = NIGHT, **options: object) -> dict[str, Step]:
    return {step.name: step for step in run_nightly(root, None, clock=lambda: at, **options)}  # pyright: ignore[reportArgumentType]


def what_is_stored(store: Store) -> dict[str, object]:
    """Everything a second run could double: ledger rows, fits, rows of every version, artefacts."""
    with transaction(store.database_url) as session:
        ledger = {
            table: sorted(tuple(row) for row in session.execute(text(f"SELECT tenant_id, {key}, sha256 FROM {table}")))
            for table, key in (("plans", "plan_id"), ("forecasts", "forecast_id"))
        }
    tables = {name: (data_hash(store, name), read(store, name).height) for name in TABLES}
    curves = sorted(path.name for path in store.models.iterdir())
    leftovers = [path.name for path in store.root.rglob("*.tmp")]
    calibration = {path.name: path.read_bytes() for path in store.calibration.glob("*.json*")}
    return {
        **ledger,
        **tables,
        "calibration": calibration,
        "models": store.models_registry.read_bytes(),
        "curves": curves,
        "leftovers": leftovers,
    }


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Step]]:
    """A state after its first night; tests work on copies."""
    root = tmp_path_factory.mktemp("night") / "state"
    set_up(root)
    return root, night(root)


@pytest.fixture
def store(first: tuple[Path, dict[str, Step]], tmp_path: Path) -> Store:
    shutil.copytree(first[0], tmp_path / "state")
    return open_store(tmp_path / "state", "acme")


def test_the_first_night_does_everything_and_says_so(first: tuple[Path, dict[str, Step]]) -> None:
    root, steps = first
    store = open_store(root, "acme")
    assert list(steps) == ["refresh", "experiments", "quality", "train", "forecast", "calibrate", "plan"]
    did = ["done", "insufficient geo", "done", "done", "done", "done", "done"]
    assert [step.detail["did"] for step in steps.values()] == did
    lines = [event for event in events(store) if event.kind.startswith("nightly.")]
    assert [event.kind for event in lines] == [f"nightly.{name}" for name in steps]
    assert all(float(event.detail["seconds"] or 0) >= 0 for event in lines)
    assert steps["plan"].detail["sentence"] == results.latest_plan(store).sentence
    assert "acme**: last run nightly-20260601T060000" in store.context.read_text("utf-8")
    assert read(store, "calendar")["date"].max() > LAST + timedelta(days=365)


def test_a_second_night_without_news_changes_nothing(store: Store) -> None:
    before = what_is_stored(store)
    steps = night(store.root, NIGHT + timedelta(days=1))
    assert {name: step.detail["did"] for name, step in steps.items()} == {
        "refresh": "nothing new",
        "experiments": "insufficient geo",
        "quality": "done",
        "train": "not due",
        "forecast": "not due",
        "calibrate": "not due",
        "plan": "not due",
    }
    assert what_is_stored(store) == before


def test_killed_anywhere_the_next_run_does_the_rest(first: tuple[Path, dict[str, Step]], tmp_path: Path) -> None:
    root = tmp_path / "state"
    store = set_up(root)
    seed = random.SystemRandom().randrange(1_000_000)
    moments = random.Random(seed)
    for after in (None, "quality", "train", "forecast"):
        run = subprocess.Popen(
            [sys.executable, "-c", RUN, str(root), NIGHT.isoformat()], stdout=subprocess.PIPE, text=True
        )
        assert run.stdout is not None
        if after is not None:
            assert any(line.strip() == after for line in run.stdout)
        time.sleep(moments.uniform(0, 4 if after is None else 8 if after == "quality" else 1.5))
        run.send_signal(signal.SIGKILL)
        run.wait()
        run.stdout.close()
    night(root)
    assert what_is_stored(store) == what_is_stored(open_store(first[0], "acme")), f"seed {seed}"
    assert {event.kind for event in events(store)} >= {"nightly.train", "nightly.plan"}
    assert all(step.detail["did"] != "done" for name, step in night(root).items() if name != "quality")


def test_a_failing_tenant_does_not_stop_the_others(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(store.root, "a-short-one", n_days=30)
    steps = run_nightly(store.root, None, clock=lambda: NIGHT)
    short = [step for step in steps if step.tenant_id == "a-short-one"]
    assert [step.name for step in short] == ["refresh", "experiments", "quality"]
    assert (short[-1].level, short[-1].exit_code) == ("error", 3)
    assert [step.name for step in steps if step.tenant_id == "acme"][-1] == "plan"
    assert str(short[-1].detail["remedy"]) in store.context.read_text("utf-8")

    def broken(*_: object, **__: object) -> object:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(nightly, "refresh_data", broken)
    steps = run_nightly(store.root, None, tenant_id="acme", clock=lambda: NIGHT)
    assert [(step.name, step.exit_code) for step in steps] == [("refresh", 1)]
    assert "RuntimeError: two lines (test_nightly.py:" in str(events(store, "acme")[-1].detail["problem"])


def test_a_demo_tenant_lives_on_its_own_day(store: Store) -> None:
    results.keep_tenant(store, replace(results.tenant(store), demo=True))
    steps = night(store.root, datetime(2031, 1, 1, tzinfo=UTC))
    assert steps["quality"].level == "info" or "Freshness" not in str(steps["quality"].detail)
    assert [steps[name].detail["did"] for name in ("train", "forecast", "calibrate", "plan")] == ["not due"] * 4


def more_sales(store: Store, days: list[date], now: datetime, factor: float = 1.0) -> None:
    week = read(store, "sales").filter(pl.col("date") > LAST - timedelta(days=7)).drop("known_at")
    frames = [week.filter(pl.col("date") == pl.col("date").max()).with_columns(date=pl.lit(day)) for day in days]
    fresh = pl.concat(frames).with_columns(pl.col("net_revenue") * factor)
    upsert(store, "sales", fresh, now, "export")


@pytest.mark.parametrize(
    ("days", "train", "forecast"),
    [
        ([LAST + timedelta(days=1)], "", "There is news in sales since the last forecast."),
        (
            [LAST + timedelta(days=i) for i in range(1, 8)],
            "There are 7 days of sales that the model has not seen.",
            "news",
        ),
        ([LAST - timedelta(days=6)], "", "news"),
        ([LAST - timedelta(days=7)], "rows of older days have changed since the fit.", "news"),
    ],
)
def test_what_news_makes_due(store: Store, days: list[date], train: str, forecast: str) -> None:
    later = NIGHT + timedelta(days=8)
    assert [check_due(store, name, later) for name in ("train", "forecast", "calibrate", "plan")] == [""] * 4
    more_sales(store, days, later - timedelta(hours=1), factor=1.5)
    said = check_due(store, "train", later)
    assert (train in said) if train else said == ""
    assert forecast in check_due(store, "forecast", later)


def test_the_command_says_each_step_and_ends_with_the_first_failure(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("WEATHERVANE_STATE", "")
    monkeypatch.setenv("WEATHERVANE_TENANT", "acme")

    def command(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["weathervane", "--state", str(store.root), *words])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return int(end.value.code or 0), said.out, said.err

    code, out, _ = command("job", "nightly")
    assert code == 0
    assert [line.split()[2] for line in out.splitlines() if line[0] in "✓!✗"] == [
        "refresh:",
        "experiments:",
        "quality:",
        "train:",
        "forecast:",
        "calibrate:",
        "plan:",
    ]
    set_up(store.root, "a-short-one", n_days=30)
    code, out, _ = command("--tenant", "a-short-one", "job", "nightly", "--json")
    assert (code, json.loads(out)["steps"][-1]["exit_code"]) == (3, 3)
    assert command("--tenant", "nobody", "job", "nightly")[0] == 4


def test_a_mapping_is_imported_again(store: Store, tmp_path: Path) -> None:
    sales = read(store, "sales").drop("known_at").with_columns(pl.col("net_revenue") + 1.0)
    sales.write_parquet(tmp_path / "sales.parquet")
    (tmp_path / "mapping.yaml").write_text(
        "tenant: {id: acme, name: Acme, currency: USD}\n"
        "sources:\n"
        "  - table: sales\n"
        "    file: sales.parquet\n"
        "    date: {column: date}\n"
        "    geo: {column: geo}\n"
        "    category: {column: category}\n"
        "    columns: {net_revenue: net_revenue, orders: orders, units: units}\n"
    )
    later = NIGHT + timedelta(days=1)
    steps: list[Step] = []

    def stop_after_quality(step: Step) -> None:
        steps.append(step)
        if step.name == "quality":
            raise KeyboardInterrupt

    run: Callable[[], object] = lambda: run_nightly(  # noqa: E731  said once, used once
        store.root, None, mapping=tmp_path / "mapping.yaml", clock=lambda: later, on_step=stop_after_quality
    )
    with pytest.raises(KeyboardInterrupt):
        run()
    assert steps[0].detail["sales"] == sales.height
    assert "rows of older days have changed" in check_due(store, "train", later)
