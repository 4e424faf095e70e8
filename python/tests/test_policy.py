"""Policies, and roots that are narrowed."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

import caplink


def test_a_policy_is_frozen_and_only_ever_narrows(base: Path) -> None:
    policy = caplink.Policy(remove=False)
    with pytest.raises(dataclasses.FrozenInstanceError):
        policy.remove = True  # type: ignore[misc]
    root = caplink.Root(base, policy=policy)
    wide = root.narrow(caplink.Policy(follow=True, cross_mounts=True, unverified=True))
    assert root.policy == wide.policy == policy
    root.create("l", to="releases/41")
    for holder in (root, wide):
        with pytest.raises(caplink.RefusedError) as caught:
            holder.remove("l")
        assert caught.value.kind == "policy"
    assert os.path.lexists(base / "l")


def test_a_policy_stays_that_of_its_dataclass(base: Path) -> None:
    assert [field.name for field in dataclasses.fields(caplink.Policy)] == [
        "create",
        "replace",
        "remove",
        "dangling",
        "outside",
        "follow",
        "cross_mounts",
        "cooperative",
        "unverified",
        "rooted",
    ]

    def dangling(root: caplink.Root) -> object:
        return root.create("new", to="no", allow_dangling=True)

    def outside(root: caplink.Root) -> object:
        return root.create("new", to="/no", style="verbatim", allow_outside=True, allow_dangling=True)

    operations: list[tuple[str, Callable[[caplink.Root], object], str]] = [
        ("create", lambda root: root.create("new", to="releases/41"), "policy"),
        ("replace", lambda root: root.ensure("old", to="releases/42"), "policy"),
        ("remove", lambda root: root.remove("old"), "policy"),
        ("dangling", dangling, "dangling"),
        ("outside", outside, "escape"),
    ]
    for name, operation, kind in operations:
        caplink.Root(base).ensure("old", to="releases/41")
        root = caplink.Root(base, policy=caplink.Policy(**{name: False}))
        with pytest.raises(caplink.Error) as caught:
            operation(root)
        assert caught.value.kind == kind, name


def test_keywords_of_the_root_are_part_of_its_policy(base: Path) -> None:
    root = caplink.Root(base, follow=True, rooted=True, require="atomic")
    assert root.policy == caplink.Policy(follow=True, rooted=True, cooperative=False)
    assert root.create("l", to="releases/41", style="absolute").target == "/releases/41"


def test_a_subroot_has_nothing_above_it(root: caplink.Root, base: Path) -> None:
    below = root.subroot("releases")
    assert below.create("stable", to="41").target == "41"
    with pytest.raises(PermissionError):
        below.create("../l", to="41")
    assert below.path == os.path.realpath(base / "releases")


@pytest.mark.parametrize("confine", ["auto", "require"])
def test_changes_can_be_confined_by_the_kernel(base: Path, confine: Literal["auto", "require"]) -> None:
    try:
        root = caplink.Root(base, confine=confine)
    except caplink.Error as error:
        assert error.kind == "unsupported"
        pytest.skip(f"SKIPPED: {error}")
    outcome = root.create("l", to="releases/41")
    assert outcome.confinement == root.confinement


def test_another_root_or_wait_that_makes_no_sense_is_refused(base: Path) -> None:
    wrong: list[dict[str, Any]] = [
        {"confine": "x"},
        {"require": "x"},
        {"durability": "x"},
        {"lock_timeout": -1.0},
        {"actor": "\n"},
    ]
    for keywords in wrong:
        with pytest.raises(ValueError):
            caplink.Root(base, **keywords)
