"""Batches and repairs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import caplink


def ensure(link: str, to: str, **more: object) -> dict[str, object]:
    """An edit of a batch."""
    return {"verb": "ensure", "link": link, "to": to, **more}


def test_a_batch_is_carried_out_in_order(root: caplink.Root, base: Path) -> None:
    outcomes = root.batch(
        [
            ensure("blue", "releases/41"),
            ensure("green", "releases/42"),
            {"verb": "exchange", "a": "blue", "b": b"green"},
            {"verb": "swap", "link": "blue", "to": "releases/41", "expect": "releases/42"},
            {"verb": "remove", "link": "green", "missing_ok": True, "expect": None},
        ]
    )
    assert [outcome.outcome for outcome in outcomes] == ["created", "created", "exchanged", "replaced", "removed"]
    assert {outcome.durability for outcome in outcomes[:4]} == {"dir"}
    assert os.readlink(base / "blue") == "releases/41"


def test_the_first_error_stops_the_rest(root: caplink.Root, base: Path) -> None:
    edits = [ensure("a", "releases/41"), ensure("b", "nothing"), ensure("c", "releases/41"), ensure("d", "releases/41")]
    with pytest.raises(caplink.NotFoundError) as caught:
        root.batch(edits)
    assert (caught.value.line, caught.value.kind) == (2, "dangling")
    assert caught.value.results is not None
    assert [getattr(result, "outcome", None) for result in caught.value.results] == [
        "created",
        None,
        "skipped",
        "skipped",
    ]
    assert not os.path.lexists(base / "c")
    kept = root.batch(edits, keep_going=True)
    assert [getattr(result, "outcome", result) for result in kept[2:]] == ["created", "created"]
    assert isinstance(kept[1], caplink.NotFoundError)


def test_a_misspelled_path_is_the_edits_own_error(root: caplink.Root, base: Path) -> None:
    with pytest.raises(PermissionError) as caught:
        root.batch([ensure("a", "releases/41"), ensure("../b", "releases/41"), ensure("c", "releases/41")])
    assert isinstance(caught.value, caplink.Error) and caught.value.line == 2
    assert os.path.lexists(base / "a") and not os.path.lexists(base / "c")


@pytest.mark.parametrize(
    "wrong",
    [
        {"verb": "create", "link": "l"},
        {"verb": "create", "link": "l", "to": "t", "force": True},
        {"verb": "frobnicate", "link": "l"},
        {"verb": "remove", "link": "l", "missing_ok": "yes"},
        {"link": "l"},
    ],
)
def test_an_edit_that_makes_no_sense_is_refused_before_anything_is_done(
    root: caplink.Root, base: Path, wrong: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match="edit 2") as caught:
        root.batch([ensure("a", "releases/41"), wrong])
    assert isinstance(caught.value, caplink.InvalidError) and caught.value.line == 2
    assert not os.path.lexists(base / "a")


def test_all_or_nothing_needs_records_and_leaves_nothing(root: caplink.Root, base: Path) -> None:
    edits: list[dict[str, object]] = [ensure("a", "releases/41"), {"verb": "create", "link": "b", "to": "nothing"}]
    with pytest.raises(FileNotFoundError) as none:
        root.batch(edits, all_or_nothing=True)
    assert isinstance(none.value, caplink.Error) and none.value.kind == "no_records"
    root.records().init()
    with pytest.raises(caplink.NotFoundError) as caught:
        root.batch(edits, all_or_nothing=True)
    assert (caught.value.kind, caught.value.line) == ("dangling", 2)
    assert not os.path.lexists(base / "a")
    outcomes = root.batch(edits[:1], all_or_nothing=True)
    assert [outcome.outcome for outcome in outcomes] == ["created"]
    with pytest.raises(ValueError, match="same link"):
        root.batch([edits[0], edits[0]], all_or_nothing=True)
    with pytest.raises(ValueError, match="contradict"):
        root.batch(edits, all_or_nothing=True, keep_going=True)


def test_a_dry_run_of_a_batch_judges_each_edit_after_those_before_it(root: caplink.Root, base: Path) -> None:
    outcomes = root.batch([ensure("a", "releases/41"), ensure("b", "a")], dry_run=True)
    assert [(outcome.outcome, outcome.dry_run) for outcome in outcomes] == [("created", True)] * 2
    assert not os.path.lexists(base / "a")


def test_repairs_are_asked_for_one_by_one(root: caplink.Root, base: Path) -> None:
    for name, text in [
        ("messy", "releases//41"),
        ("gone", "nothing"),
        ("old", "v1/x"),
        ("abs", str(base / "releases")),
    ]:
        os.symlink(text, base / name)
    assert root.repair() == []
    assert [result.link for result in root.repair(tidy=True, dry_run=True)] == ["messy"]
    results = root.repair(tidy=True, make_relative=True, remove_dangling=True, rebase={"v1/x": "releases/42"})
    done = {result.link: result.outcome for result in results if isinstance(result, caplink.Outcome)}
    assert done == {"abs": "replaced", "gone": "removed", "messy": "replaced", "old": "replaced"}
    assert os.readlink(base / "messy") == "releases/41" and os.readlink(base / "old") == "releases/42"
    assert os.readlink(base / "abs") == "releases"


def test_links_follow_what_was_moved(root: caplink.Root, base: Path) -> None:
    os.symlink("releases/41", base / "current")
    (base / "releases/41").rename(base / "v41")
    results = root.repair(moved=[("releases/41", "v41")])
    assert [(result.link, result.target) for result in results] == [("current", "v41")]  # type: ignore[union-attr]


def test_a_repair_that_cannot_be_done_is_in_the_list(root: caplink.Root, base: Path) -> None:
    os.symlink("a", base / "l")
    (error,) = root.repair(retarget={"a": "../out"})
    assert isinstance(error, caplink.RefusedError) and (error.kind, error.link) == ("escape", "l")
    with pytest.raises(ValueError):
        root.repair(fallback="a/../b")
