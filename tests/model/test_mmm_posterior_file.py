"""The posterior file: the same bytes every time, what was written is read, by ArviZ too, and old files load."""

from __future__ import annotations

import io
import time
import warnings
from pathlib import Path

import h5netcdf
import numpy as np
import pytest

from model.small_estimates import ATTRIBUTES, small_estimates
from weathervane.contracts.errors import StateUnusable
from weathervane.model.mmm.posterior_file import SCHEMA_VERSION, Posterior, read_posterior, write_posterior

OLD = Path(__file__).parent / "posterior_v1.nc"


def holds_the_small_estimates(read: Posterior) -> None:
    found = small_estimates()
    assert read.attributes["engine"] == "hierarchical"
    assert {name: read.attributes[name] for name in ATTRIBUTES} == ATTRIBUTES
    assert read.labels["channel"] == ("tv", "search")
    assert read.labels["geo"] == ("Köln",)
    assert read.labels["period"][2] == "2024-01-15"
    assert set(read.groups) == {"posterior", "sample_stats", "observed_data", "constant_data"}
    for name, written in found.posterior.items():
        kept = read.groups["posterior"][name]
        assert (kept.axes, kept.unit) == (written.axes, written.unit)
        np.testing.assert_array_equal(kept.values, written.values)
    np.testing.assert_array_equal(read.groups["observed_data"]["outcome"].values, found.observed["outcome"].values)
    np.testing.assert_array_equal(read.groups["constant_data"]["spend"].values, found.observed["spend"].values)
    np.testing.assert_array_equal(read.peak, found.peak)


def test_what_is_written_is_read_and_is_the_same_bytes_a_second_later() -> None:
    first = write_posterior(small_estimates(), ATTRIBUTES)
    holds_the_small_estimates(read_posterior(first))
    time.sleep(1.1)  # HDF5 would write times in whole seconds
    assert write_posterior(small_estimates(), ATTRIBUTES) == first
    assert read_posterior(first).attributes["schema_version"] == SCHEMA_VERSION


def test_a_file_of_the_first_version_loads() -> None:
    read = read_posterior(OLD.read_bytes())
    assert read.attributes["schema_version"] == 1
    holds_the_small_estimates(read)


def test_a_file_of_a_newer_version_or_a_damaged_one_is_refused() -> None:
    buffer = io.BytesIO()
    with h5netcdf.File(buffer, "w") as file:
        file.attrs["schema_version"] = SCHEMA_VERSION + 1
    with pytest.raises(StateUnusable, match="version 2"):
        read_posterior(buffer.getvalue())
    whole = OLD.read_bytes()
    for damaged in (b"", b"nonsense", whole[: len(whole) // 2]):
        with pytest.raises(StateUnusable, match="damaged"):
            read_posterior(damaged)


def test_arviz_reads_it(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it announces its next version whenever it is imported
        import arviz

        path = tmp_path / "posterior.nc"
        path.write_bytes(write_posterior(small_estimates(), ATTRIBUTES))
        data = arviz.from_netcdf(str(path))
        summary = arviz.summary(data, var_names=["roi"], kind="stats")
    assert data.posterior["roi"].dims == ("chain", "draw", "channel")
    assert list(data.posterior["channel"].values) == ["tv", "search"]
    assert list(summary.index) == ["roi[tv]", "roi[search]"]
    assert summary.loc["roi[tv]", "mean"] == pytest.approx(0.5)
    assert data.observed_data["outcome"].sel(geo="Köln", period="2024-01-22").item() == 4.0
    assert data.sample_stats.attrs["rhat_max"] == pytest.approx(1.002)
