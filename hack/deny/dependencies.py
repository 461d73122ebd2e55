"""Checks the crates of `cargo metadata` against deny.toml: licences, banned crates and sources.

It understands the part of cargo-deny's format that deny.toml uses, and refuses the rest, so that no rule is
overlooked. Compiling cargo-deny would take longer than all tests of this repository.
"""

from __future__ import annotations

import re
from typing import Any

KNOWN = {
    "graph": {"all-features"},
    "licenses": {"version", "allow"},
    "bans": {"multiple-versions", "wildcards", "deny"},
    "sources": {"unknown-registry", "unknown-git", "allow-registry"},
}
Package = dict[str, Any]


def problems(rules: dict[str, Any], packages: list[Package]) -> list[str]:
    """One sentence for each crate that breaks a rule. Crates of this repository have no source, and may do anything."""
    for table, settings in rules.items():
        if unknown := set(settings) - KNOWN.get(table, set()):
            raise ValueError(f"deny.toml: [{table}] {', '.join(sorted(unknown))} cannot be checked here")
    allowed = set(rules["licenses"]["allow"])
    banned = {ban["crate"]: ban["reason"] for ban in rules["bans"]["deny"]}
    registries = {f"registry+{registry}" for registry in rules["sources"]["allow-registry"]}
    found = []
    for package in packages:
        crate = f"{package['name']} {package['version']}"
        if package["source"] is None:
            found += [f"{crate} asks for any version of {name}" for name in wildcards(package)]
            continue
        if package["name"] in banned:
            found.append(f"{crate} is banned: {banned[package['name']]}")
        if package["source"] not in registries:
            found.append(f"{crate} comes from {package['source']}")
        if not satisfied(package["license"] or "", allowed):
            found.append(f"{crate} has the licence {package['license']!r}")
    return found


def wildcards(package: Package) -> list[str]:
    return [dependency["name"] for dependency in package["dependencies"] if dependency["req"] == "*"]


def satisfied(expression: str, allowed: set[str]) -> bool:
    """Whether an SPDX expression can be met with these licences. OR may be written as /, as old crates do."""
    words = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))

    def either() -> bool:
        holds = both()
        while words and words[0] == "OR":
            words.pop(0)
            holds |= both()  # not short-circuited: the right side has to be read
        return holds

    def both() -> bool:
        holds = one()
        while words and words[0] == "AND":
            words.pop(0)
            holds &= one()
        return holds

    def one() -> bool:
        if not words:
            return False
        word = words.pop(0)
        if word == "(":
            holds = either()
            return bool(words) and words.pop(0) == ")" and holds
        if words[:1] == ["WITH"]:
            word = " ".join([word, words.pop(0), words.pop(0) if words else ""])
        return word in allowed

    return either() and not words
