"""The trees that tests play in."""

from __future__ import annotations

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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says aloud what was left out, and why."""
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = reason.replace("Skipped: ", "").replace("SKIPPED: ", "")
        terminalreporter.write_line(f"SKIPPED: python: {report.nodeid}: {reason.strip()}")
