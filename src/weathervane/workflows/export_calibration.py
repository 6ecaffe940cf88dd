"""Export the calibration: the report of a stored run, its JSON beside it, and its charts."""

from __future__ import annotations

import os
from pathlib import Path

from weathervane.exports.calibration_charts import calibration_charts
from weathervane.exports.calibration_report import calibration_report
from weathervane.store.atomic import write_atomically
from weathervane.store.calibration import latest_calibration
from weathervane.store.ledger import sha256
from weathervane.store.paths import Store
from weathervane.store.results import to_json


def export_calibration(store: Store, output: Path, pictures: Path | None = None) -> tuple[Path, ...]:
    """Writes the report of the newest run to `output`, the run beside it as .json, and charts into `pictures`.

    `pictures` None is a folder of the report's name beside it. Returns the files; NotFound before the first run.
    """
    run, _ = latest_calibration(store)
    document = to_json(run)
    folder = pictures or output.with_suffix("")
    drawn = {folder / f"{name}.png": data for name, data in calibration_charts(run).items()}
    source = output.with_suffix(".json")
    shown = {path.stem: Path(os.path.relpath(path, output.parent)).as_posix() for path in drawn}
    page = calibration_report(run, sha256(document), source.name, shown)
    files = {output: page.encode(), source: document.encode(), **drawn}
    for path, data in files.items():
        write_atomically(path, data)
    return tuple(files)
