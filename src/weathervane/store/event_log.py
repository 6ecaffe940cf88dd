"""Event log: what the automation did, one checked JSON line each, and the status page a person reads."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import get_args

from weathervane.contracts.errors import BadInput, StateUnusable
from weathervane.contracts.event import Event, Level
from weathervane.contracts.tenant import check_tenant_id
from weathervane.store.atomic import locked, unusable, write_atomically
from weathervane.store.paths import Store
from weathervane.store.results import from_json

_RECENT = 20


def record(store: Store, event: Event) -> None:
    """Appends one event, durably, after checking it against the schema; BadInput names the field that is wrong."""
    _check(event)
    append_line(store.events, asdict(event))


def append_line(path: Path, fields: Mapping[str, object]) -> None:
    """Appends one JSON object as one line, in one write, synced; a line torn by a kill is cut off first."""
    try:
        line = json.dumps(dict(fields), sort_keys=True, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BadInput(
            f"A line for {path.name} is not valid JSON: {error}.", "log plain text and finite numbers."
        ) from error
    with locked(path.with_name(f".{path.name}.lock")):
        try:
            _cut_torn_line(path)
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(descriptor, f"{line}\n".encode())
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise unusable(path, error) from error


def events(store: Store, tenant_id: str | None = None) -> list[Event]:
    """Every event, oldest first, of one tenant or of all; a torn last line does not count.

    Raises StateUnusable naming the line where the log is damaged elsewhere.
    """
    try:
        lines = store.events.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise unusable(store.events, error) from error
    found = [_parse(store.events, number, line) for number, line in enumerate(lines, start=1)]
    return [event for event in found if tenant_id in {None, event.tenant_id}]


def write_context(store: Store, at: str, next_actions: Sequence[str] = ()) -> Path:
    """Writes the status page from the event log: next actions, status by tenant, recent updates; returns its path.

    `at` is the UTC instant the page is dated. To `next_actions` it adds what warnings and errors of each tenant's
    last run say to do (`remedy` in their detail).
    """
    log = events(store)
    actions = list(dict.fromkeys([*next_actions, *_remedies(log)])) or ["Nothing to do."]
    sections = [
        f"# WeatherVane status\n\nWritten {at} from the event log.",
        _list("Next actions", actions),
        _list("Status", [_status(log, tenant_id) for tenant_id in sorted({e.tenant_id for e in log})]),
        _list("Recent updates", [_sentence(event) for event in reversed(log[-_RECENT:])]),
    ]
    write_atomically(store.context, ("\n\n".join(sections) + "\n").encode())
    return store.context


def _check(event: Event) -> None:
    check_tenant_id(event.tenant_id)
    wrong: list[str] = []
    if not event.kind or not event.run_id:
        wrong.append("kind and run_id may not be empty")
    if event.level not in get_args(Level):
        wrong.append(f"level is {event.level!r}")
    if not _is_instant(event.at):
        wrong.append(f"at is {event.at!r}, not a UTC instant ending in Z")
    wrong += [f"detail {name!r} is not a plain value" for name, value in event.detail.items() if not _is_plain(value)]
    if wrong:
        raise BadInput(f"The event {event.kind!r} cannot be recorded: {wrong[0]}.", "see contracts/event.py.")


def _is_instant(text: str) -> bool:
    try:
        return text.endswith("Z") and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, (str, int, float, bool))


def _cut_torn_line(path: Path) -> None:
    """Drops the bytes after the last newline: a line that was being written when its process was killed."""
    if not path.exists() or path.stat().st_size == 0:
        return
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        if file.read() != b"\n":
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
            os.fsync(file.fileno())


def _parse(path: Path, number: int, line: bytes) -> Event:
    try:
        return from_json(Event, line.decode())
    except (StateUnusable, UnicodeDecodeError) as error:
        raise StateUnusable(f"{path}: line {number} is damaged.", "remove that line; nothing else needs it.") from error


def _remedies(log: Iterable[Event]) -> list[str]:
    last_run = {event.tenant_id: event.run_id for event in log}
    return [
        f"{event.tenant_id}: {event.detail['remedy']}"
        for event in log
        if event.level != "info" and event.run_id == last_run[event.tenant_id] and event.detail.get("remedy")
    ]


def _status(log: Iterable[Event], tenant_id: str) -> str:
    mine = [event for event in log if event.tenant_id == tenant_id]
    run = [event for event in mine if event.run_id == mine[-1].run_id]
    failed = sum(event.level == "error" for event in run)
    warned = sum(event.level == "warning" for event in run)
    verdict = f"{failed} failed" if failed else f"{warned} to look at" if warned else "all well"
    return f"**{tenant_id}**: last run {mine[-1].run_id}, {len(run)} steps, {verdict}; last heard of {mine[-1].at}."


def _sentence(event: Event) -> str:
    mark = {"info": "", "warning": " (warning)", "error": " (error)"}[event.level]
    detail = "; ".join(f"{name} {value}" for name, value in event.detail.items())
    return f"{event.at} {event.tenant_id}: {event.kind}{mark}{': ' + detail if detail else ''}"


def _list(title: str, lines: Sequence[str]) -> str:
    return f"## {title}\n\n" + "\n".join(f"- {line}" for line in lines or ["Nothing yet."])
