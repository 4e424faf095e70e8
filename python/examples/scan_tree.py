"""Every link of a tree that is broken or leads outside."""

import sys

import caplink


def main(base: str) -> list[tuple[str, str]]:
    return [(found.link, found.status) for found in caplink.Root(base).scan(only="broken")]


if __name__ == "__main__":
    print(main(sys.argv[1]))
