"""Media that were shown: organic columns at no cost, reach and impressions beside spend, and no contradictions."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
import yaml

from weathervane.connectors.files.exports import ImportedTables, read_exports
from weathervane.connectors.files.mapping import read_mapping
from weathervane.contracts.errors import BadInput
from weathervane.contracts.tables import TABLES
from weathervane.model.features.build import build_panel
from weathervane.model.features.grain import select_grain
from weathervane.model.mmm.prepare import prepare
from weathervane.model.mmm.priors import parse_priors
from weathervane.store.paths import open_store
from weathervane.store.tables import check, read, upsert

N_WEEKS = 70
MONDAYS = pl.date_range(pl.date(2023, 1, 2), pl.date(2023, 1, 2) + pl.duration(weeks=N_WEEKS - 1), "1w", eager=True)
WEEK = {"column": "week", "step": "week"}
AFTER = datetime(2024, 6, 3, tzinfo=UTC)


def imported(folder: Path, wide: dict[str, object]) -> ImportedTables:
    """A file with sales, what was paid for video, whom it reached, and mails that cost nothing."""
    week = pl.int_range(N_WEEKS, eager=True)
    pl.DataFrame(
        {
            "week": MONDAYS,
            "sold": 1000.0 + 10.0 * (week % 7),
            "video_cost": 50.0 + (week % 5),
            "video_people": 400.0 + 20.0 * (week % 3),
            "video_views": 900.0 + 30.0 * (week % 4),
            "opened": 200.0 + (week % 6),
        }
    ).write_csv(folder / "media.csv")
    file = {"file": str(folder / "media.csv"), "date": WEEK}
    sources = [
        {"table": "sales", **file, "columns": {"net_revenue": "sold"}},
        {"table": "spend", **file, "wide": wide},
    ]
    tenant = {"id": "acme", "name": "Acme", "currency": "USD"}
    (folder / "mapping.yaml").write_text(yaml.safe_dump({"tenant": tenant, "sources": sources}))
    result = read_exports(read_mapping(folder / "mapping.yaml"))
    for table, frame in result.tables.items():
        check(TABLES[table], frame, table)
    return result


VIDEO = {"spend": "video_cost", "reach": "video_people", "impressions": "video_views"}


def test_what_was_shown_comes_in_with_what_it_cost_or_at_no_cost(tmp_path: Path) -> None:
    spend = imported(tmp_path, {"video": VIDEO, "mail": {"organic": "opened"}}).tables["spend"].sort("date")
    raw = pl.read_csv(tmp_path / "media.csv")
    video, mail = (spend.filter(pl.col("channel") == name) for name in ("video", "mail"))
    for column, source in (("spend", "video_cost"), ("reach", "video_people"), ("impressions", "video_views")):
        assert video[column].to_list() == raw[source].to_list(), column
    assert mail["spend"].to_list() == [0.0] * N_WEEKS
    assert mail["impressions"].to_list() == raw["opened"].to_list()
    assert mail["reach"].null_count() == N_WEEKS


def test_the_model_measures_them_by_people_and_by_a_share_of_sales(tmp_path: Path) -> None:
    tables = imported(tmp_path, {"video": VIDEO, "mail": {"organic": "opened"}}).tables
    store = open_store(tmp_path / "state", "acme")
    for table, frame in tables.items():
        upsert(store, table, frame, AFTER, "test", 7)
    known = {name: read(store, name, AFTER) for name in TABLES}
    panel = build_panel(known, select_grain(known), as_of=AFTER, step_days=7, horizon=1, total=True)
    assert panel.channels == ("mail", "video")
    priors = parse_priors("channels:\n  video: {exposure: reach}\n", "test")
    _, _, form = prepare(panel, priors)
    assert form.effect == ("contribution_share", "roi")
    assert form.frequency == (1,)


@pytest.mark.parametrize(
    ("wide", "says"),
    [
        ({"organic": "opened", "spend": "video_cost"}, "write either spend"),
        ({"organic": "opened", "impressions": "opened"}, "leave impressions out"),
        ({"organic": "opened", "cost_per_unit": 2.0}, "no cost of its own"),
        ({"reach": "video_people"}, "write either spend"),
    ],
)
def test_contradictions_are_refused(tmp_path: Path, wide: dict[str, object], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        imported(tmp_path, {"mail": wide})
