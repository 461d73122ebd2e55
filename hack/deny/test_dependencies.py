"""This repository keeps the rules of deny.toml, and the check of them finds what breaks them."""

from __future__ import annotations

import json
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from dependencies import problems, satisfied

ROOT = Path(__file__).resolve().parents[2]
RULES = tomllib.loads((ROOT / "deny.toml").read_text())
CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"


def package(**changes: Any) -> dict[str, Any]:
    good = {"name": "good", "version": "1.0.0", "source": CRATES_IO, "license": "MIT", "dependencies": []}
    return good | changes


def test_every_dependency_of_this_repository_is_allowed() -> None:
    command = ["cargo", "metadata", "--locked", "--all-features", "--format-version", "1"]
    printed = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    packages = json.loads(printed)["packages"]
    assert len(packages) > 100
    assert problems(RULES, packages) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, None),
        ({"license": "AGPL-3.0-only"}, "good 1.0.0 has the licence 'AGPL-3.0-only'"),
        ({"license": None}, "good 1.0.0 has the licence None"),
        ({"source": "git+https://example.com/good"}, "good 1.0.0 comes from git+https://example.com/good"),
        ({"name": "native-tls"}, "native-tls 1.0.0 is banned: rustls with aws-lc is the one TLS stack"),
        ({"source": None, "license": None}, None),
        ({"source": None, "dependencies": [{"name": "kube", "req": "*"}]}, "good 1.0.0 asks for any version of kube"),
    ],
)
def test_what_breaks_a_rule_is_found(changes: dict[str, Any], problem: str | None) -> None:
    assert problems(RULES, [package(**changes)]) == ([problem] if problem else [])


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("MIT", True),
        ("MIT OR GPL-3.0", True),
        ("GPL-3.0/MIT", True),
        ("MIT AND GPL-3.0", False),
        ("(MIT OR GPL-3.0) AND ISC", True),
        ("GPL-3.0 OR MIT AND ISC", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("MIT WITH LLVM-exception", False),
        ("(MIT", False),
        ("MIT ISC", False),
        ("", False),
    ],
)
def test_licence_expressions(expression: str, holds: bool) -> None:
    assert satisfied(expression, set(RULES["licenses"]["allow"])) is holds


def test_a_rule_that_cannot_be_checked_is_refused() -> None:
    with pytest.raises(ValueError, match="skip-tree"):
        problems(RULES | {"bans": RULES["bans"] | {"skip-tree": []}}, [])
