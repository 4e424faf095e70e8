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


def test_what_is_no_policy_is_a_type_error(root: caplink.Root, base: Path) -> None:
    class Alike:
        create = replace = remove = dangling = outside = follow = cross_mounts = cooperative = unverified = rooted = (
            True
        )

    wrong: list[Any] = [Alike(), caplink.Policy, 5, "x", {"create": False}]
    for given in wrong:
        with pytest.raises(TypeError, match="a policy is a caplink.Policy, not"):
            caplink.Root(base, policy=given)
        with pytest.raises(TypeError, match="a policy is a caplink.Policy, not"):
            root.narrow(given)
    with pytest.raises(TypeError, match="creat"):
        caplink.Policy(creat=False)  # type: ignore[call-arg]
    held = root.narrow(caplink.Policy(remove=False))
    held.create("l", to="releases/41")
    object.__setattr__(held.policy, "remove", True)
    with pytest.raises(caplink.RefusedError):
        held.remove("l")


def test_a_root_is_closed_by_its_block(base: Path) -> None:
    before = len(os.listdir("/dev/fd"))
    with caplink.Root(base) as root:
        assert root.create("l", to="releases/41").outcome == "created" and not root.closed
        path, records, releases, manifests = root / "l", root.records(), root.releases(), root.manifests()
        narrow, below = root.narrow(caplink.Policy(remove=False)), root.subroot("releases")
    assert root.closed and repr(root) == f"<closed Root({root.path!r})>" and root.path == os.path.realpath(base)
    calls: list[Callable[[], object]] = [
        lambda: root.create("m", to="releases/41"),
        lambda: root.inspect("l"),
        lambda: root.scan(),
        lambda: root.repair(tidy=True),
        lambda: root.batch([]),
        lambda: root.policy,
        lambda: root.narrow(caplink.Policy()),
        lambda: root.subroot("releases"),
        lambda: root.records(),
        lambda: root.releases(),
        lambda: root.manifests(),
        lambda: path.readlink(),
        lambda: path.unlink(),
        lambda: path.symlink_to("x"),
        lambda: path.lstat(),
        lambda: bool(records),
        lambda: records.init(),
        lambda: releases.status(),
        lambda: manifests.plan("version = 1\nname = 'm'\n"),
    ]
    for call in calls:
        with pytest.raises(caplink.InvalidError, match="the root is closed") as caught:
            call()
        assert isinstance(caught.value, ValueError) and caught.value.kind == "usage"
    # What can be said without the directory is said, and other roots are theirs.
    assert str(path) == "l" and path == path.root / "l" and "closed" in repr(records)
    assert narrow.readlink("l") == "releases/41" and below.inspect("41").kind == "dir"
    root.close()
    for other in (narrow, below):
        other.close()
    assert len(os.listdir("/dev/fd")) == before


def test_a_block_that_raises_closes_the_root_as_well(base: Path) -> None:
    root = caplink.Root(base)
    with pytest.raises(ZeroDivisionError):
        with root:
            raise ZeroDivisionError
    assert root.closed


def test_a_subroot_has_nothing_above_it(root: caplink.Root, base: Path) -> None:
    below = root.subroot("releases")
    assert below.create("stable", to="41").target == "41"
    with pytest.raises(PermissionError):
        below.create("../l", to="41")
    assert below.path == os.path.realpath(base / "releases")


def test_the_links_of_a_subroot_are_in_the_records_of_the_root_above(root: caplink.Root) -> None:
    root.records().init()
    below = root.subroot("releases")
    below.create("stable", to="41")
    assert [mutation.link for mutation in root.records().log()][-1] == "releases/stable"
    for call in (below.manifests, below.apply, lambda: below.adopt("41", into="x")):
        with pytest.raises(caplink.Error, match="it is a subroot") as caught:
            call()
        assert caught.value.kind == "unsupported" and "caplink.Root(path)" in (caught.value.hint or "")


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
