"""The scripts that people learn from, beside what they are with `os`: the same links, in fewer lines."""

from __future__ import annotations

import ast
import importlib.util
import io
import os
import subprocess
import sys
import tokenize
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.py"))


def load(path: Path) -> ModuleType:
    """The module at a path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tree(base: Path) -> Path:
    """The tree that an example is run in."""
    for release in ("41", "42"):
        (base / "releases" / release).mkdir(parents=True)
    (base / "app.log").touch()
    return base


def broken_links(base: Path) -> None:
    """Links that look, audit and repair have something to say about."""
    (base / "deep").mkdir()
    for name, text in [("current", "releases/41"), ("gone", "nothing"), ("outside", "/etc"), ("deep/lost", "../no")]:
        os.symlink(text, base / name)


def links(base: Path) -> dict[str, str]:
    """Every link of a tree, with its text; the tree's own path in it is `BASE`."""
    found = {}
    for directory, names, files in os.walk(base):
        for name in names + files:
            path = os.path.join(directory, name)
            if os.path.islink(path):
                found[os.path.relpath(path, base)] = os.readlink(path).replace(os.path.realpath(base), "BASE")
    return found


def lines_of_code(path: Path) -> int:
    """How many lines have code, without docstrings and comments."""
    source = path.read_text()
    module = ast.parse(source)
    documented = [node for node in ast.walk(module) if isinstance(node, (ast.Module, ast.FunctionDef))]
    skipped: set[int] = set()
    for node in documented:
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            skipped.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    nothing = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return len({token.start[0] for token in tokens if token.type not in nothing} - skipped)


def test_every_example_has_a_counterpart() -> None:
    assert len(NAMES) == 15
    assert NAMES == sorted(path.stem for path in (EXAMPLES / "with_os").glob("*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_an_example_does_what_it_does_with_os(tmp_path: Path, name: str) -> None:
    answers, trees = [], []
    for path in (EXAMPLES / f"{name}.py", EXAMPLES / "with_os" / f"{name}.py"):
        base = tree(tmp_path / path.parent.name)
        if name in ("inspect_link", "scan_tree", "relink_broken", "assert_under_base"):
            broken_links(base)
        answers.append(load(path).main(str(base)))
        trees.append(links(base))
    assert trees[0] == trees[1]
    if name == "audit":
        assert answers[0] == ["caplink.ensure ('current', 'releases/41')"]
    else:
        assert answers[0] == answers[1]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_shorter_than_with_os(name: str) -> None:
    ours, theirs = EXAMPLES / f"{name}.py", EXAMPLES / "with_os" / f"{name}.py"
    assert lines_of_code(ours) < lines_of_code(theirs), f"{lines_of_code(ours)} lines, with os {lines_of_code(theirs)}"


@pytest.mark.parametrize("name", NAMES)
def test_an_example_runs_as_a_script(tmp_path: Path, name: str) -> None:
    base = tree(tmp_path / "base")
    if name in ("inspect_link", "scan_tree", "relink_broken", "assert_under_base"):
        broken_links(base)
    subprocess.run([sys.executable, EXAMPLES / f"{name}.py", base], check=True, timeout=60)
