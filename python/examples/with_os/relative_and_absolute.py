"""Relative texts, computed for where the link is, and absolute ones, with `os`."""

import os
import sys


def main(base: str) -> None:
    links = os.path.join(os.path.realpath(base), "links")
    target = os.path.join(os.path.realpath(base), "releases", "41")
    os.makedirs(links, exist_ok=True)
    os.symlink(os.path.relpath(target, links), os.path.join(links, "relative"))
    os.symlink(target, os.path.join(links, "absolute"))


if __name__ == "__main__":
    main(sys.argv[1])
