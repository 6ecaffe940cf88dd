"""Export the plan: a folder a person can read and a manifest that lets anyone make it again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from weathervane.contracts.plan import BudgetPlan
from weathervane.exports.charts import plan_charts
from weathervane.exports.report import plan_evidence, plan_summary
from weathervane.exports.spreadsheet import plan_csv
from weathervane.store.atomic import write_atomically
from weathervane.store.results import to_json


def export_plan(
    plan: BudgetPlan,
    folder: Path,
    *,
    command: str,
    run: Mapping[str, str | int],
    appendix: str = "",
    more: Mapping[str, bytes] | None = None,
) -> dict[str, str]:
    """Writes SUMMARY.md, EVIDENCE.md, plan.json, recommendations.csv, charts, manifest.json; their sha256 by name.

    `run` is what the run was asked for (seed, days, …), kept in the manifest; `appendix` ends the evidence; `more`
    files go beside. The manifest names no clock and no path, so the same inputs give the same bytes.
    """
    files = {"plan.json": to_json(plan).encode(), "recommendations.csv": plan_csv(plan)}
    files |= {f"{name}.png": picture for name, picture in plan_charts(plan).items()} | dict(more or {})
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    evidence = plan_evidence(plan, command=command, files=hashes)
    pages = {"SUMMARY.md": plan_summary(plan), "EVIDENCE.md": evidence + (f"\n{appendix}\n" if appendix else "")}
    files |= {name: page.encode() for name, page in pages.items()}
    hashes |= {name: hashlib.sha256(files[name]).hexdigest() for name in pages}
    manifest = {
        "command": command,
        "run": dict(run),
        "plan_id": plan.plan_id,
        "model_id": plan.model.model_id,
        "data_hashes": plan.data_hashes,
        "files": hashes,
    }
    files["manifest.json"] = (json.dumps(manifest, indent=2, sort_keys=True) + "\n").encode()
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        write_atomically(folder / name, data)
    return hashes
