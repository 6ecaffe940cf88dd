"""Ingest: ten million order-level rows (Parquet and CSV) imported to daily sales by the command line itself."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from benchmarks.figure import Figure, print_figures

_CHUNK = 500_000
_GEOS = np.array([f"us-{i:02d}" for i in range(50)])
_CATEGORIES = np.array(["coats", "ice cream", "garden", "books"])
_START, _DAYS = np.datetime64("2022-01-01"), 1095
_PEAK_BAR_GB = 2.0

_MAPPING = """
tenant: {{id: bench, name: Bench, currency: USD}}
sources:
  - table: sales
    file: {file}
    level: orders
    date: {{column: created_at}}
    geo: {{column: state}}
    category: {{column: product_type}}
    columns: {{net_revenue: total, units: quantity}}
"""

# Peak memory of a child is only known to the process that waits for it, so a child of ours starts the import.
_MEASURE = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
done = subprocess.run([sys.executable, "-m", "weathervane.cli.main", *sys.argv[1:]], capture_output=True, text=True)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"rc": done.returncode, "seconds": time.perf_counter() - start, "cpu": usage.ru_utime + usage.ru_stime,
                  "peak_gb": usage.ru_maxrss / 1024**2, "out": done.stdout, "err": done.stderr}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="200 thousand rows instead of ten million")
    n_rows = 200_000 if parser.parse_args().small else 10_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print_figures([figure for kind in ("parquet", "csv") for figure in _measure(folder, kind, n_rows)])


def _measure(folder: Path, kind: str, n_rows: int) -> list[Figure]:
    file = folder / f"orders.{kind}"
    total = _write_orders(file, n_rows)
    mapping = folder / f"{kind}.yaml"
    mapping.write_text(_MAPPING.format(file=file.name))
    first, again = (_import(mapping, folder / f"state-{kind}") for _ in range(2))
    size = file.stat().st_size / 1024**2
    file.unlink()
    stored = _stored_revenue(folder / f"state-{kind}")
    peak = max(first["peak_gb"], again["peak_gb"])
    rows = f"{n_rows:,} order rows, {size:.0f} MiB of {kind}"
    return [
        Figure(f"import_{kind}_peak", round(peak, 3), "GB", f"< {_PEAK_BAR_GB}", peak < _PEAK_BAR_GB, rows),
        Figure(f"import_{kind}_seconds", round(first["seconds"], 1), "s", note=f"{first['cpu']:.1f} s of CPU; {rows}"),
        Figure(
            f"import_{kind}_again",
            again["report"]["added"] + again["report"]["restated"],
            "rows changed",
            "= 0",
            again["report"]["added"] + again["report"]["restated"] == 0,
            f"the same export again, {again['seconds']:.1f} s",
        ),
        Figure(
            f"import_{kind}_revenue_error",
            abs(stored / total - 1),
            "share",
            "< 1e-9",
            abs(stored / total - 1) < 1e-9,
            "stored daily sales against the sum of the orders written",
        ),
    ]


def _write_orders(file: Path, n_rows: int) -> float:
    """Writes the same orders for the same number of rows, a chunk at a time; returns their revenue."""
    rng = np.random.default_rng(7)
    schema = pa.schema(
        [
            ("order_id", pa.int64()),
            ("created_at", pa.timestamp("s") if file.suffix == ".parquet" else pa.string()),
            ("state", pa.string()),
            ("product_type", pa.string()),
            ("total", pa.float64()),
            ("quantity", pa.int64()),
        ]
    )
    writer = pq.ParquetWriter(file, schema) if file.suffix == ".parquet" else pyarrow.csv.CSVWriter(file, schema)
    total = 0.0
    with writer:
        for start in range(0, n_rows, _CHUNK):
            n = min(_CHUNK, n_rows - start)
            at = _START + np.sort(rng.integers(0, _DAYS * 86_400, n)).astype("timedelta64[s]")
            revenue = np.round(rng.lognormal(3.5, 0.6, n), 2)
            total += float(revenue.sum())
            created = pa.array(at.astype("datetime64[s]"))
            columns = [
                pa.array(np.arange(start, start + n)),
                created if file.suffix == ".parquet" else pa.array(np.datetime_as_string(at)),
                pa.array(_GEOS[rng.integers(0, len(_GEOS), n)]),
                pa.array(_CATEGORIES[rng.integers(0, len(_CATEGORIES), n)]),
                pa.array(revenue),
                pa.array(rng.integers(1, 5, n)),
            ]
            writer.write(pa.table(columns, schema=schema))
    return total


def _import(mapping: Path, state: Path) -> dict[str, object]:
    command = [sys.executable, "-c", _MEASURE, "import", str(mapping), "--state", str(state), "--json"]
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    measured = json.loads(done.stdout)
    if measured["rc"] != 0:
        sys.exit(f"The import failed after {time.perf_counter() - start:.0f} s: {measured['err']}")
    return {**measured, "report": json.loads(measured["out"])["tables"][0]}


def _stored_revenue(state: Path) -> float:
    from weathervane.store.paths import open_store
    from weathervane.store.tables import read

    return float(read(open_store(state, "bench"), "sales")["net_revenue"].sum())


if __name__ == "__main__":
    main()
