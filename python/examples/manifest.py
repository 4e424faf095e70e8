"""The links that a tree is to have, declared: all of them or none."""

import sys

import caplink

LINKS = """
version = 1
name = "app"
[links]
current = "releases/41"
next = "releases/42"
log = "app.log"
"""


def main(base: str) -> list[str]:
    applied = caplink.Root(base).apply(LINKS)
    return [result.outcome for result in applied.results if isinstance(result, caplink.Outcome)]


if __name__ == "__main__":
    print(main(sys.argv[1]))
