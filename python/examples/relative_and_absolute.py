"""Relative texts, computed for where the link is, and absolute ones."""

import sys

import caplink


def main(base: str) -> None:
    root = caplink.Root(base)
    root.create("links/relative", to="releases/41", parents=True)
    root.create("links/absolute", to="releases/41", style="absolute")


if __name__ == "__main__":
    main(sys.argv[1])
