"""The web's lock names packages and hashes, and no place to fetch them from."""

from __future__ import annotations

import json
from pathlib import Path

WEB = Path(__file__).parents[1] / "apps" / "web"


def test_no_package_says_where_it_comes_from() -> None:
    packages = json.loads((WEB / "package-lock.json").read_text("utf-8"))["packages"]
    assert len(packages) > 100
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []


def test_npm_is_told_to_keep_it_so() -> None:
    options = (WEB / ".npmrc").read_text("utf-8").splitlines()
    assert "omit-lockfile-registry-resolved=true" in options
    assert "engine-strict=true" in options
    assert not any("registry" in line and "://" in line for line in options)
