"""`root / "name"`: a path with the names of pathlib; what is taken for a path, and what comes out."""

from __future__ import annotations

import inspect
import os
import pathlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import caplink


def test_a_path_does_what_pathlib_does(root: caplink.Root, base: Path) -> None:
    ours, theirs = root / "ours", base / "theirs"
    ours.symlink_to("releases/41")
    theirs.symlink_to("releases/41")
    assert ours.readlink() == os.fspath(theirs.readlink())
    assert ours.is_symlink() and ours.exists() and ours.lexists()
    assert str(ours.resolve()) == str(theirs.resolve().relative_to(base.resolve()))
    ours.unlink()
    assert not ours.lexists() and not ours.exists()
    ours.unlink(missing_ok=True)
    with pytest.raises(FileNotFoundError):
        ours.unlink()


def test_the_arguments_are_named_and_ordered_as_in_pathlib() -> None:
    for name in ("symlink_to", "readlink", "is_symlink", "lstat", "resolve", "unlink"):
        ours = inspect.signature(getattr(caplink.LinkPath, name)).parameters
        theirs = inspect.signature(getattr(pathlib.Path, name)).parameters
        positional = [(p.name, p.default) for p in ours.values() if p.kind is not p.KEYWORD_ONLY]
        assert positional == [(p.name, p.default) for p in theirs.values()], name


@pytest.mark.skipif(
    sys.version_info < (3, 12), reason="SKIPPED: before 3.12 pathlib asks of links what they lead to alone"
)
def test_exists_is_asked_as_in_pathlib() -> None:
    ours, theirs = inspect.signature(caplink.LinkPath.exists), inspect.signature(pathlib.Path.exists)
    assert [(p.name, p.default) for p in ours.parameters.values()] == [
        (p.name, p.default) for p in theirs.parameters.values()
    ]


def test_what_os_and_pathlib_take_for_true_is_taken_where_the_argument_is_theirs(
    root: caplink.Root, base: Path
) -> None:
    path = root / "l"
    path.symlink_to("later", 1)  # type: ignore[arg-type]
    assert path.exists(follow_symlinks=1) is False  # type: ignore[arg-type]
    assert str(path.resolve(0)) == "later"  # type: ignore[arg-type]
    path.unlink(missing_ok=0)  # type: ignore[arg-type]
    path.unlink("yes")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        root.create("m", to="/etc", style="verbatim", allow_outside="no")  # type: ignore[arg-type]
    assert not path.lexists()


def test_paths_of_one_root_are_ordered_as_in_pathlib(root: caplink.Root, base: Path) -> None:
    names = ["b", "a-b", "a/b", "a", "B", "a/a/a", ".", "a b", "\xe9"]
    theirs = [path.as_posix() for path in sorted(map(pathlib.PurePosixPath, names))]
    assert [str(path) for path in sorted(root / name for name in names)] == theirs
    first, second = root / "a/b", caplink.Root(base) / "a-b"
    assert first < second and first <= second and second > first and second >= first and not first > second
    assert first <= first and first >= first and not first < first
    other = root.subroot("releases") / "a"
    assert first != other
    for wrong in (other, "a", pathlib.PurePosixPath("a"), None):
        with pytest.raises(TypeError, match="not supported between instances"):
            _ = first < wrong  # type: ignore[operator]


def test_a_path_means_nothing_to_another_root(root: caplink.Root, base: Path) -> None:
    (base / "other" / "releases" / "41").mkdir(parents=True)
    other = caplink.Root(base / "other")
    stranger = other / "releases/41"
    calls: list[Callable[[], object]] = [
        lambda: root.create(stranger, to="releases/41"),
        lambda: root.create("l", to=stranger),
        lambda: root.exchange("l", stranger),
        lambda: root.remove(stranger),
        lambda: root.inspect(stranger),
        lambda: root.resolve(stranger),
        lambda: root.readlink(stranger),
        lambda: root.scan(stranger),
        lambda: root.repair(stranger, tidy=True),
        lambda: root.repair(moved={stranger: "x"}),
        lambda: root.repair(fallback=stranger),
        lambda: root.subroot(stranger),
        lambda: root.batch([{"verb": "ensure", "link": stranger, "to": "releases/41"}]),
        lambda: root.adopt(stranger, into="kept", parents=True),
        lambda: root.manifests().plan(stranger),
        lambda: root.releases(releases=stranger),
        lambda: (root / "l").symlink_to(stranger),
        lambda: root / stranger,
    ]
    for call in calls:
        with pytest.raises(caplink.InvalidError, match="path below another root"):
            call()
    assert sorted(os.listdir(base)) == ["other", "releases"]
    again = caplink.Root(base) / "releases/41"
    assert root.create("l", to=again).target == "releases/41"


