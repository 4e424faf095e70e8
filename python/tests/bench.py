"""Measures caplink against what `os` and `pathlib` do, side by side in one run: `python tests/bench.py [DIRECTORY]`.

Both sides of a row take turns, round by round; shown are the medians, and the median of the rounds' ratios, which a loaded machine
spoils least. A create is also compared with what it promises, asked of `os`. The big trees are made below the directory, `/tmp`
unless another is given; 70,000 entries, and 1,000,000 with `--million`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import caplink

ROUNDS = 15
CALLS = 1000
LINKS_IN = 10

Call = Callable[[int], object]


def row(what: str, ours: list[float], theirs: list[float], unit: str = "µs") -> None:
    """Prints one comparison of rounds that took turns."""
    ratio = statistics.median(a / b for a, b in zip(ours, theirs))
    our, their = statistics.median(ours), statistics.median(theirs)
    print(f"{what:<44} {our:>9.2f} {unit}  {their:>9.2f} {unit}  {ratio:>6.2f}x  {1 / ratio:>6.1f}x faster", flush=True)


def compare(what: str, ours: Call, theirs: Call, reset: Callable[[], object] = lambda: None) -> None:
    """Compares two calls, in microseconds."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for call, taken in zip((ours, theirs), times):
            begun = time.perf_counter()
            for number in range(CALLS):
                call(number)
            taken.append((time.perf_counter() - begun) / CALLS * 1e6)
            reset()
    row(what, *times)


def links(base: str) -> None:
    """One link at a time."""
    os.mkdir(os.path.join(base, "v1"))
    os.mkdir(os.path.join(base, "v2"))
    fd = os.open(base, os.O_RDONLY | os.O_DIRECTORY)
    root = caplink.Root(base)
    unverified = caplink.Root(base, policy=caplink.Policy(unverified=True))
    current, path = root / "l", os.path.join(base, "l")
    os.symlink("v1", path)

    def clear() -> None:
        for name in os.listdir(base):
            if name.startswith("n"):
                os.unlink(os.path.join(base, name))

    def plain_create(number: int) -> None:
        os.symlink("v1", f"n{number}", dir_fd=fd)

    def checked_create(number: int) -> None:
        """What `create` promises, with `os`: the target is there and inside, and the link was read back."""
        os.stat("v1", dir_fd=fd, follow_symlinks=False)
        os.symlink("v1", f"n{number}", dir_fd=fd)
        os.stat(f"n{number}", dir_fd=fd, follow_symlinks=False)
        assert os.readlink(f"n{number}", dir_fd=fd) == "v1"

    def replace_with_os(number: int) -> None:
        staged = f".l-{number}"
        os.symlink(f"v{1 + number % 2}", staged, dir_fd=fd)
        os.replace(staged, "r", src_dir_fd=fd, dst_dir_fd=fd)

    def read(_: int) -> str:
        return os.readlink("l", dir_fd=fd)

    def inspect_with_os(_: int) -> object:
        return os.path.islink(path) and (os.readlink(path), os.path.realpath(path), os.path.exists(path))

    print(f"{'':<44} {'caplink':>12}  {'os':>12}")
    compare("create / os.symlink(dir_fd)", lambda n: root.create(f"n{n}", to="v1"), plain_create, clear)
    compare("create / the same promises with os", lambda n: root.create(f"n{n}", to="v1"), checked_create, clear)
    compare(
        "create, unverified / os.symlink(dir_fd)", lambda n: unverified.create(f"n{n}", to="v1"), plain_create, clear
    )
    compare("ensure, unchanged / os.readlink(dir_fd)", lambda n: root.ensure("l", to="v1"), read)
    compare("readlink / os.readlink(dir_fd)", lambda n: root.readlink("l"), read)
    compare("readlink / Path.readlink", lambda n: current.readlink(), lambda n: Path(base, "l").readlink())
    compare("ensure, replaced / symlink + replace", lambda n: root.ensure("r", to=f"v{1 + n % 2}"), replace_with_os)
    compare("inspect / islink, readlink, realpath, exists", lambda n: root.inspect("l"), inspect_with_os)
    os.close(fd)


def make_tree(base: str, entries: int) -> None:
    """So many entries: directories of 100, one link in ten, one link in a hundred broken."""
    for number in range(entries // 100):
        directory = os.path.join(base, f"d{number // 100}", f"d{number % 100}")
        os.makedirs(directory)
        fd = os.open(directory, os.O_RDONLY)
        for entry in range(99):
            if entry % LINKS_IN:
                os.close(os.open(f"f{entry}", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
            else:
                os.symlink("nothing" if entry == 90 and number % 10 == 0 else "f1", f"l{entry}", dir_fd=fd)
        os.close(fd)


def walk(base: str) -> int:
    """The usual scanner: `os.walk`, and `realpath` of every link."""
    broken, root = 0, os.path.realpath(base)
    for directory, names, files in os.walk(root):
        for name in names + files:
            path = os.path.join(directory, name)
            if os.path.islink(path):
                real = os.path.realpath(path)
                broken += os.path.commonpath([real, root]) != root or not os.path.exists(real)
    return broken


def rglob(base: str) -> int:
    """The usual scanner of pathlib."""
    broken, root = 0, Path(base).resolve()
    for path in root.rglob("*"):
        if path.is_symlink():
            real = path.resolve()
            broken += root not in real.parents or not real.exists()
    return broken


def scan(base: str, jobs: int) -> int:
    """The same with caplink."""
    return sum(1 for _ in caplink.Root(base).scan(only="broken", jobs=jobs))


def scans(base: str, entries: int) -> None:
    """A whole tree."""
    make_tree(base, entries)
    ways: dict[str, Callable[[], int]] = {
        "scan": lambda: scan(base, 1),
        "scan, jobs=0": lambda: scan(base, 0),
        "os.walk + realpath": lambda: walk(base),
        "Path.rglob": lambda: rglob(base),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    answers = set()
    for _ in range(5 if entries < 500_000 else 1):
        for name, way in ways.items():
            begun = time.perf_counter()
            answers.add(way())
            times[name].append(time.perf_counter() - begun)
    assert len(answers) == 1, answers
    for ours in ("scan", "scan, jobs=0"):
        for theirs in ("os.walk + realpath", "Path.rglob"):
            row(f"{ours} / {theirs}, {entries:,}", times[ours], times[theirs], " s")


def main() -> None:
    """Measures everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", nargs="?", default=tempfile.gettempdir())
    parser.add_argument("--million", action="store_true", help="a tree of a million entries as well")
    arguments = parser.parse_args()
    for part in ("links", 70_000, 1_000_000 if arguments.million else None):
        base = tempfile.mkdtemp(dir=arguments.directory)
        try:
            if part == "links":
                links(base)
            elif isinstance(part, int):
                scans(base, part)
        finally:
            shutil.rmtree(base)


if __name__ == "__main__":
    main()
