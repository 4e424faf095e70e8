"""Signals, forks, threads, other interpreters, audit hooks: what a process does beside the calls."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import caplink


@contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    """Sends this process a SIGINT in so many seconds, and expects the `KeyboardInterrupt` within a second of it."""
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
    begun = time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        yield
    assert time.monotonic() - begun < seconds + 1.0
    timer.join()


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Somebody else holds the lock of a directory."""
    fd = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def test_a_lock_is_waited_for_as_long_as_asked(base: Path) -> None:
    caplink.Root(base).create("l", to="releases/41")
    root = caplink.Root(base, lock_timeout=0.1)
    with locked(base):
        begun = time.monotonic()
        with pytest.raises(caplink.BusyError) as caught:
            root.ensure("l", to="releases/42")
        assert 0.1 <= time.monotonic() - begun < 1.0
    assert caught.value.kind == "busy" and "100 ms" in str(caught.value)


@pytest.mark.parametrize("recorded", [False, True])
def test_an_interrupt_breaks_off_the_wait_for_a_lock(base: Path, recorded: bool) -> None:
    root = caplink.Root(base, lock_timeout=30.0)
    if recorded:
        root.records().init()
    root.create("l", to="releases/41")
    with locked(base):
        with interrupted_after(0.2):
            root.ensure("l", to="releases/42")
        with interrupted_after(0.2):
            root.batch([{"verb": "ensure", "link": "l", "to": "releases/42"}])
    assert os.readlink(base / "l") == "releases/41"
    assert root.ensure("l", to="releases/42").outcome == "replaced"


def test_an_interrupt_breaks_off_a_scan_without_a_link(tmp_path: Path) -> None:
    for directory in range(200):
        (tmp_path / f"{directory}").mkdir()
        for below in range(50):
            (tmp_path / f"{directory}" / f"{below}").mkdir()
    root = caplink.Root(tmp_path)
    with interrupted_after(0.1):
        while True:
            assert list(root.scan()) == []
    with interrupted_after(0.1):
        while True:
            assert root.repair(tidy=True) == []


def test_a_handler_that_returns_does_not_break_anything_off(base: Path) -> None:
    root = caplink.Root(base, lock_timeout=0.3)
    root.create("l", to="releases/41")
    handled: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, frame: handled.append(number))
    try:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        with locked(base), pytest.raises(caplink.BusyError):
            root.ensure("l", to="releases/42")
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert handled == [signal.SIGUSR1]


