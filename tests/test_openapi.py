"""openapi.json is current, never breaks who reads it, and is what the web's types were made from."""

from __future__ import annotations

import copy
import hashlib
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from weathervane.api.app import openapi_text

ROOT = Path(__file__).parents[1]
COMMITTED = ROOT / "openapi.json"
TYPES = ROOT / "apps" / "web" / "src" / "api" / "schema.gen.ts"
VERBS = "get|list|run|recommend|compare|save|change|delete|set"
METHODS = ("get", "put", "post", "delete", "patch")

Schema = dict[str, Any]


def incompatible_changes(old: Schema, new: Schema) -> list[str]:
    """What a reader of `old` would miss or misread in `new`; one line each, empty if nothing."""
    return [*_operations(old, new), *_schemas(old, new)]


def _operations(old: Schema, new: Schema) -> Iterator[str]:
    for path, item in old["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            before, after = item[method], new["paths"].get(path, {}).get(method)
            name = f"{method.upper()} {path}"
            if after is None:
                yield f"{name} is gone"
                continue
            if before.get("operationId") != after.get("operationId"):
                yield f"{name} is now called {after.get('operationId')}"
            yield from _parameters(name, before, after)
            for status, answer in before["responses"].items():
                if status not in after["responses"]:
                    yield f"{name} no longer answers {status}"
                elif _bodies(answer) != _bodies(after["responses"][status]):
                    yield f"{name} answers {status} with another body"


def _parameters(name: str, before: Schema, after: Schema) -> Iterator[str]:
    known = {(p["in"], p["name"]): p for p in before.get("parameters", [])}
    for parameter in after.get("parameters", []):
        key = (parameter["in"], parameter["name"])
        if key not in known:
            if parameter.get("required"):
                yield f"{name} now needs {parameter['name']}"
        elif _shape(known[key]["schema"]) != _shape(parameter["schema"]):
            yield f"{name} takes {parameter['name']} in another type"
    kept = {(p["in"], p["name"]) for p in after.get("parameters", [])}
    yield from (f"{name} no longer takes {lost}" for _, lost in sorted(set(known) - kept))


def _bodies(answer: Schema) -> dict[str, Any]:
    return {kind: _shape(body.get("schema", {})) for kind, body in answer.get("content", {}).items()}


def _schemas(old: Schema, new: Schema) -> Iterator[str]:
    after_all = new.get("components", {}).get("schemas", {})
    for name, before in old.get("components", {}).get("schemas", {}).items():
        after = after_all.get(name)
        if after is None:
            yield f"{name} is gone"
            continue
        for field, shape in before.get("properties", {}).items():
            if field not in after.get("properties", {}):
                yield f"{name}.{field} is gone"
            elif _shape(shape) != _shape(after["properties"][field]):
                yield f"{name}.{field} has another type"
        for field in sorted(set(before.get("required", [])) - set(after.get("required", []))):
            if field in after.get("properties", {}):
                yield f"{name}.{field} may now be missing"


def _shape(schema: Any) -> Any:
    """The schema without words that describe it and change nothing."""
    if isinstance(schema, dict):
        return {key: _shape(value) for key, value in schema.items() if key not in ("title", "description", "default")}
    return [_shape(one) for one in schema] if isinstance(schema, list) else schema


# --- the committed file ---------------------------------------------------------------------------------------------


def test_the_committed_interface_is_current() -> None:
    assert COMMITTED.read_text("utf-8") == openapi_text(), "openapi.json is not current. Next: make types"


def test_the_webs_types_were_made_from_it() -> None:
    first = TYPES.read_text("utf-8").splitlines()[0]
    sha256 = hashlib.sha256(COMMITTED.read_bytes()).hexdigest()
    assert sha256 in first, "schema.gen.ts is not current. Next: make types"


def test_nothing_that_was_promised_is_taken_back() -> None:
    """Against the last two committed versions: on a clean checkout the newest of them is the file itself."""
    new = json.loads(COMMITTED.read_text("utf-8"))
    for old in _committed_versions():
        if old["info"]["version"].split(".")[0] == new["info"]["version"].split(".")[0]:
            assert incompatible_changes(old, new) == [], "keep what was there, or raise the version in api/app.py"


def _committed_versions() -> list[Schema]:
    try:
        commits = _git("log", "-2", "--format=%H", "--", COMMITTED.name).split()
        return [json.loads(_git("show", f"{commit}:{COMMITTED.name}")) for commit in commits]
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("there is no git history to compare with")


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_operations_have_names_a_person_would_give() -> None:
    for path, item in json.loads(COMMITTED.read_text("utf-8"))["paths"].items():
        for operation in item.values():
            assert re.fullmatch(rf"({VERBS})[A-Z][A-Za-z]+", operation["operationId"]), path


# --- the detector ---------------------------------------------------------------------------------------------------


def _without(schema: Schema, *keys: str) -> None:
    for key in keys[:-1]:
        schema = schema[key]
    del schema[keys[-1]]


PLAN = ("components", "schemas", "BudgetPlan")
BREAKS: dict[str, tuple[Callable[[Schema], None], str]] = {
    "path": (lambda s: _without(s, "paths", "/v1/plans/{tenant}"), "GET /v1/plans/{tenant} is gone"),
    "operation": (lambda s: _without(s, "paths", "/v1/tenants", "get"), "GET /v1/tenants is gone"),
    "operation id": (
        lambda s: s["paths"]["/v1/tenants"]["get"].update(operationId="tenants"),
        "GET /v1/tenants is now called tenants",
    ),
    "answer": (
        lambda s: _without(s, "paths", "/v1/plans/{tenant}", "get", "responses", "404"),
        "GET /v1/plans/{tenant} no longer answers 404",
    ),
    "body": (
        lambda s: s["paths"]["/v1/tenants"]["get"]["responses"]["200"]["content"]["application/json"].update(schema={}),
        "GET /v1/tenants answers 200 with another body",
    ),
    "new duty": (
        lambda s: s["paths"]["/v1/tenants"]["get"].update(
            parameters=[{"in": "query", "name": "page", "required": True, "schema": {"type": "integer"}}]
        ),
        "GET /v1/tenants now needs page",
    ),
    "parameter": (
        lambda s: s["paths"]["/v1/plans/{tenant}"]["get"].update(parameters=[]),
        "GET /v1/plans/{tenant} no longer takes tenant",
    ),
    "schema": (lambda s: _without(s, "components", "schemas", "Money"), "Money is gone"),
    "field": (lambda s: _without(s, *PLAN, "properties", "gain"), "BudgetPlan.gain is gone"),
    "type": (
        lambda s: s["components"]["schemas"]["Money"]["properties"]["minor"].update(type="number"),
        "Money.minor has another type",
    ),
    "nullable": (
        lambda s: s["components"]["schemas"]["Period"]["properties"].update(
            start={"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}
        ),
        "Period.start has another type",
    ),
    "word": (
        lambda s: s["components"]["schemas"]["BudgetPlan"]["properties"]["verdict"]["enum"].remove("keep"),
        "BudgetPlan.verdict has another type",
    ),
    "optional": (
        lambda s: s["components"]["schemas"]["BudgetPlan"]["required"].remove("sentence"),
        "BudgetPlan.sentence may now be missing",
    ),
}


@pytest.mark.parametrize("name", list(BREAKS))
def test_a_break_is_seen_and_named(name: str) -> None:
    break_it, said = BREAKS[name]
    old = json.loads(openapi_text())
    new = copy.deepcopy(old)
    break_it(new)
    assert said in incompatible_changes(old, new)


def test_additions_and_words_break_nothing() -> None:
    old = json.loads(openapi_text())
    new = copy.deepcopy(old)
    new["paths"]["/v1/bulletins"] = new["paths"]["/v1/tenants"]
    new["components"]["schemas"]["Bulletin"] = {"type": "object"}
    new["components"]["schemas"]["Money"]["properties"]["note"] = {"type": "string"}
    new["components"]["schemas"]["Money"]["description"] = "Said better."
    new["paths"]["/v1/tenants"]["get"]["parameters"] = [{"in": "query", "name": "q", "schema": {"type": "string"}}]
    assert incompatible_changes(old, new) == []
    assert incompatible_changes(old, old) == []
