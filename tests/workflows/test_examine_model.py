"""Examining the model in use, from the command line to the files."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from weathervane.cli.main import main
from weathervane.contracts.examination import Band, Examination
from weathervane.store.paths import Store, open_store
from weathervane.store.results import from_json
from weathervane.workflows.run_demo import DemoOptions, run_demo


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = open_store(tmp_path_factory.mktemp("examine"), "demo")
    run_demo(made, DemoOptions("sensitive", seed=7, n_days=210, n_geos=2), kind="run", command="test")
    return made


def mean_of(band: Band) -> np.ndarray:
    """Nearly the mean of what has these quantiles, skewed or not (Pearson and Tukey's three points)."""
    return 0.63 * np.array(band.p50) + 0.185 * (np.array(band.p05) + np.array(band.p95))


def examine(store: Store, monkeypatch: pytest.MonkeyPatch, *words: str | Path) -> int:
    monkeypatch.setenv("WEATHERVANE_STATE", "")
    monkeypatch.setenv("WEATHERVANE_TENANT", "")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(
        sys, "argv", ["weathervane", "--state", str(store.root), "examine", *(str(word) for word in words)]
    )
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


@pytest.mark.slow
def test_the_champion_is_made_again_and_everything_is_written(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert examine(store, monkeypatch, "--json", "--out", tmp_path) == 0
    said = capsys.readouterr().out
    assert said == (tmp_path / "examination.json").read_text("utf-8")
    made = from_json(Examination, said)
    assert made.same_as_champion
    assert made.demo
    assert json.loads(said)["recovery"] is None
    # Draws add up exactly, and so do means; medians of skewed parts fall short by some 2 %.
    parts = [mean_of(part.by_period) for part in made.contributions.parts]
    assert np.sum(parts, axis=0) == pytest.approx(mean_of(made.contributions.fitted), rel=0.01)
    names = {path.name for path in tmp_path.iterdir()}
    assert {"EXAMINATION.md", "fit.png", "contributions.png", "curves.png", "prior_posterior.png"} <= names
    assert "The refit gives the champion's own numbers." in (tmp_path / "EXAMINATION.md").read_text("utf-8")


@pytest.mark.slow
def test_other_priors_than_the_champions_are_refused(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "priors.yaml"
    other.write_text("default:\n  roi: {mean: 2.0, sd: 1.0}\n")
    assert examine(store, monkeypatch, "--priors", other) == 2
    assert "other priors" in capsys.readouterr().err
