"""Switch a link in one step, if it still leads to what was seen, with `os`: others can switch it between look and rename."""

import fcntl
import os
import sys
import tempfile


def swap(base: str, name: str, text: str, expect: str) -> str:
    directory = os.open(base, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        if os.readlink(name, dir_fd=directory) != expect:
            return "lost"
        staged = os.path.basename(tempfile.mktemp())
        os.symlink(text, staged, dir_fd=directory)
        try:
            os.replace(staged, name, src_dir_fd=directory, dst_dir_fd=directory)
        except OSError:
            os.unlink(staged, dir_fd=directory)
            raise
        return "replaced"
    finally:
        os.close(directory)


def main(base: str) -> str:
    os.symlink("releases/41", os.path.join(base, "current"))
    swap(base, "current", "releases/42", "releases/41")
    return swap(base, "current", "releases/41", "releases/41")


if __name__ == "__main__":
    print(main(sys.argv[1]))
