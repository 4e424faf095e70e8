"""One program for Linux, macOS and Windows, with `os`."""

import os
import sys


def main(base: str) -> str:
    target, link = os.path.join("releases", "41"), os.path.join(base, "current")
    is_directory = os.path.isdir(os.path.join(base, target))
    try:
        os.symlink(target, link, target_is_directory=is_directory)
        return "created"
    except OSError as error:
        if os.name == "nt" and getattr(error, "winerror", None) == 1314:
            return "turn on Developer Mode, or run it as administrator"
        return f"{error}"


if __name__ == "__main__":
    print(main(sys.argv[1]))