@pytest.mark.parametrize("keywords", [{}, {"confine": "auto"}, {"records": True}])
def test_a_root_can_be_used_after_a_fork_in_the_middle_of_use(base: Path, keywords: dict[str, object]) -> None:
    recorded = keywords.pop("records", False)
    root = caplink.Root(base, **keywords)  # type: ignore[arg-type]
    if recorded:
        root.records().init()
    done = threading.Event()

    def use(name: str) -> None:
        turn = 0
        while not done.is_set():
            turn += 1
            root.ensure(name, to=f"releases/{41 + turn % 2}")
            list(root.scan(jobs=2))

    threads = [threading.Thread(target=use, args=(f"l{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(15):
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    signal.alarm(20)
                    outcome = root.ensure(f"child{turn}", to="releases/41")
                    found = {finding.link for finding in root.scan(jobs=2)}
                    code = 0 if outcome.verified and f"child{turn}" in found else 2
                finally:
                    os._exit(code)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert sum(name.startswith("child") for name in os.listdir(base)) == 15


def test_threads_run_side_by_side(base: Path) -> None:
    root = caplink.Root(base, lock_timeout=5.0)
    root.create("l", to="releases/41")
    done: list[float] = []

    def waits() -> None:
        root.ensure("l", to="releases/42")
        done.append(time.monotonic())

    with locked(base):
        waiting = [threading.Thread(target=waits) for _ in range(4)]
        for thread in waiting:
            thread.start()
        # They wait in the kernel, and this thread goes on meanwhile.
        begun, turns = time.monotonic(), 0
        while time.monotonic() - begun < 0.3:
            assert root.readlink("l") == "releases/41"
            turns += 1
        assert turns > 100 and not done
    for thread in waiting:
        thread.join()
    assert len(done) == 4 and os.readlink(base / "l") == "releases/42"


def test_of_many_threads_that_swap_one_wins_each_turn(base: Path) -> None:
    root = caplink.Root(base, lock_timeout=10.0)
    root.create("l", to="0", style="verbatim", allow_dangling=True)
    won: list[str] = []

    def contend() -> None:
        for turn in range(20):
            try:
                root.swap("l", to=str(turn + 1), expect=str(turn), style="verbatim", allow_dangling=True)
                won.append(str(turn))
            except caplink.MismatchError:
                pass

    threads = [threading.Thread(target=contend) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won, key=int) == [str(turn) for turn in range(len(won))]
    assert os.readlink(base / "l") == str(len(won))


def test_another_interpreter_is_refused_politely(program: Callable[..., "subprocess.CompletedProcess[str]"]) -> None:
    done = program("""
        import sys
        try:
            import _interpreters as interpreters
        except ImportError:
            try:
                import _xxsubinterpreters as interpreters
            except ImportError:
                print("SKIPPED: no interpreters here"); sys.exit()
        import caplink
        other = interpreters.create()
        code = "try:\\n import caplink\\nexcept ImportError as e:\\n print('refused', e, flush=True)\\nelse:\\n print('taken')"
        try:
            interpreters.run_string(other, code)
        except TypeError:
            interpreters.exec(other, code)
        """)
    assert done.returncode == 0, done.stderr
    if "SKIPPED" in done.stdout:
        pytest.skip(done.stdout)
    assert "refused" in done.stdout and "interpreter" in done.stdout


def test_a_program_ends_with_a_scan_under_way(
    program: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path
) -> None:
    for directory in range(40):
        (tmp_path / f"{directory}").mkdir()
        for number in range(20):
            os.symlink("x", tmp_path / f"{directory}" / f"{number}")
    # Its threads are in the callable when the interpreter ends, and then want it back.
    code = """
        import sys, time, caplink
        scan = caplink.Root(sys.argv[1]).scan(jobs=3, exclude=lambda path: time.sleep(0.002))
        next(scan)
        kept = [scan]; kept.append(kept)
        """
    for _ in range(5):
        done = program(code, str(tmp_path))
        assert done.returncode == 0, done.stderr


def test_changes_raise_audit_events_before_they_are_made(
    program: Callable[..., "subprocess.CompletedProcess[str]"], base: Path
) -> None:
    done = program(
        """
        import os, sys, caplink
        base = sys.argv[1]
        events = []
        sys.addaudithook(lambda event, args: events.append((event, args)) if event.startswith("caplink.") else None)
        root = caplink.Root(base)
        path = root.path
        root.create("a", to="releases/41")
        root.ensure("b", to="releases/41", dry_run=True)
        (root / "c").symlink_to("releases/42")
        root.exchange("a", "c")
        root.remove("c")
        caplink.symlink("x", "d", dir_fd=os.open(base, os.O_RDONLY))
        caplink.replace_symlink("y", os.path.join(base, "d"))
        root.batch([{"verb": "remove", "link": "d"}])
        root.repair(tidy=True)
        text = 'version = 1\\nname = "m"\\n[links]\\ne = "releases/41"\\n'
        root.manifests().plan(text)
        root.manifests().apply(text, dry_run=True)
        root.manifests().apply(text)
        root.manifests().apply(root.manifests().plan(text))
        root.manifests().unapply("m")
        root.adopt("releases/42", into="kept", parents=True, dry_run=True)
        root.adopt("releases/42", into="kept", parents=True)
        fd = events[4][1][2]
        assert fd > 2
        assert events == [
            ("caplink.create", (path, "a", "releases/41")),
            ("caplink.create", (path, "c", "releases/42")),
            ("caplink.exchange", (path, "a", "c")),
            ("caplink.remove", (path, "c", None)),
            ("caplink.symlink", ("x", "d", fd)),
            ("caplink.replace_symlink", ("y", os.path.join(base, "d"), -1)),
            ("caplink.remove", (path, "d", None)),
            ("caplink.repair", (path, ".", None)),
            ("caplink.manifest.apply", (path, "m")),
            ("caplink.manifest.apply", (path, "m")),
            ("caplink.manifest.unapply", (path, "m")),
            ("caplink.adopt", (path, "releases/42", "kept")),
        ], events
        def refuse(event, args):
            if event.startswith("caplink."):
                raise RuntimeError("not now")
        sys.addaudithook(refuse)
        try:
            root.create("e", to="releases/41")
        except RuntimeError as error:
            assert str(error) == "not now" and not os.path.lexists(os.path.join(base, "e"))
        else:
            sys.exit("no hook was asked")
        """,
        str(base),
    )
    assert done.returncode == 0, done.stderr
