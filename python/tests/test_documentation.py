"""The documentation: examples run, help reads well, stubs say what is there."""

from __future__ import annotations

import doctest
import pydoc
import re
import subprocess
import sys
from pathlib import Path

import pytest

import caplink

PACKAGE = Path(__file__).resolve().parent.parent


def test_the_examples_in_docstrings_run() -> None:
    results = doctest.testmod(caplink)
    assert results.attempted > 50 and results.failed == 0


def test_the_examples_of_the_readme_run(tmp_path: Path) -> None:
    readme = (PACKAGE / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(f"import os\nos.chdir({str(tmp_path)!r})\n" + block, "README.md", "exec"), {})


def test_everything_public_has_a_docstring() -> None:
    for name in caplink.__all__:
        value = getattr(caplink, name)
        if name == "__version__":
            continue
        assert value.__doc__ and value.__module__ == "caplink", name
        if not isinstance(value, type) or issubclass(value, (tuple, BaseException)):
            continue
        for attribute, member in vars(value).items():
            if not attribute.startswith("_") and (callable(member) or hasattr(member, "__get__")):
                assert getattr(member, "__doc__", None), f"{name}.{attribute}"


def test_help_shows_signatures_with_keywords() -> None:
    text = pydoc.plain(pydoc.render_doc(caplink.Root))
    # Some versions put each parameter on a line of its own.
    joined = re.sub(r"\s*\n \|\s*", " ", text).replace("( ", "(")
    assert "ensure(self, /, link, *, to, style=None" in joined
    assert "Makes the name a link to the target" in text
    assert "class Root(builtins.object)" in text


def test_the_stubs_say_what_is_there(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy.stubtest", "caplink._caplink", "--ignore-missing-stub"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
