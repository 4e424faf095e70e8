"""Work below an open directory, with `os`: every directory on the way is opened by itself, so that no link leads out."""

import os
import sys


def main(base: str) -> str:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    opened = [os.open(base, os.O_RDONLY | os.O_DIRECTORY)]
    try:
        for part in ("releases", "41"):
            opened.append(os.open(part, flags, dir_fd=opened[-1]))
        os.symlink("releases/41", "current", dir_fd=opened[0])
        return os.readlink("current", dir_fd=opened[0])
    finally:
        for directory in opened:
            os.close(directory)


if __name__ == "__main__":
    print(main(sys.argv[1]))
