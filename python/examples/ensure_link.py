"""Make it so, whatever link is there: once more is no change, and a file is never replaced unless it is kept."""

import sys

import caplink


def main(base: str) -> list[str]:
    root = caplink.Root(base)
    texts = ["releases/41", "releases/41", "releases/42"]
    return [root.ensure("current", to=text, backup=True).outcome for text in texts]


if __name__ == "__main__":
    print(main(sys.argv[1]))
