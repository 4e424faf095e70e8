"""Take a path from somebody else, and be sure that it stays below a directory, with `os`: until somebody changes the tree."""

import os
import sys


def under(base: str, path: str) -> str:
    root = os.path.realpath(base)
    real = os.path.realpath(os.path.join(root, path))
    if os.path.isabs(path) or os.path.commonpath([real, root]) != root:
        raise PermissionError(path)
    return os.path.relpath(real, root)


def main(base: str) -> list[str]:
    answers = []
    for path in ("current", "outside", "../secret", "/etc/passwd"):
        try:
            answers.append(under(base, path))
        except PermissionError:
            answers.append("refused")
    return answers


if __name__ == "__main__":
    print(main(sys.argv[1]))
