"""The trees that tests play in."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

import caplink


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A directory with two releases in it."""
    for release in ("41", "42"):
        (tmp_path / "app" / "releases" / release).mkdir(parents=True)
    return tmp_path / "app"


@pytest.fixture
def root(base: Path) -> caplink.Root:
    """The root at that directory."""
    return caplink.Root(base)


Program = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def program() -> Program:
    """Runs a program of Python on its own, with arguments."""

    def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", textwrap.dedent(code), *arguments]
        # Elsewhere than here, where the sources would be found before the package that is installed.
        return subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, cwd=tempfile.gettempdir()
        )

    return run


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says aloud what was left out, and why."""
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = reason.replace("Skipped: ", "").replace("SKIPPED: ", "")
        terminalreporter.write_line(f"SKIPPED: python: {report.nodeid}: {reason.strip()}")
