"""The trees that tests play in."""

from __future__ import annotations

import os
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


def links(base: Path) -> dict[str, str]:
    """Every link directly in a directory, with its text."""
    return {entry.name: os.readlink(entry) for entry in os.scandir(base) if entry.is_symlink()}
