"""Watch and forbid changes of links, by an audit hook of Python."""

import sys
from typing import Any

import caplink

seen: list[str] = []


def hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith("caplink."):
        seen.append(f"{event} {arguments[1:]}")


def main(base: str) -> list[str]:
    sys.addaudithook(hook)
    caplink.Root(base).ensure("current", to="releases/41")
    return seen


if __name__ == "__main__":
    print(main(sys.argv[1]))
