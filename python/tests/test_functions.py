"""`symlink` and `replace_symlink`, with the signatures of `os`."""

from __future__ import annotations

import inspect
import os
import threading
from pathlib import Path

import pytest

import caplink


def test_the_signatures_are_those_of_os() -> None:
    for function in (caplink.symlink, caplink.replace_symlink):
        assert str(inspect.signature(function)) == str(inspect.signature(os.symlink))


def test_symlink_does_what_os_symlink_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dir").mkdir()
    for function in (caplink.symlink, os.symlink):
        name = function.__module__.replace("posix", "os")
        function("../nowhere", name)
        function("/etc/passwd", tmp_path / f"{name}-absolute")
        function(b"x//y/.", os.fsencode(f"dir/{name}"))
        assert os.readlink(name) == "../nowhere"
        assert os.readlink(f"{name}-absolute") == "/etc/passwd"
        assert os.readlink(f"dir/{name}") == "x//y/."
        with pytest.raises(FileExistsError):
            function("other", name)
        with pytest.raises(FileNotFoundError):
            function("other", "missing/name")


def test_symlink_below_a_descriptor_cannot_be_led_out(tmp_path: Path) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    os.symlink("../out", tmp_path / "in" / "planted")
    fd = os.open(tmp_path / "in", os.O_RDONLY | os.O_DIRECTORY)
    try:
        caplink.symlink("target", "sub/link", dir_fd=fd)
        assert os.readlink("sub/link", dir_fd=fd) == "target"
        for hostile in ("../out/x", "planted/x"):
            with pytest.raises(PermissionError) as caught:
                caplink.symlink("target", hostile, dir_fd=fd)
            assert isinstance(caught.value, caplink.RefusedError) and caught.value.kind == "escape"
        assert not os.listdir(tmp_path / "out")
        assert os.fstat(fd)
    finally:
        os.close(fd)
    with pytest.raises(caplink.Error):
        caplink.symlink("target", "link", dir_fd=fd)


@pytest.mark.skipif(not hasattr(os, "O_PATH"), reason="SKIPPED: no O_PATH here")
def test_a_descriptor_need_not_be_readable(tmp_path: Path) -> None:
    fd = os.open(tmp_path, os.O_PATH | os.O_DIRECTORY)
    try:
        caplink.symlink("target", "link", dir_fd=fd)
        root = caplink.Root(dir_fd=fd)
    finally:
        os.close(fd)
    # The root has a descriptor of its own.
    assert root.readlink("link") == "target" and root.path is None


def test_replace_symlink_leaves_no_moment_without_the_link(tmp_path: Path) -> None:
    link = tmp_path / "current"
    caplink.replace_symlink("0", link)
    absent = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                os.readlink(link)
            except FileNotFoundError as error:
                absent.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 300):
        outcome = caplink.replace_symlink(str(number), link)
        assert (outcome.outcome, outcome.previous) == ("replaced", str(number - 1))
    done.set()
    reader.join()
    assert not absent and os.listdir(tmp_path) == ["current"]


def test_replace_symlink_never_replaces_what_is_no_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    with pytest.raises(FileExistsError):
        caplink.replace_symlink("x", tmp_path / "file")
    assert (tmp_path / "file").read_text() == "precious"


def test_a_name_that_is_no_link_is_refused(tmp_path: Path) -> None:
    for name in ("", ".", "..", "x/", tmp_path / ".."):
        with pytest.raises(caplink.Error):
            caplink.symlink("target", name)
