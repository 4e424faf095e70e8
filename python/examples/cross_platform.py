"""One program for Linux, macOS and Windows: what is missing there is an error that says so."""

import sys

import caplink


def main(base: str) -> str:
    try:
        return caplink.Root(base).ensure("current", to="releases/41").outcome
    except PermissionError as error:
        return f"{error}"


if __name__ == "__main__":
    print(main(sys.argv[1]))
