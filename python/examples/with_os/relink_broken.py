"""Let broken links lead to something that is there, with `os`."""

import os
import sys
import tempfile


def main(base: str) -> int:
    relinked = 0
    for directory, names, files in os.walk(base):
        for name in names + files:
            link = os.path.join(directory, name)
            if os.path.islink(link) and not os.path.exists(link):
                text = os.path.relpath(os.path.join(base, "releases", "41"), directory)
                staged = tempfile.mktemp(dir=directory)
                os.symlink(text, staged)
                os.replace(staged, link)
                relinked += 1
    return relinked


if __name__ == "__main__":
    print(main(sys.argv[1]))
