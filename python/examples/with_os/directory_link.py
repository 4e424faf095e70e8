"""Make a link to a directory, with `os`."""

import os
import sys


def main(base: str) -> None:
    target = os.path.join("releases", "41")
    is_directory = os.path.isdir(os.path.join(base, target))
    if not is_directory:
        raise NotADirectoryError(target)
    os.symlink(target, os.path.join(base, "current"), target_is_directory=is_directory)


if __name__ == "__main__":
    main(sys.argv[1])
