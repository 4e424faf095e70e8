"""Work below an open directory, wherever it is moved. Nothing leads out of it, neither `..` nor a link on the way."""

import os
import sys

import caplink


def main(base: str) -> str:
    directory = os.open(base, os.O_RDONLY | os.O_DIRECTORY)
    root = caplink.Root(dir_fd=directory)
    os.close(directory)
    root.ensure("current", to="releases/41")
    return root.readlink("current")


if __name__ == "__main__":
    print(main(sys.argv[1]))
