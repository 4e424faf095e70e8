"""Manifests: what is declared is planned, applied whole, looked at and taken back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import caplink

LINKS = """
version = 1
name = "app"
[links]
current = "releases/41"
next = "releases/42"
"""


def actions(plan: caplink.ManifestPlan) -> list[tuple[str, str]]:
    return [(step.action, step.link) for step in plan.steps]


def test_a_manifest_is_planned_applied_looked_at_and_taken_back(root: caplink.Root, base: Path) -> None:
    manifests = root.manifests()
    plan = manifests.plan(LINKS)
    assert (plan.manifest, plan.empty, plan.conflicts, plan.moved_from) == ("app", False, (), None)
    assert actions(plan) == [("create", "current"), ("create", "next")]
    first = plan.steps[0]
    assert (first.target, first.previous, first.name, first.comment) == ("releases/41", None, "current", None)
    assert not os.path.lexists(base / "current") and not root.records()
    applied = manifests.apply(LINKS, reason="first")
    assert [result.link for result in applied.results] == ["current", "next"] and applied.changed
    assert os.readlink(base / "current") == "releases/41"
    together = root.records().log(group=applied.group)
    assert [(change.link, change.reason) for change in together] == [("current", "first"), ("next", "first")]
    assert [(entry.link, entry.status) for entry in manifests.status(LINKS)] == [("current", "ok"), ("next", "ok")]
    again = manifests.apply(LINKS)
    assert (again.group, again.changed) == (None, False) and manifests.plan(LINKS).empty
    shorter = LINKS.replace('next = "releases/42"\n', "")
    assert actions(manifests.plan(shorter)) == [("keep", "current"), ("remove", "next")]
    unpruned = manifests.plan(shorter, prune=False)
    assert [(step.action, step.note) for step in unpruned.steps] == [("keep", None), ("keep", "orphan")]
    assert [entry.status for entry in manifests.status(shorter)] == ["ok", "orphan"]
    manifests.unapply("app", dry_run=True)
    assert os.path.lexists(base / "next")
    manifests.unapply("app")
    assert not os.path.lexists(base / "current") and not os.path.lexists(base / "next")


def test_a_manifest_is_a_text_a_path_or_a_file_of_the_root(root: caplink.Root, base: Path, tmp_path: Path) -> None:
    (base / "caplink.toml").write_text(LINKS)
    other = tmp_path / "other.toml"
    other.write_text(LINKS)
    manifests = root.manifests()
    for given in (None, LINKS, LINKS.encode(), other, str(other), root / "caplink.toml"):
        assert len(manifests.plan(given).steps) == 2
    manifests.apply()
    assert manifests.plan(other).moved_from == os.path.join(os.path.realpath(base), "caplink.toml")
    with pytest.raises(FileNotFoundError) as missing:
        manifests.plan("no.toml")
    assert isinstance(missing.value, caplink.NotFoundError) and "no.toml" in str(missing.value)
    os.mkfifo(base / "pipe")
    with pytest.raises(caplink.InvalidError):
        manifests.plan(base / "pipe")
    with pytest.raises(TypeError):
        manifests.plan(3)  # type: ignore[arg-type]


def test_all_problems_of_a_manifest_come_with_line_and_column(root: caplink.Root, base: Path) -> None:
    text = 'version = 1\nname = "x"\nsauce = 1\n[links]\n"../up" = "y"\n'
    with pytest.raises(ValueError) as caught:
        root.manifests().apply(text)
    error = caught.value
    assert isinstance(error, caplink.InvalidError) and error.kind == "invalid_manifest"
    assert [(problem.line, problem.column) for problem in error.problems] == [(3, 1), (5, 1)]
    assert (error.line, error.column) == (3, 1) and error.hint
    assert str(error).splitlines()[0] == "<text>:3:1: unknown key `sauce`" and len(str(error).splitlines()) == 2
    assert not root.records()


def test_what_an_entry_asks_for_and_is_not_there_has_its_place(root: caplink.Root) -> None:
    text = 'version = 1\nname = "x"\n[[tree]]\nfrom = "nowhere"\ninto = "."\n'
    with pytest.raises(caplink.Error) as caught:
        root.manifests().plan(text)
    assert caught.value.kind == "not_found" and isinstance(caught.value, FileNotFoundError)
    assert caught.value.problems[0].line in (3, 4) and caught.value.problems[0].kind == "not_found"


def test_a_conflict_keeps_everything_from_being_changed(root: caplink.Root, base: Path) -> None:
    (base / "next").write_text("mine")
    manifests = root.manifests()
    plan = manifests.plan(LINKS)
    assert [(step.link, step.kind) for step in plan.conflicts] == [("next", "not_a_link")]
    assert plan.conflicts[0].remedy == 'on_conflict = "backup"'
    for given in (LINKS, plan):
        with pytest.raises(FileExistsError) as caught:
            manifests.apply(given)
        error = caught.value
        assert isinstance(error, caplink.Error) and error.link == "next"
        assert error.hint is not None and "backup=True" in error.hint
        assert error.results is not None and error.results[0].outcome == "skipped"
    with pytest.raises(caplink.Error):
        plan.to_bytes()
    assert not os.path.lexists(base / "current") and not root.records()
    going = manifests.apply(LINKS, keep_going=True)
    assert isinstance(going.results[1], caplink.ExistsError) and os.path.lexists(base / "current")
    manifests.apply(LINKS, backup=True)
    assert os.readlink(base / "next") == "releases/42"
    manifests.unapply("app")
    assert (base / "next").read_text() == "mine"


def test_a_plan_is_carried_out_as_it_is_or_not_at_all(root: caplink.Root, base: Path) -> None:
    manifests = root.manifests()
    saved = manifests.plan(LINKS).to_bytes()
    plan = manifests.load(saved)
    assert actions(plan) == [("create", "current"), ("create", "next")]
    with pytest.raises(caplink.InvalidError):
        manifests.apply(plan, backup=True)
    os.symlink("releases/42", base / "next")
    with pytest.raises(caplink.MismatchError) as stale:
        manifests.apply(plan)
    assert stale.value.kind == "stale_plan" and not os.path.lexists(base / "current")
    with pytest.raises(caplink.MismatchError):
        manifests.load(saved)
    with pytest.raises(caplink.InvalidError) as invalid:
        manifests.load(b"{}")
    assert invalid.value.kind == "invalid_plan"
    os.unlink(base / "next")
    manifests.apply(manifests.load(manifests.plan(LINKS).to_bytes()))
    assert manifests.plan(LINKS).empty


def test_entries_are_chosen_by_their_tags(root: caplink.Root) -> None:
    text = (
        'version = 1\nname = "x"\n'
        '[[link]]\nat = "a"\nto = "releases/41"\ntags = ["one"]\nname = "first"\ncomment = "why"\n'
        '[[link]]\nat = "b"\nto = "releases/42"\ntags = ["two"]\n'
    )
    plan = root.manifests().plan(text, tags=["one"])
    assert [(step.link, step.name, step.comment) for step in plan.steps] == [("a", "first", "why")]


def test_without_records_nothing_is_taken_back_and_reasons_are_demanded(root: caplink.Root, base: Path) -> None:
    with pytest.raises(caplink.NotFoundError) as caught:
        root.manifests().unapply("app")
    assert caught.value.kind == "no_records"
    root.records().init(require_reason=True)
    for dry_run in (True, False):
        with pytest.raises(caplink.RefusedError):
            root.manifests().apply(LINKS, dry_run=dry_run)
    assert not os.path.lexists(base / "current")
    with pytest.raises(caplink.Error) as below:
        root.subroot("releases").manifests()
    assert below.value.kind == "unsupported"


def test_files_and_directories_are_adopted(root: caplink.Root, base: Path) -> None:
    (base / "a").write_text("a")
    (base / "b").mkdir()
    with pytest.raises(FileNotFoundError) as missing:
        root.adopt("a", into="store")
    assert isinstance(missing.value, caplink.Error) and missing.value.hint == "`parents=True` makes missing directories"
    assert root.adopt("a", "b", into="store/", parents=True, dry_run=True).changed is False
    assert not os.path.lexists(base / "store")
    adopted = root.adopt("a", root / "b", into="store/", parents=True)
    assert adopted.made == ("store",) and adopted.group and adopted.changed
    assert (os.readlink(base / "a"), (base / "store/a").read_text()) == ("store/a", "a")
    assert (base / "store/b").is_dir() and os.readlink(base / "b") == "store/b"
    assert [result.changed for result in root.adopt("a", into="store").results] == [False]
    root.records().undo(group=adopted.group)
    assert (base / "a").read_text() == "a" and not os.path.islink(base / "a")
    with pytest.raises(caplink.RefusedError):
        root.adopt("../x", into="store")
    with pytest.raises(caplink.InvalidError):
        root.adopt(into="store")


def test_a_manifest_that_others_can_write_runs_no_programs(root: caplink.Root, base: Path) -> None:
    path = base / "caplink.toml"
    path.write_text(LINKS + '[release.default]\nafter_switch = [["true"]]\n')
    path.chmod(0o644)
    base.chmod(0o755)
    assert len(root.manifests().plan().steps) == 2
    path.chmod(0o666)
    for given in (None, path):
        with pytest.raises(caplink.RefusedError) as caught:
            root.manifests().plan(given)
        assert caught.value.kind == "unsafe_manifest" and caught.value.hint
    path.write_text(LINKS)
    assert len(root.manifests().plan().steps) == 2
