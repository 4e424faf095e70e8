"""Every link of a tree that is broken or leads outside, with `os`."""

import os
import sys


def main(base: str) -> list[tuple[str, str]]:
    root, found = os.path.realpath(base), []
    for directory, names, files in os.walk(root):
        for name in names + files:
            link = os.path.join(directory, name)
            if not os.path.islink(link):
                continue
            if os.path.commonpath([os.path.realpath(link), root]) != root:
                found.append((os.path.relpath(link, root), "escape"))
            elif not os.path.exists(link):
                found.append((os.path.relpath(link, root), "dangling"))
    return sorted(found)


if __name__ == "__main__":
    print(main(sys.argv[1]))
