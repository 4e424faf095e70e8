"""The records: every change is in the log."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import pytest

import caplink


def test_every_change_is_recorded_from_then_on(root: caplink.Root, base: Path) -> None:
    root.create("before", to="releases/41")
    records = root.records()
    assert not records
    assert records.init() == "initialised" and records.init() == "unchanged"
    root.ensure("current", to="releases/41", reason="rollout")
    root.ensure("current", to="releases/41")
    caplink.Root(base, actor="ci", reason="second").ensure("current", to="releases/42")
    root.batch([{"verb": "remove", "link": "before", "reason": "old"}])
    log = records.log(link="**")
    assert [(m.verb, m.link, m.outcome, m.reason) for m in log] == [
        ("ensure", "current", "created", "rollout"),
        ("ensure", "current", "replaced", "second"),
        ("remove", "before", "removed", "old"),
    ]
    assert (log[1].previous, log[1].target, log[1].verified, log[1].actor.claimed) == (
        "releases/41",
        "releases/42",
        True,
        "ci",
    )
    assert log[0].actor.uid == os.geteuid() and log[0].durability == "dir"
    assert [m.seq for m in records.log(link=["cur*"], limit=1)] == [log[1].seq]
    assert records.log(outcome="failed") == []
    hour = datetime.timedelta(hours=1)
    now = datetime.datetime.now(datetime.timezone.utc)
    assert (
        len(records.log(link="**", since=now - hour, until=now + hour)) == 3
        and records.log(since="2999-01-01T00:00:00Z") == []
    )
    with pytest.raises(ValueError):
        records.log(since="yesterday")


def test_a_demanded_reason_has_to_be_given(root: caplink.Root, base: Path) -> None:
    root.records().init(require_reason=True)
    for dry_run in (False, True):
        with pytest.raises(caplink.RefusedError) as caught:
            root.create("l", to="releases/41", dry_run=dry_run)
        assert (caught.value.kind, caught.value.hint) == ("policy", "`reason=` says why, for the records")
    assert not os.path.lexists(base / "l")
    assert root.create("l", to="releases/41", reason="asked for").outcome == "created"


def test_a_checkpoint_vouches_and_tampering_is_seen(root: caplink.Root, base: Path) -> None:
    records = root.records()
    records.init()
    root.create("a", to="releases/41")
    checkpoint = records.checkpoint()
    root.create("b", to="releases/41")
    entries, vouched = records.verify(checkpoint)
    assert entries > vouched == int(checkpoint.splitlines()[1])
    assert records.show()["entries"] == entries
    log = base / ".caplink" / "log.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"a"', b'"x"'))
    with pytest.raises(caplink.IntegrityError):
        caplink.Root(base).records().verify(checkpoint)


def test_a_group_is_undone(root: caplink.Root, base: Path) -> None:
    root.records().init()
    root.create("a", to="releases/41")
    root.batch(
        [{"verb": "ensure", "link": "a", "to": "releases/42"}, {"verb": "create", "link": "b", "to": "releases/42"}],
        all_or_nothing=True,
    )
    group = root.records().log(limit=1)[0].group
    assert group is not None
    assert os.readlink(base / "a") == "releases/42"
    root.records().undo(group=group)
    assert os.readlink(base / "a") == "releases/41" and not os.path.lexists(base / "b")
    assert root.records().recover() == []


def test_a_subroot_is_recorded_by_the_records_above_it(root: caplink.Root) -> None:
    root.records().init()
    root.subroot("releases").create("stable", to="41")
    assert [m.link for m in root.records().log(link="**")] == ["releases/stable"]


def test_without_records_their_verbs_say_so(root: caplink.Root) -> None:
    records = root.records()
    for call in (records.log, records.show, records.checkpoint, lambda: records.undo(group="x")):
        with pytest.raises(FileNotFoundError) as caught:
            call()
        assert isinstance(caught.value, caplink.Error) and caught.value.kind == "no_records"
    assert records.recover() == []


def test_records_elsewhere_are_named_by_state(tmp_path: Path, base: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    root = caplink.Root(base, state=tmp_path / "state")
    root.records().init()
    root.create("l", to="releases/41")
    assert (tmp_path / "state" / "log.jsonl").exists() and not (base / ".caplink").exists()
    with pytest.raises(caplink.RefusedError) as caught:
        caplink.Root(base).create("m", to="releases/41")
    assert caught.value.kind == "unsafe_state"


def test_damaged_records_are_renewed_and_a_moved_root_is_bound_again(tmp_path: Path, base: Path) -> None:
    caplink.Root(base).records().init()
    os.system(f"cp -a '{base}' '{tmp_path / 'copy'}'")
    moved = caplink.Root(tmp_path / "copy")
    with pytest.raises(caplink.IntegrityError):
        moved.create("l", to="releases/41")
    assert moved.records().rebind(reason="restored") is True
    assert moved.create("l", to="releases/41").outcome == "created"
    assert moved.records().renew(reason="nothing is wrong") is None
