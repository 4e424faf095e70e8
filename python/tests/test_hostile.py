"""What programs hand over that is no path, no callable, no number; and what they do while a call is under way."""

from __future__ import annotations

import copy
import errno
import os
import pickle
import signal
import subprocess
import sys
import threading
import types
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Optional

import pytest

import caplink


class Led:
    """An `os.PathLike` that does what it is told."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def __fspath__(self) -> Any:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


class Sly(str):
    """A `str` that shows itself as something else."""

    def __str__(self) -> str:
        return "../../etc"

    def __fspath__(self) -> str:
        return "../../etc"


def opened(**keywords: Any) -> caplink.Root:
    """A root with keywords that no type checker would let through."""
    return caplink.Root(**keywords)


Row = tuple[Any, type[BaseException], Optional[str], Optional[int], Optional[str], Optional[int]]

LINKS: list[Row] = [
    ("", ValueError, "invalid_path", errno.EINVAL, None, None),
    (".", ValueError, "invalid_path", errno.EINVAL, None, None),
    ("l/", ValueError, "invalid_path", errno.EINVAL, None, None),
    ("a/../l", ValueError, "invalid_path", errno.EINVAL, "..", 1),
    ("a\0b", ValueError, "invalid_path", errno.EINVAL, None, None),
    (b"a\0b", ValueError, "invalid_path", errno.EINVAL, None, None),
    ("..", PermissionError, "escape", errno.EPERM, "..", 0),
    ("a//./../../l", PermissionError, "escape", errno.EPERM, "..", 2),
    ("/etc/l", PermissionError, "escape", errno.EPERM, "/", 0),
    ("x" * 256, ValueError, "too_long", errno.ENAMETOOLONG, "x" * 256, 0),
    ("x" * 10_000_000, ValueError, "too_long", errno.ENAMETOOLONG, "x" * 10_000_000, 0),
    ("no/" * 1_000_000 + "l", FileNotFoundError, "not_found", errno.ENOENT, "no", 0),
    ("file/l", FileNotFoundError, "not_found", errno.ENOENT, "file", 0),
    ("dirlink/l", PermissionError, "symlink_in_path", errno.EPERM, "dirlink", 0),
    ("a\ud800", UnicodeEncodeError, None, None, None, None),
    (Led(ZeroDivisionError("no")), ZeroDivisionError, None, None, None, None),
    (Led(KeyboardInterrupt()), KeyboardInterrupt, None, None, None, None),
    (Led(5), TypeError, None, None, None, None),
    (Led, TypeError, None, None, None, None),
    (None, TypeError, None, None, None, None),
    (3, TypeError, None, None, None, None),
    (True, TypeError, None, None, None, None),
    (1.5, TypeError, None, None, None, None),
    (bytearray(b"l"), TypeError, None, None, None, None),
    (memoryview(b"l"), TypeError, None, None, None, None),
    (["l"], TypeError, None, None, None, None),
]


@pytest.mark.parametrize("row", LINKS, ids=lambda row: repr(row[0])[:30])
def test_a_path_that_is_none_says_so(root: caplink.Root, base: Path, row: Row) -> None:
    given, cls, kind, number, component, index = row
    (base / "file").touch()
    os.symlink("releases", base / "dirlink")
    before = sorted(os.listdir(base))
    calls: list[Callable[[], object]] = [
        lambda: root.create(given, to="releases/41"),
        lambda: root.ensure(given, to="releases/41"),
        lambda: root.remove(given),
    ]
    if isinstance(given, (str, bytes)):
        calls.append(lambda: root.batch([{"verb": "ensure", "link": given, "to": "releases/41"}]))
    for call in calls:
        with pytest.raises(cls) as caught:
            call()
        error = caught.value
        assert isinstance(error, caplink.Error) == (kind is not None)
        if isinstance(error, caplink.Error):
            assert (error.kind, error.errno, error.component, error.index) == (kind, number, component, index)
            assert error.link == os.fsdecode(given) == error.filename and error.hint
    assert sorted(os.listdir(base)) == before


def test_what_os_says_of_a_wrong_object_is_said_here(root: caplink.Root) -> None:
    for given in (None, 3, True, 1.5, ["l"], Led, Led(5), bytearray(b"l")):
        with pytest.raises(TypeError) as theirs:
            os.fspath(given)  # type: ignore[arg-type]
        with pytest.raises(TypeError) as ours:
            root.inspect(given)  # type: ignore[arg-type]
        assert str(ours.value) == str(theirs.value)


def test_a_derived_str_is_its_characters(
    program: Callable[..., "subprocess.CompletedProcess[str]"], root: caplink.Root, base: Path
) -> None:
    done = program(
        """
        import sys, caplink
        class Sly(str):
            def __str__(self): return "../../etc"
            __fspath__ = __repr__ = __str__
        events = []
        sys.addaudithook(lambda event, args: events.append(args) if event == "caplink.create" else None)
        root = caplink.Root(sys.argv[1])
        assert root.create(Sly("l"), to=Sly("releases/41")).target == "releases/41"
        assert events == [(root.path, "l", "releases/41")] and type(events[0][1]) is str, events
        """,
        str(base),
    )
    assert done.returncode == 0, done.stderr
    assert root.readlink(Sly("l")) == "releases/41"


@pytest.mark.parametrize(
    ("call", "cls", "message"),
    [
        (lambda root: root.ensure("l", "releases/41"), TypeError, "positional"),
        (lambda root: root.ensure("l"), TypeError, "'to'"),
        (lambda root: root.ensure("l", to="releases/41", allow_danglin=True), TypeError, "allow_danglin"),
        (lambda root: root.ensure("l", to="releases/41", parents=1), TypeError, "bool"),
        (lambda root: root.ensure("l", to="releases/41", style="rel"), ValueError, "`rel` is no style"),
        (lambda root: root.ensure("l", to="releases/41", style=b"relative"), TypeError, "bytes"),
        (lambda root: root.ensure("l", to="releases/41", durability="sync"), ValueError, "`sync` is no"),
        (lambda root: root.ensure("l", to="releases/41", reason="a\nb"), ValueError, "control character"),
        (lambda root: root.ensure("l", to="releases/41", reason="a" * 1025), ValueError, "1024 bytes"),
        (lambda root: root.ensure("l", to="releases/41", reason="\udcff"), UnicodeEncodeError, ""),
        (lambda root: root.ensure("l", to="a\0b"), ValueError, "the target contains a NUL byte"),
        (lambda root: root.ensure("l", to=""), ValueError, "the target is empty"),
        (lambda root: root.scan(only=5), TypeError, "iterable"),
        (lambda root: root.scan(only="odd"), ValueError, "`odd` is no status"),
        (lambda root: root.scan(exclude=5), TypeError, "expected str, bytes or os.PathLike object, not int"),
        (lambda root: root.scan(max_depth=-1), OverflowError, "negative"),
        (lambda root: root.scan(jobs=2**70), OverflowError, ""),
        (lambda root: root.batch(None), TypeError, "iterable"),
        (lambda root: root.batch("ab"), TypeError, "edit 1: expected a mapping, not str"),
        (lambda root: root.batch([{5: "l"}]), TypeError, "edit 1: a key is a str, not int"),
        (lambda root: root.batch([{"verb": "ensure", "link": 5}]), TypeError, "edit 1: `link`: expected str"),
        (lambda root: root.batch([{"verb": "frob", "link": "l"}]), ValueError, "edit 1: `frob` is no verb"),
        (lambda root: root.batch([{"verb": "ensure", "lnk": "l"}]), ValueError, "edit 1: `ensure` has no key `lnk`"),
        (lambda root: root.repair(rebase="ab"), TypeError, ""),
        (lambda root: root.repair(rebase=[("a", "b", "c")]), ValueError, "length"),
        (lambda root: root.records().log(since=5), TypeError, "expected str or datetime.datetime, not int"),
        (lambda root: root.records().log(since="yesterday"), ValueError, "`yesterday` is no time"),
        (lambda root: root.manifests().load("x"), TypeError, "bytes"),
        (lambda root: root.manifests().load(b"x"), ValueError, "cannot read the plan"),
        (lambda root: root.releases().deploy("41", check_after="true"), ValueError, "a program is a list of words"),
        (lambda root: root.releases().deploy("41", check_after=[[]]), ValueError, "a program is a list of words"),
        (lambda root: root.releases().deploy("41", check_after=5), TypeError, "iterable"),
        (lambda root: root.releases("../x"), ValueError, "no name of an app"),
        (lambda root: caplink.Root("a\0b"), ValueError, "cannot open: the path contains a NUL byte"),
        (lambda root: caplink.Root(root.path, lock_timeout=float("nan")), ValueError, "no time to wait"),
        (lambda root: opened(path=root.path, lock_timeout="1"), TypeError, ""),
        (lambda root: opened(dir_fd="3"), TypeError, ""),
        (lambda root: caplink.Root(dir_fd=2**40), OverflowError, ""),
        (lambda root: caplink.LinkPath(), TypeError, "cannot create"),
        (lambda root: type("Own", (caplink.Root,), {}), TypeError, "not an acceptable base type"),
        (lambda root: root / 5, TypeError, "unsupported operand"),
        (lambda root: "x" / root, TypeError, "unsupported operand"),
        (lambda root: os.fspath(root), TypeError, "not Root"),
        (lambda root: pickle.dumps(root), TypeError, "cannot pickle"),
        (lambda root: copy.copy(root), TypeError, "cannot pickle"),
        (lambda root: copy.deepcopy(root / "l"), TypeError, "cannot pickle"),
    ],
)
def test_an_argument_that_makes_no_sense_says_so(
    root: caplink.Root, base: Path, call: Callable[[Any], object], cls: type[BaseException], message: str
) -> None:
    with pytest.raises(cls) as caught:
        call(root)
    assert message in str(caught.value) and type(caught.value).__name__ != "PanicException"
    assert sorted(os.listdir(base)) == ["releases"]


def test_a_batch_takes_any_mapping_and_nothing_is_done_before_all_are_read(root: caplink.Root, base: Path) -> None:
    edit = types.MappingProxyType({"verb": "ensure", "link": Led("a"), "to": b"releases/41"})
    assert root.batch([edit])[0].outcome == "created"

    def edits() -> Iterator[dict[str, str]]:
        yield {"verb": "ensure", "link": "b", "to": "releases/41"}
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        root.batch(edits())
    assert not os.path.lexists(base / "b")


def test_waits_and_threads_without_end_are_cut_to_what_there_is(base: Path) -> None:
    root = caplink.Root(base, lock_timeout=1e19)
    root.create("l", to="releases/41")
    assert root.ensure("l", to="releases/42").outcome == "replaced"
    assert len(list(root.scan(jobs=1_000_000))) == 1


def test_a_check_that_never_ends_calling_itself_is_a_failed_one(root: caplink.Root, base: Path) -> None:
    def check(context: object) -> object:
        return check(context)

    with pytest.raises(caplink.CheckFailedError) as caught:
        root.releases().deploy("41", check_after=check)
    assert isinstance(caught.value.__cause__, RecursionError) and not os.path.lexists(base / "current")


def test_a_check_that_deploys_the_same_app_finds_it_busy(base: Path) -> None:
    root = caplink.Root(base, lock_timeout=0.1)
    with pytest.raises(caplink.CheckFailedError) as caught:
        root.releases().deploy("41", check_after=lambda _: root.releases().deploy("42"))
    assert isinstance(caught.value.__cause__, caplink.BusyError) and not os.path.lexists(base / "current")
    assert root.releases().deploy("41", check_after=lambda _: root.ensure("other", to="releases/41")).release == "41"


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), SystemExit(3)])
def test_what_ends_a_program_goes_through_a_check_after_everything_is_taken_back(
    root: caplink.Root, base: Path, raised: BaseException
) -> None:
    def check(_: object) -> None:
        raise raised

    with pytest.raises(type(raised)) as caught:
        root.releases().deploy("41", check_after=check)
    assert caught.value is raised and not os.path.lexists(base / "current")


def test_threads_get_what_their_own_checks_raised(base: Path) -> None:
    for app in ("a", "b", "c", "d"):
        (base / f"{app}-releases" / "1").mkdir(parents=True)
    root = caplink.Root(base, lock_timeout=30.0)
    root.records().init()
    met, got = threading.Barrier(4, timeout=30.0), {}

    def deploy(app: str) -> None:
        def check(_: object) -> None:
            met.wait()
            raise SystemExit(app)

        try:
            root.releases(app, current=app, releases=f"{app}-releases").deploy("1", check_before=check)
        except SystemExit as error:
            got[app] = error.code

    threads = [threading.Thread(target=deploy, args=(app,)) for app in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == {app: app for app in "abcd"}


def test_an_audit_hook_may_use_the_root_and_one_that_never_ends_is_a_recursion(
    program: Callable[..., "subprocess.CompletedProcess[str]"], base: Path
) -> None:
    done = program(
        """
        import sys, caplink
        root = caplink.Root(sys.argv[1])
        def hook(event, args):
            if event == "caplink.create":
                root.ensure("other", to="releases/41")
            if event == "caplink.remove":
                root.remove("l")
        sys.addaudithook(hook)
        assert root.create("l", to="releases/41").outcome == "created" and root.readlink("other") == "releases/41"
        try:
            root.remove("l")
        except RecursionError:
            assert root.readlink("l") == "releases/41"
        else:
            sys.exit("it ended")
        """,
        str(base),
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("closed", ["0", "0, 1, 2"])
def test_a_process_without_its_standard_descriptors_works(
    program: Callable[..., "subprocess.CompletedProcess[str]"], base: Path, closed: str
) -> None:
    done = program(
        f"""
        import os, sys, caplink
        for number in ({closed},):
            os.close(number)
        code = 1
        try:
            root = caplink.Root(sys.argv[1])
            root.records().init()
            root.ensure("l", to="releases/41")
            if root.releases().deploy("41", check_after=[["true"]]).release == "41" and len(list(root.scan(jobs=2))) == 2:
                code = 0
        finally:
            os._exit(code)
        """,
        str(base),
    )
    assert done.returncode == 0, done.stderr


def test_a_descriptor_that_others_closed_is_the_error_of_the_system(
    program: Callable[..., "subprocess.CompletedProcess[str]"], base: Path
) -> None:
    done = program(
        """
        import errno, os, sys, caplink
        root = caplink.Root(sys.argv[1])
        os.closerange(3, 64)
        try:
            root.ensure("l", to="releases/41")
        except caplink.Error as error:
            assert (error.kind, error.errno) == ("io", errno.EBADF), (error.kind, error.errno)
        os._exit(0)
        """,
        str(base),
    )
    assert done.returncode == 0, done.stderr


def test_a_process_ends_while_its_threads_are_at_work(
    program: Callable[..., "subprocess.CompletedProcess[str]"], base: Path
) -> None:
    done = program(
        """
        import atexit, sys, threading, time, caplink
        root = caplink.Root(sys.argv[1])
        def work(name):
            while True:
                root.ensure(name, to="releases/41"); list(root.scan(jobs=2, exclude=lambda path: False))
        for number in range(4):
            threading.Thread(target=work, args=(f"d{number}",), daemon=True).start()
        time.sleep(0.2)
        atexit.register(lambda: print(root.ensure("last", to="releases/41").outcome))
        """,
        str(base),
    )
    assert (done.returncode, done.stdout) == (0, "created\n"), done.stderr


def test_a_root_can_be_watched_compared_and_used_as_a_key(root: caplink.Root, base: Path) -> None:
    again = caplink.Root(base)
    dead = weakref.ref(again)
    assert root == root and root != again and {root: 1}[root] == 1 and again.id == root.id
    path = again / "l"
    del again
    assert dead() is None and path == root / "l" and not path.exists()
    with pytest.raises(AttributeError):
        root.other = 1  # type: ignore[attr-defined]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="SKIPPED: no timers here")
def test_a_handler_may_use_the_root_and_the_scan_that_it_breaks_into(tmp_path: Path) -> None:
    for number in range(20_000):
        (tmp_path / f"{number}").touch()
    root = caplink.Root(tmp_path)
    scans: list[caplink.Scan] = [root.scan()]
    handled: list[int] = []

    def handle(*_: object) -> None:
        root.inspect("1")
        handled.append(scans[-1].summary.links)

    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.002)
    try:
        while len(handled) < 5:
            scans.append(root.scan(exclude=lambda path: False))
            assert list(scans[-1]) == []
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_the_module_says_that_it_needs_no_global_lock(
    program: Callable[..., "subprocess.CompletedProcess[str]"],
) -> None:
    if not hasattr(sys, "_is_gil_enabled"):
        pytest.skip("SKIPPED: this Python knows its global lock alone")
    done = program("import sys; before = sys._is_gil_enabled(); import caplink; assert sys._is_gil_enabled() == before")
    assert done.returncode == 0, done.stderr
