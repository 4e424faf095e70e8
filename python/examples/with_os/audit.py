"""Watch changes of links, by an audit hook of Python, with `os`: a replacement is two events, and one of them is no link's."""

import os
import sys
import tempfile
from typing import Any

seen: list[str] = []


def hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "os.symlink":
        seen.append(f"{event} {arguments[1]} -> {arguments[0]}")
    if event == "os.rename" and os.path.islink(arguments[0]):
        seen.append(f"{event} {arguments[1]} <- {arguments[0]}")


def main(base: str) -> list[str]:
    sys.addaudithook(hook)
    staged = tempfile.mktemp(dir=base)
    os.symlink("releases/41", staged)
    os.replace(staged, os.path.join(base, "current"))
    return seen


if __name__ == "__main__":
    print(main(sys.argv[1]))
