"""Make a link to a file."""

import sys

import caplink


def main(base: str) -> None:
    caplink.Root(base).create("latest.log", to="app.log")


if __name__ == "__main__":
    main(sys.argv[1])
