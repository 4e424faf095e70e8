"""The scan: an iterator that lets go of the interpreter and can be broken off."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
import weakref
from pathlib import Path
from typing import Literal

import pytest

import caplink


@pytest.fixture
def tree(tmp_path: Path) -> caplink.Root:
    """Links of several kinds, among them one in a directory of its own."""
    (tmp_path / "d").mkdir()
    (tmp_path / "f").touch()
    for name, text in [("ok", "f"), ("gone", "nothing"), ("loop", "loop"), ("out", "/etc"), ("d/messy", "..//f")]:
        os.symlink(text, tmp_path / name)
    return caplink.Root(tmp_path)


def test_a_scan_gives_every_link_its_status(tree: caplink.Root) -> None:
    scan = tree.scan()
    found = {finding.link: finding.status for finding in scan}
    assert found == {"d/messy": "ok", "gone": "dangling", "loop": "loop", "ok": "ok", "out": "escape"}
    assert list(found) == sorted(found)
    summary = scan.summary
    assert (summary.links, summary["ok"], summary["messy"], summary.complete) == (5, 2, 1, True)
    assert summary.as_dict()["dangling"] == 1
    with pytest.raises(KeyError):
        summary["odd"]  # type: ignore[index]
    assert list(scan) == []


@pytest.mark.parametrize(
    ("only", "links"),
    [
        ("broken", ["gone", "loop", "out"]),
        ("dangling,loop", ["gone", "loop"]),
        (["messy", "escape"], ["d/messy", "out"]),
    ],
)
def test_only_keeps_statuses_and_traits(tree: caplink.Root, only: str | list[str], links: list[str]) -> None:
    assert [finding.link for finding in tree.scan(only=only)] == links


def test_entries_are_left_out_by_glob_or_by_what_a_callable_says(tree: caplink.Root) -> None:
    def without(exclude: object) -> set[str]:
        return {finding.link for finding in tree.scan(exclude=exclude)}  # type: ignore[arg-type]

    assert without("d") == {"gone", "loop", "ok", "out"}
    assert without(["*o*", "d/**"]) == {"gone", "loop", "ok", "out"} - {"gone", "loop", "ok", "out"}
    assert without(lambda path: path.startswith("d/") or path == "ok") == {"gone", "loop", "out"}
    with pytest.raises(ValueError, match="glob"):
        tree.scan(exclude="a[")
    with pytest.raises(ValueError, match="no status and no trait"):
        tree.scan(only="odd")


@pytest.mark.parametrize("jobs", [1, 4])
def test_what_a_callable_raises_ends_the_scan(tree: caplink.Root, jobs: int) -> None:
    def refuse(path: str) -> bool:
        raise ZeroDivisionError(path)

    with pytest.raises(ZeroDivisionError):
        list(tree.scan(exclude=refuse, jobs=jobs))


def test_depth_and_directory_are_those_of_the_command_line(tree: caplink.Root) -> None:
    assert {finding.link for finding in tree.scan("d")} == {"d/messy"}
    assert "d/messy" not in {finding.link for finding in tree.scan(max_depth=1)}
    with pytest.raises(FileNotFoundError):
        tree.scan("nothing")
    with pytest.raises(PermissionError):
        tree.scan("..")


def test_a_scan_can_be_broken_off_at_any_moment(tmp_path: Path) -> None:
    for number in range(2000):
        os.symlink("x", tmp_path / f"{number}")
    root = caplink.Root(tmp_path)
    for jobs in (1, 3):
        with root.scan(jobs=jobs) as scan:
            next(scan)
        assert scan.closed and not scan.summary.complete
        with pytest.raises(ValueError, match="the scan is closed"):
            next(scan)
        with pytest.raises(ValueError, match="the scan is closed"):
            list(scan)
        scan.close()
        dropped = root.scan(jobs=jobs, exclude=lambda path: False)
        next(dropped)
        del dropped
        gc.collect()


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_scan_that_is_closed_asks_no_more(tmp_path: Path, jobs: int) -> None:
    for directory in range(40):
        (tmp_path / f"{directory}").mkdir()
        for number in range(20):
            os.symlink("x", tmp_path / f"{directory}" / f"{number}")
    asked: list[str] = []

    def exclude(path: str) -> bool:
        asked.append(path)
        time.sleep(0.001)
        return False

    scan = caplink.Root(tmp_path).scan(exclude=exclude, jobs=jobs)
    next(scan)
    before = len(asked)
    scan.close()
    assert len(asked) <= before + 2 * jobs


def test_a_scan_that_came_to_its_end_is_not_closed_by_it(tree: caplink.Root) -> None:
    scan = tree.scan()
    assert len(list(scan)) == 5 and list(scan) == [] and not scan.closed
    assert "<caplink.Scan: 5 links" in repr(scan)
    scan.close()
    assert "<closed caplink.Scan: 5 links" in repr(scan)


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_callable_may_look_at_its_scan_and_close_it(tree: caplink.Root, jobs: int) -> None:
    seen: list[int] = []
    scans: list[caplink.Scan] = []

    def look(path: str) -> bool:
        while not scans:
            time.sleep(0.001)
        seen.append(scans[0].summary.links + len(scans[0].errors))
        return False

    scans.append(tree.scan(exclude=look, jobs=jobs))
    assert len(list(scans[0])) == 5 and seen

    def close(path: str) -> bool:
        while len(scans) < 2:
            time.sleep(0.001)
        scans[1].close()
        return False

    scans.append(tree.scan(exclude=close, jobs=jobs))
    with pytest.raises(ValueError, match="the scan is closed"):
        list(scans[1])


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_callable_cannot_take_from_its_own_scan(tree: caplink.Root, jobs: int) -> None:
    scans: list[caplink.Scan] = []

    def take(path: str) -> bool:
        while not scans:
            time.sleep(0.001)
        return next(scans[0]) is None

    scans.append(tree.scan(exclude=take, jobs=jobs))
    with pytest.raises(RuntimeError, match="before its own `exclude` has answered"):
        list(scans[0])
    assert list(scans[0]) == []


def test_a_callable_may_use_the_root_and_scan_in_turn(tree: caplink.Root) -> None:
    def use(path: str) -> bool:
        tree.ensure("d/new", to="f")
        return len(list(tree.scan("d"))) == 0

    assert "d/new" in {finding.link for finding in tree.scan(exclude=use)}


def test_onerror_is_a_callable(tree: caplink.Root) -> None:
    with pytest.raises(TypeError, match="onerror is a callable, not int"):
        tree.scan(onerror=5)  # type: ignore[arg-type]


def test_a_scan_goes_on_without_the_variable_of_its_root(tree: caplink.Root) -> None:
    root = caplink.Root(tree.path)
    scan = root.scan()
    first = next(scan)
    root.close()
    del root
    gc.collect()
    assert len([first, *scan]) == 5


@pytest.mark.parametrize("keyword", ["exclude", "onerror"])
def test_a_scan_in_a_circle_is_collected(tree: caplink.Root, keyword: Literal["exclude", "onerror"]) -> None:
    class Holder:
        scan: caplink.Scan

        def __call__(self, _: object) -> bool:
            return False

    holder = Holder()
    holder.scan = tree.scan(exclude=holder) if keyword == "exclude" else tree.scan(onerror=holder)
    dead = weakref.ref(holder)
    del holder
    gc.collect()
    assert dead() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="SKIPPED: no fork here")
@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("jobs", [1, 3])
def test_a_scan_belongs_to_the_process_that_began_it(tmp_path: Path, jobs: int, closed: bool) -> None:
    for number in range(3000):
        os.symlink("x", tmp_path / f"{number}")
    scans = [caplink.Root(tmp_path).scan(jobs=jobs)]
    first = next(scans[0])
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(20)
            with pytest.raises(ValueError, match="belongs to the process"):
                list(scans[0])
            if closed:
                scans[0].close()
            scans.clear()
            gc.collect()
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len([first, *scans[0]]) == 3000


def test_a_directory_that_cannot_be_read_is_an_error_and_the_rest_is_found(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("SKIPPED: root may read everywhere")
    (tmp_path / "closed").mkdir(mode=0)
    os.symlink("x", tmp_path / "l")
    told: list[caplink.Error] = []
    scan = caplink.Root(tmp_path).scan(onerror=told.append)
    assert [finding.link for finding in scan] == ["l"]
    assert [error.kind for error in scan.errors] == [error.kind for error in told] == ["permission"]
    assert not scan.summary.complete and scan.summary.dirs_unread == 1
    (tmp_path / "closed").chmod(0o700)


def test_others_run_while_it_scans(tmp_path: Path) -> None:
    for directory in range(40):
        (tmp_path / str(directory)).mkdir()
        for number in range(500):
            (tmp_path / str(directory) / str(number)).touch()
    root, ticks, done = caplink.Root(tmp_path), [0], threading.Event()

    def tick() -> None:
        while not done.is_set():
            ticks[0] += 1
            time.sleep(0.0005)

    ticker = threading.Thread(target=tick)
    ticker.start()
    for _ in range(10):
        scan = root.scan()
        assert list(scan) == [] and scan.summary.entries == 40 * 501
    done.set()
    ticker.join()
    assert ticks[0] > 10


def test_one_scan_can_be_taken_by_several_threads(tmp_path: Path) -> None:
    for number in range(5000):
        os.symlink("x", tmp_path / f"{number}")
    scan = caplink.Root(tmp_path).scan(jobs=2)
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.extend(f.link for f in scan)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(set(found)) == 5000
