"""What is a link, where does it lead, is it broken? With `os`."""

import os
import sys
from typing import Optional


def look(base: str, name: str) -> tuple[str, Optional[str]]:
    path = os.path.join(base, name)
    if not os.path.lexists(path):
        return "missing", None
    if not os.path.islink(path):
        return ("dir" if os.path.isdir(path) else "file"), None
    real, root = os.path.realpath(path), os.path.realpath(base)
    if os.path.commonpath([real, root]) != root:
        return "escape", os.readlink(path)
    return ("ok" if os.path.exists(path) else "dangling"), os.readlink(path)


def main(base: str) -> list[tuple[str, Optional[str]]]:
    return [look(base, name) for name in ("current", "gone", "app.log", "missing")]


if __name__ == "__main__":
    print(main(sys.argv[1]))
