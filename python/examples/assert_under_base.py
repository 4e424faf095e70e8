"""Take a path from somebody else, and be sure that it stays below a directory."""

import sys

import caplink


def main(base: str) -> list[str]:
    root, answers = caplink.Root(base), []
    for path in ("current", "outside", "../secret", "/etc/passwd"):
        try:
            answers.append(root.resolve(path).path)
        except PermissionError:
            answers.append("refused")
    return answers


if __name__ == "__main__":
    print(main(sys.argv[1]))
