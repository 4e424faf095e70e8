"""Exceptions: classes, numbers, attributes."""

from __future__ import annotations

import copy
import errno
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

import caplink
from caplink import _errors, _hints


def test_every_kind_has_a_class_a_number_and_a_hint() -> None:
    for kind in _errors._KINDS:
        error = _errors.make(kind, "message", None, {"operation": "create", "link": "l"})
        assert isinstance(error, caplink.Error) and isinstance(error, OSError)
        assert error.kind == kind and error.errno and error.strerror == "message" and str(error) == "message"
        assert (error.hint is None) == (kind == "io"), kind


@pytest.mark.parametrize(
    ("kind", "cls", "number"),
    [
        ("exists", FileExistsError, errno.EEXIST),
        ("not_found", FileNotFoundError, errno.ENOENT),
        ("root_gone", FileNotFoundError, errno.ENOENT),
        ("dangling", FileNotFoundError, errno.ENOENT),
        ("escape", PermissionError, errno.EPERM),
        ("permission", PermissionError, errno.EACCES),
        ("not_a_directory", NotADirectoryError, errno.ENOTDIR),
        ("invalid_path", ValueError, errno.EINVAL),
        ("loop", OSError, errno.ELOOP),
        ("no_space", OSError, errno.ENOSPC),
    ],
)
def test_existing_code_catches_them(kind: str, cls: type[Exception], number: int) -> None:
    with pytest.raises(cls) as caught:
        raise _errors.make(kind, "message", None, {"link": "l"})
    assert isinstance(caught.value, caplink.Error) and caught.value.errno == number


def test_the_number_of_the_system_is_kept_where_it_says_the_same() -> None:
    for kind, system, number in [
        ("permission", errno.EPERM, errno.EPERM),
        ("not_found", errno.ENOTDIR, errno.ENOTDIR),
        ("not_found", errno.EIO, errno.ENOENT),
        ("io", errno.ENXIO, errno.ENXIO),
        ("exists", errno.EEXIST, errno.EEXIST),
    ]:
        assert _errors.make(kind, "m", system, {}).errno == number
    assert isinstance(_errors.make("not_found", "m", errno.ENOTDIR, {}), NotADirectoryError)


def test_an_error_survives_pickling_and_copying(root: caplink.Root) -> None:
    with pytest.raises(caplink.Error) as caught:
        root.create("../x", to="releases/41")
    for again in (pickle.loads(pickle.dumps(caught.value)), copy.copy(caught.value)):
        assert type(again) is caplink.RefusedError
        assert (again.kind, again.errno, again.filename, again.component, again.index) == (
            "escape",
            errno.EPERM,
            "../x",
            "..",
            0,
        )


def test_hints_name_what_the_package_has() -> None:
    texts = [*_hints._OF_KIND.values(), *_hints._OF_OPERATION.values()]
    keywords = {"`missing_ok=True`", "`backup=True`", "`allow_dangling=True`", "`parents=True`"}
    assert any(keyword in text for keyword in keywords for text in texts)
    assert not any("--" in text for text in texts)


def test_a_root_that_is_not_there_or_no_directory(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as gone:
        caplink.Root(tmp_path / "nothing")
    assert isinstance(gone.value, caplink.Error) and gone.value.kind == "root_gone"
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError) as file:
        caplink.Root(tmp_path / "file")
    assert isinstance(file.value, caplink.Error)
    assert (file.value.kind, file.value.errno) == ("usage", errno.ENOTDIR)
    for arguments in ({}, {"path": tmp_path, "dir_fd": 0}):
        with pytest.raises(ValueError):
            caplink.Root(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [10_000, -1, -100])
def test_a_descriptor_that_is_none_is_the_error_of_os(tmp_path: Path, number: int) -> None:
    calls: list[Callable[[], object]] = [
        lambda: caplink.Root(dir_fd=number),
        lambda: caplink.symlink("x", "l", dir_fd=number),
        lambda: caplink.replace_symlink("x", "l", dir_fd=number),
    ]
    for call in calls:
        with pytest.raises(
            caplink.Error, match=f"cannot open the descriptor {number}: it is no open descriptor"
        ) as caught:
            call()
        assert (type(caught.value), caught.value.kind, caught.value.errno) == (caplink.Error, "io", errno.EBADF)


def test_a_descriptor_of_a_file_is_the_error_of_os(tmp_path: Path) -> None:
    fd = os.open(tmp_path / "file", os.O_CREAT | os.O_RDWR)
    try:
        for call in (lambda: caplink.Root(dir_fd=fd), lambda: caplink.symlink("x", "l", dir_fd=fd)):
            with pytest.raises(NotADirectoryError) as caught:
                call()
            assert isinstance(caught.value, caplink.NotADirError) and caught.value.errno == errno.ENOTDIR
    finally:
        os.close(fd)


def test_what_symlink_raises_names_the_path_as_it_was_given(tmp_path: Path) -> None:
    link = str(tmp_path / "l")
    caplink.symlink("x", link)
    for name, cls in [(link, FileExistsError), (str(tmp_path / "no" / "l"), FileNotFoundError)]:
        with pytest.raises(cls) as caught:
            caplink.symlink("y", name)
        assert isinstance(caught.value, caplink.Error) and caught.value.filename == name


@pytest.mark.skipif(os.geteuid() == 0, reason="SKIPPED: root may write everywhere")
def test_a_missing_permission_is_one(base: Path, root: caplink.Root) -> None:
    base.chmod(0o500)
    try:
        with pytest.raises(PermissionError) as caught:
            root.create("l", to="releases/41")
        assert isinstance(caught.value, caplink.DeniedError) and caught.value.errno == errno.EACCES
    finally:
        base.chmod(0o700)


def test_a_panic_is_an_exception() -> None:
    panic = getattr(__import__("caplink._caplink")._caplink, "_panic", None)
    if panic is None:
        pytest.skip("SKIPPED: a release build has no call that panics")
    with pytest.raises(RuntimeError, match="a bug of caplink, please report it: asked for"):
        panic()