def test_without_its_root_a_path_is_none(root: caplink.Root, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(base)
    path = root / "releases"
    calls: list[Callable[[], object]] = [
        lambda: caplink.Root(path),  # type: ignore[arg-type]
        lambda: caplink.Root(".", state=path),  # type: ignore[arg-type]
        lambda: caplink.symlink("x", path),  # type: ignore[arg-type]
        lambda: caplink.symlink(path, "x"),  # type: ignore[arg-type]
        lambda: caplink.replace_symlink("x", path),  # type: ignore[arg-type]
        lambda: root.swap("l", to="x", expect=path),  # type: ignore[arg-type]
    ]
    for call in calls:
        with pytest.raises(TypeError, match="expected str, bytes or os.PathLike object, not LinkPath"):
            call()


def test_as_in_pathlib_the_target_need_not_exist_but_it_has_to_stay_inside(root: caplink.Root, base: Path) -> None:
    (root / "l").symlink_to("later")
    assert os.readlink(base / "l") == "later"
    with pytest.raises(PermissionError):
        (root / "m").symlink_to("/etc/passwd")
    (root / "m").symlink_to("/etc/passwd", allow_outside=True)
    with pytest.raises(FileExistsError):
        (root / "m").symlink_to("later")


def test_a_path_as_the_target_is_led_to(root: caplink.Root, base: Path) -> None:
    (base / "links").mkdir()
    (root / "links" / "one").symlink_to(root / "releases/41")
    assert os.readlink(base / "links/one") == "../releases/41"


def test_lstat_is_that_of_os(root: caplink.Root, base: Path) -> None:
    os.symlink("releases/41", base / "l")
    ours, theirs = (root / "l").lstat(), os.lstat(base / "l")
    assert isinstance(ours, os.stat_result) and ours == theirs
    for name in ("st_mtime_ns", "st_ctime_ns", "st_blocks", "st_blksize", "st_rdev", "st_mtime"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name)), name
    assert (root / ".").lstat().st_ino == os.stat(base).st_ino
    with pytest.raises(FileNotFoundError):
        (root / "nothing").lstat()


def test_resolve_takes_what_is_missing_as_it_is_spelled_unless_strict(root: caplink.Root, base: Path) -> None:
    os.symlink("releases/43/bin", base / "l")
    os.symlink("l", base / "chain")
    for name in ("l", "chain", "nothing/below", "nothing/" * 60 + "below", "releases/41"):
        theirs = os.path.relpath(os.path.realpath(base / name), base.resolve())
        assert str((root / name).resolve()) == theirs
    with pytest.raises(FileNotFoundError):
        (root / "l").resolve(strict=True)
    assert str((root / "releases/41").resolve(strict=True)) == "releases/41"


def test_what_leads_outside_does_not_exist_quietly(root: caplink.Root, base: Path) -> None:
    os.symlink("/etc/passwd", base / "out")
    with pytest.raises(PermissionError):
        (root / "out").exists()
    assert (root / "out").exists(follow_symlinks=False)


def test_paths_join_compare_and_show_themselves(root: caplink.Root, base: Path) -> None:
    path = root / "releases" / "41"
    assert (str(path), path.name, path.parts, repr(path)) == (
        "releases/41",
        "41",
        ("releases", "41"),
        "LinkPath('releases/41')",
    )
    assert path == root / "releases/41" and hash(path) == hash(root / "./releases//41")
    assert path != root / "releases/42" and path != "releases/41" and path.parent == root / "releases"
    assert path.root.path == os.path.realpath(base)
    for hostile in ("..", "/etc", "a/../b"):
        with pytest.raises(caplink.Error):
            _ = path / hostile
    with pytest.raises(TypeError):
        os.fspath(path)  # type: ignore[call-overload]


@pytest.mark.parametrize("given", ["l", b"l", pathlib.PurePosixPath("l")])
def test_str_bytes_and_pathlike_are_taken(root: caplink.Root, given: str | bytes | os.PathLike[str]) -> None:
    assert root.create(given, to=b"releases/41").link == "l"
    assert root.readlink(given) == "releases/41"


def test_no_byte_of_a_name_is_lost(root: caplink.Root, base: Path) -> None:
    name = b"caf\xe9\n"
    root.create(name, to=b"\xff", style="verbatim", allow_dangling=True)
    found = next(iter(root.scan(only="dangling")))
    assert (found.link, found.target) == (os.fsdecode(name), os.fsdecode(b"\xff"))
    assert os.readlink(os.path.join(os.fsencode(base), name)) == b"\xff"
    assert root.inspect(found.link).target == os.fsdecode(b"\xff")
    assert root.inspect(name).as_dict()["target"] == os.fsdecode(b"\xff")


def test_what_is_no_path_is_a_type_error(root: caplink.Root) -> None:
    for wrong in (1, None, 1.5, ["l"], object()):
        with pytest.raises(TypeError, match="expected str, bytes or os.PathLike object"):
            root.inspect(wrong)  # type: ignore[arg-type]
