"""Make a link to a file, with `os`."""

import os
import sys


def main(base: str) -> None:
    target, link = os.path.join(base, "app.log"), os.path.join(base, "latest.log")
    if not os.path.exists(target):
        raise FileNotFoundError(target)
    os.symlink("app.log", link)
    if os.readlink(link) != "app.log":
        raise OSError(f"{link} was replaced")


if __name__ == "__main__":
    main(sys.argv[1])
