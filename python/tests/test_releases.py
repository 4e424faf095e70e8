"""Releases: `current` leads to one of several directories, and what became of each is known."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

import caplink


def test_a_release_is_deployed_and_rolled_back(root: caplink.Root, base: Path) -> None:
    releases = root.releases("default")
    first = releases.deploy("41")
    assert (first.release, first.previous_release, first.outcome.outcome) == ("41", None, "created")
    seen: list[caplink.CheckContext] = []

    def note(check: caplink.CheckContext) -> None:
        seen.append(check)

    second = releases.deploy("42", check_before=note, check_after=[note, ["true"]], reason="friday")
    assert (second.release, second.previous_release, second.outcome.previous) == ("42", "41", "releases/41")
    assert [(check.release, check.previous, check.phase) for check in seen] == [
        ("42", "41", "check_before"),
        ("42", "41", "check_after"),
    ]
    assert [check["argv"] for check in second.checks][-1] == ["true"]
    status = releases.status()
    assert (status.release, status.active, status.alarm, status.link) == ("42", "42", None, "current")
    assert [(release.release, release.state) for release in releases.list()] == [("41", "superseded"), ("42", "active")]
    back = releases.rollback()
    assert (back.release, os.readlink(base / "current")) == ("41", "releases/41")
    assert {release.release: release.bad for release in releases.list()} == {"41": False, "42": True}
    with pytest.raises(PermissionError) as bad:
        releases.deploy("42")
    assert isinstance(bad.value, caplink.Error) and bad.value.kind == "bad_release"
    assert releases.mark("42", good=True).bad is False
    assert releases.switch("42", expect="41").release == "42"


def test_a_check_that_raises_takes_the_switch_back(root: caplink.Root, base: Path) -> None:
    releases = root.releases()
    releases.deploy("41")

    def is_healthy(check: caplink.CheckContext) -> None:
        assert os.readlink(base / "current") == "releases/42"
        raise ConnectionError("no answer")

    with pytest.raises(caplink.CheckFailedError) as caught:
        releases.deploy("42", check_after=is_healthy)
    assert isinstance(caught.value.__cause__, ConnectionError)
    assert caught.value.kind == "check_failed" and "is_healthy" in str(caught.value)
    assert os.readlink(base / "current") == "releases/41"
    assert {release.release: release.state for release in releases.list()} == {"41": "active", "42": "failed"}


def test_a_check_before_that_says_no_switches_nothing(root: caplink.Root, base: Path) -> None:
    releases = root.releases()
    with pytest.raises(caplink.CheckFailedError):
        releases.deploy("41", check_before=lambda check: False)
    assert not os.path.lexists(base / "current")
    with pytest.raises(caplink.CheckFailedError):
        releases.deploy("41", check_before=["false"])
    with pytest.raises(ValueError, match="no shell"):
        releases.deploy("41", check_before="true")


def test_an_interrupt_in_a_check_takes_the_switch_back_and_goes_on(root: caplink.Root, base: Path) -> None:
    releases = root.releases()
    releases.deploy("41")
    with pytest.raises(KeyboardInterrupt):
        releases.deploy("42", check_after=lambda check: signal.raise_signal(signal.SIGINT))
    assert os.readlink(base / "current") == "releases/41"


def test_old_releases_are_pruned_and_pinned_ones_are_kept(root: caplink.Root, base: Path) -> None:
    releases = root.releases()
    for number in range(43, 47):
        (base / "releases" / str(number)).mkdir()
    for number in range(41, 47):
        releases.deploy(str(number))
    releases.pin("41")
    removed, kept = releases.prune(keep=2, grace=0.0, dry_run=True)
    assert {release.release for release in removed} <= {"42", "43", "44"} and (base / "releases/42").exists()
    removed, kept = releases.prune(keep=2, grace=0.0)
    names = {release.release for release in removed}
    assert "46" not in names and "45" not in names and "41" not in names
    if not names:
        pytest.skip("SKIPPED: not every process can be looked into here")
    assert not any((base / "releases" / name).exists() for name in names)
    assert all(release.reason for release in kept)


def test_another_layout_is_named(root: caplink.Root, base: Path) -> None:
    (base / "builds" / "a").mkdir(parents=True)
    shop = root.releases("shop", current="live", releases="builds")
    shop.add("a")
    assert shop.switch("a").outcome.link == "live"
    assert os.readlink(base / "live") == "builds/a" and repr(shop) == "<caplink.Releases 'shop'>"
    with pytest.raises(ValueError):
        root.releases("No Name")
