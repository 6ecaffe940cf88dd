"""Change files: a change set as one CSV a platform, a page a person can read, and a manifest that takes it back."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from weathervane.contracts.change_set import BudgetChange, ChangeSet, Preflight
from weathervane.contracts.figures import share, short_day
from weathervane.contracts.money import Money
from weathervane.exports.spreadsheet import exact, safe_text

COLUMNS = (
    "date_from",
    "date_to",
    "platform",
    "geo",
    "channel",
    "currency",
    "daily_budget_before",
    "daily_budget_after",
    "daily_change",
)
_PLAIN_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")


def change_files(changes: ChangeSet, preflight: Preflight) -> dict[str, bytes]:
    """The files by name: `budgets-<platform>.csv`, `DIFF.md`, `rollback.json`. The same change set, the same bytes."""
    by_platform = defaultdict[str, list[BudgetChange]](list)
    for one in changes.changes:
        by_platform[one.platform].append(one)
    files = {f"budgets-{_file_name(name)}.csv": _csv(changes, rows) for name, rows in sorted(by_platform.items())}
    files["DIFF.md"] = _diff(changes, preflight, by_platform).encode()
    files["rollback.json"] = _rollback(changes).encode()
    return files


def _csv(changes: ChangeSet, rows: Sequence[BudgetChange]) -> bytes:
    """One header and one row a cell, UTF-8 with a byte order mark; text that would run as a formula is quoted off."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in rows:
        dates = (changes.period.start.isoformat(), changes.period.end.isoformat())
        cell = (safe_text(one.platform), safe_text(one.geo), safe_text(one.channel), changes.currency)
        writer.writerow([*dates, *cell, exact(one.before), exact(one.after), exact(one.after - one.before)])
    return out.getvalue().encode("utf-8-sig")


def _rollback(changes: ChangeSet) -> str:
    """The inverse as JSON: what each cell must stand at for the rollback to apply, and what it goes back to."""
    back = changes.inverse
    manifest = {
        "schema_version": 1,
        "change_set_id": changes.change_set_id,
        "tenant_id": changes.tenant_id,
        "plan_id": changes.plan_id,
        "plan_sha256": changes.plan_sha256,
        "currency": changes.currency,
        "unit": "minor units a day",
        "restore": [
            {
                "geo": one.geo,
                "channel": one.channel,
                "platform": one.platform,
                "from_minor": one.before.minor,
                "to_minor": one.after.minor,
            }
            for one in back.changes
        ],
    }
    return json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _diff(changes: ChangeSet, preflight: Preflight, by_platform: Mapping[str, Sequence[BudgetChange]]) -> str:
    period = changes.period
    parts = [
        f"# Budget changes of {_plain(changes.tenant_id)}, {short_day(period.start)} to {short_day(period.end)} "
        f"{period.end.year}",
        f"Change set `{changes.change_set_id}` of plan `{changes.plan_id}`. Budgets are a day, in {changes.currency}. "
        "*Before* is what the plan took as current, the spend of late: compare it with the platform before loading.",
        _rails(preflight),
    ]
    parts += [_table(name, rows) for name, rows in sorted(by_platform.items())]
    before, after = (
        Money(sum(getattr(one, side).minor for one in changes.changes), changes.currency)
        for side in ("before", "after")
    )
    total = f"{exact(before)} before, {exact(after)} after, {_signed(after - before)}"
    parts.append(f"In all, a day: {total}. Cells that do not change are left out.")
    parts.append("To take it back, set every cell of `rollback.json` from `from_minor` to `to_minor`.")
    return "\n\n".join(parts) + "\n"


def _rails(preflight: Preflight) -> str:
    if not preflight.breaches:
        return "Every guardrail holds."
    listed = [f"- **{one.severity}**, `{one.guardrail}`: {_plain(one.sentence)}" for one in preflight.breaches]
    return "\n".join(["Guardrails that this breaks:", "", *listed])


def _table(platform: str, rows: Sequence[BudgetChange]) -> str:
    lines = [
        f"## {_plain(platform)}",
        "",
        "| place | channel | before | after | change | |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for one in sorted(rows, key=lambda row: (-abs(row.after.minor - row.before.minor), row.geo, row.channel)):
        change = one.after - one.before
        relative = share(change.minor / one.before.minor, signed=True) if one.before.minor else "new"
        amounts = f"{exact(one.before)} | {exact(one.after)} | {_signed(change)} | {relative}"
        lines.append(f"| {_plain(one.geo)} | {_plain(one.channel)} | {amounts} |")
    return "\n".join(lines)


def _signed(money: Money) -> str:
    return f"+{exact(money)}" if money.minor > 0 else exact(money).replace("-", "−")


def _plain(text: str) -> str:
    """Text that cannot break a table or carry markup."""
    return re.sub(r"([\\|`*_<>\[\]#])", r"\\\1", " ".join(text.split()))


def _file_name(platform: str) -> str:
    """The platform where it can name a file, else what is left of it and a hash, so that no two share a file."""
    if _PLAIN_NAME.fullmatch(platform):
        return platform
    kept = re.sub(r"[^a-z0-9]+", "-", platform.lower()).strip("-")[:30]
    return f"{kept or 'platform'}-{hashlib.sha256(platform.encode()).hexdigest()[:8]}"
