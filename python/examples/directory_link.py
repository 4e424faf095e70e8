"""Make a link to a directory. On Windows too: caplink looks what the target is."""

import sys

import caplink


def main(base: str) -> None:
    caplink.Root(base).create("current", to="releases/41")


if __name__ == "__main__":
    main(sys.argv[1])
