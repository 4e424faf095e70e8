"""Measures caplink against what `os` and `pathlib` do, side by side in one run: `python tests/bench.py [DIRECTORY]`.

Each number is the best of several rounds, which take turns. Two floors are measured with them, since no call can be below:
one system call of the same kind, and the same through `os`. The big trees are made below the directory, `/tmp` unless
another is given; 70,000 entries, and 1,000,000 with `--million`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import caplink

ROUNDS = 7
CALLS = 2000
LINKS_IN = 10


def best(call: Callable[[int], object], reset: Callable[[], object] = lambda: None) -> float:
    """The time of one call in microseconds, the best of the rounds."""
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for number in range(CALLS):
            call(number)
        times.append((time.perf_counter() - begun) / CALLS)
        reset()
    return min(times) * 1e6


def row(what: str, ours: float, theirs: float, unit: str = "µs") -> None:
    """Prints one comparison."""
    print(
        f"{what:<44} {ours:>10.2f} {unit}  {theirs:>10.2f} {unit}  {ours / theirs:>6.2f}x  {theirs / ours:>6.1f}x faster"
    )


def links(base: str) -> None:
    """One link at a time."""
    os.mkdir(os.path.join(base, "v1"))
    os.mkdir(os.path.join(base, "v2"))
    fd = os.open(base, os.O_RDONLY | os.O_DIRECTORY)
    root = caplink.Root(base)
    current = root / "l"
    os.symlink("v1", os.path.join(base, "l"))

    def clear() -> None:
        for name in os.listdir(base):
            if name.startswith("n"):
                os.unlink(os.path.join(base, name))

    def replace_with_os(number: int) -> None:
        staged = f".l-{number}"
        os.symlink(f"v{1 + number % 2}", staged, dir_fd=fd)
        os.replace(staged, "r", src_dir_fd=fd, dst_dir_fd=fd)

    def checked_create(number: int) -> None:
        """What `create` promises, with `os`: the target is there and inside, and the link was read back."""
        os.stat("v1", dir_fd=fd, follow_symlinks=False)
        os.symlink("v1", f"n{number}", dir_fd=fd)
        assert os.readlink(f"n{number}", dir_fd=fd) == "v1"

    def inspect_with_os(_: int) -> object:
        path = os.path.join(base, "l")
        return os.path.islink(path) and (os.readlink(path), os.path.realpath(path), os.path.exists(path))

    unverified = caplink.Root(base, policy=caplink.Policy(unverified=True))
    print(f"{'':<44} {'caplink':>13}  {'os':>13}")
    plain = best(lambda n: os.symlink("v1", f"n{n}", dir_fd=fd), clear)
    ours = best(lambda n: root.create(f"n{n}", to="v1"), clear)
    row("create / os.symlink(dir_fd)", ours, plain)
    row("create / the same promises with os", ours, best(checked_create, clear))
    row("create, unverified / os.symlink(dir_fd)", best(lambda n: unverified.create(f"n{n}", to="v1"), clear), plain)
    read = best(lambda n: os.readlink("l", dir_fd=fd))
    row("ensure, unchanged / os.readlink(dir_fd)", best(lambda n: root.ensure("l", to="v1")), read)
    row("readlink / os.readlink(dir_fd)", best(lambda n: root.readlink("l")), read)
    row("readlink / Path.readlink", best(lambda n: current.readlink()), best(lambda n: Path(base, "l").readlink()))
    ours = best(lambda n: root.ensure("r", to=f"v{1 + n % 2}"))
    row("ensure, replaced / os.symlink + os.replace", ours, best(replace_with_os))
    row("inspect / islink, readlink, realpath, exists", best(lambda n: root.inspect("l")), best(inspect_with_os))
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
    times: dict[str, float] = {}
    ways: dict[str, Callable[[], int]] = {
        "scan": lambda: scan(base, 1),
        "scan, jobs=0": lambda: scan(base, 0),
        "os.walk + realpath": lambda: walk(base),
        "Path.rglob": lambda: rglob(base),
    }
    answers = set()
    for _ in range(3 if entries < 500_000 else 1):
        for name, way in ways.items():
            begun = time.perf_counter()
            answers.add(way())
            times[name] = min(times.get(name, 1e9), time.perf_counter() - begun)
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
