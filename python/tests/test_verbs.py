"""The operations on one link, with the command line's keywords."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

import caplink


def test_create_refuses_an_occupied_name(root: caplink.Root, base: Path) -> None:
    assert root.create("current", to="releases/41").outcome == "created"
    with pytest.raises(FileExistsError) as caught:
        root.create("current", to="releases/42")
    assert isinstance(caught.value, caplink.ExistsError)
    assert (caught.value.kind, caught.value.errno, caught.value.filename) == ("exists", errno.EEXIST, "current")
    assert caught.value.found == ("symlink", "releases/41")
    assert os.readlink(base / "current") == "releases/41"


def test_ensure_replaces_a_link_and_leaves_an_equal_one_alone(root: caplink.Root, base: Path) -> None:
    root.ensure("current", to="releases/41")
    before = os.lstat(base / "current")
    again = root.ensure("current", to="releases/41")
    assert (again.outcome, again.changed, again.previous) == ("unchanged", False, None)
    assert os.lstat(base / "current").st_ino == before.st_ino
    replaced = root.ensure("current", to="releases/42")
    assert (replaced.outcome, replaced.previous, replaced.target) == ("replaced", "releases/41", "releases/42")
    assert replaced.verified and replaced.changed and not replaced.dry_run
    with pytest.raises(caplink.ExistsError):
        root.ensure("current", to="releases/41", no_replace=True)


def test_ensure_never_replaces_what_is_no_link(root: caplink.Root, base: Path) -> None:
    (base / "current").write_text("precious")
    with pytest.raises(FileExistsError) as caught:
        root.ensure("current", to="releases/41")
    assert isinstance(caught.value, caplink.Error)
    assert (caught.value.kind, caught.value.found) == ("not_a_link", ("file", None))
    assert caught.value.hint == "`backup=True` renames it and keeps it"
    kept = root.ensure("current", to="releases/41", backup=True).backup
    assert kept is not None and (base / kept).read_text() == "precious"


def test_swap_compares_and_a_mismatch_changes_nothing(root: caplink.Root, base: Path) -> None:
    root.create("current", to="releases/41")
    assert root.swap("current", to="releases/42", expect="releases/41").previous == "releases/41"
    with pytest.raises(caplink.MismatchError) as caught:
        root.swap("current", to="releases/41", expect="releases/41")
    assert caught.value.found == caplink.Found("symlink", "releases/42")
    assert os.readlink(base / "current") == "releases/42"


def test_exchange_trades_two_links(root: caplink.Root, base: Path) -> None:
    root.create("blue", to="releases/41")
    root.create("green", to="releases/42")
    outcome = root.exchange("blue", "green")
    assert outcome.outcome == "exchanged" and outcome.counterpart is not None
    assert (outcome.link, outcome.counterpart.link) == ("blue", "green")
    assert os.readlink(base / "blue") == "releases/42"


def test_remove_removes_a_link_and_only_a_link(root: caplink.Root, base: Path) -> None:
    root.create("current", to="releases/41")
    with pytest.raises(caplink.MismatchError):
        root.remove("current", expect="releases/42")
    assert root.remove("current", expect="releases/41").outcome == "removed"
    assert root.remove("current", missing_ok=True).outcome == "unchanged"
    with pytest.raises(FileNotFoundError) as caught:
        root.remove("current")
    assert isinstance(caught.value, caplink.NotFoundError)
    assert caught.value.hint == "`missing_ok=True` takes an absent link as removed"
    with pytest.raises(caplink.Error) as other:
        root.remove("releases")
    assert (other.value.kind, other.value.errno) == ("not_a_link", errno.EINVAL)
    assert (base / "releases").is_dir()


def test_a_dry_run_says_what_would_be_done_and_changes_nothing(root: caplink.Root, base: Path) -> None:
    outcome = root.ensure("current", to="releases/41", dry_run=True)
    assert (outcome.outcome, outcome.dry_run, outcome.changed) == ("created", True, False)
    assert not os.path.lexists(base / "current")


@pytest.mark.parametrize(
    ("link", "kind", "component", "index"),
    [
        ("../x", "escape", "..", 0),
        ("a/../../x", "escape", "..", 2),
        ("/etc/x", "escape", "/", 0),
        ("a/../x", "invalid_path", "..", 1),
        ("", "invalid_path", None, None),
        ("x/", "invalid_path", None, None),
    ],
)
def test_a_path_that_leads_out_is_refused(
    root: caplink.Root, link: str, kind: str, component: str | None, index: int | None
) -> None:
    with pytest.raises(caplink.Error) as caught:
        root.create(link, to="releases/41")
    assert (caught.value.kind, caught.value.component, caught.value.index) == (kind, component, index)
    assert isinstance(caught.value, PermissionError if kind == "escape" else ValueError)


def test_a_text_that_leads_out_is_refused_unless_allowed(root: caplink.Root, base: Path) -> None:
    with pytest.raises(caplink.RefusedError) as caught:
        root.create("l", to="../../etc/passwd", style="verbatim")
    assert caught.value.kind == "escape" and "allow_outside=True" in (caught.value.hint or "")
    root.create("l", to="../../etc/passwd", style="verbatim", allow_outside=True)
    assert os.readlink(base / "l") == "../../etc/passwd"


def test_a_dangling_target_is_refused_unless_allowed(root: caplink.Root) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        root.create("l", to="nothing")
    assert isinstance(caught.value, caplink.Error) and caught.value.kind == "dangling"
    assert root.create("l", to="nothing", allow_dangling=True).target == "nothing"


def test_a_parent_that_is_a_link_is_refused_unless_followed(root: caplink.Root, base: Path) -> None:
    os.symlink("releases", base / "rel")
    with pytest.raises(PermissionError) as caught:
        root.create("rel/l", to="releases/41")
    assert isinstance(caught.value, caplink.RefusedError)
    assert (caught.value.kind, caught.value.component, caught.value.via) == ("symlink_in_path", "rel", "releases")
    outcome = caplink.Root(base, follow=True).create("rel/l", to="releases/41")
    assert (outcome.link, outcome.physical, outcome.target) == ("rel/l", "releases/l", "41")


def test_missing_parents_are_made_where_asked(root: caplink.Root) -> None:
    with pytest.raises(caplink.NotFoundError) as caught:
        root.create("a/b/l", to="releases/41")
    assert caught.value.hint == "`parents=True` makes missing directories"
    outcome = root.create("a/b/l", to="releases/41", parents=True)
    assert (outcome.made, outcome.target) == (("a", "a/b"), "../../releases/41")


def test_styles_and_durability_are_words_of_the_command_line(root: caplink.Root, base: Path) -> None:
    absolute = root.create("l", to="releases/41", style="absolute", durability="dir")
    assert (absolute.target, absolute.durability) == (os.path.realpath(base / "releases/41"), "dir")
    for keywords in ({"style": "odd"}, {"durability": "never"}):
        with pytest.raises(ValueError, match="`(odd|never)` is no"):
            root.create("m", to="releases/41", **keywords)  # type: ignore[arg-type]


def test_inspect_and_resolve_answer(root: caplink.Root, base: Path) -> None:
    root.create("current", to="releases/41")
    found = root.inspect("current")
    assert (found.kind, found.target, found.status, found.resolved, found.resolved_kind) == (
        "symlink",
        "releases/41",
        "ok",
        "releases/41",
        "dir",
    )
    assert root.inspect("nothing").kind == "missing"
    assert root.resolve("current").path == "releases/41"
    hops = root.resolve("current", explain=True).hops
    assert [(hop.component, hop.kind, hop.target) for hop in hops][0] == ("current", "symlink", "releases/41")
    with pytest.raises(FileNotFoundError):
        root.resolve("nothing")
    assert root.inspect("current").as_dict()["status"] == "ok"
