"""Switch a link in one step, if it still leads to what was seen: of two that switch, one learns that it lost."""

import sys

import caplink


def main(base: str) -> str:
    root = caplink.Root(base)
    root.ensure("current", to="releases/41")
    root.swap("current", to="releases/42", expect="releases/41")
    try:
        return root.swap("current", to="releases/41", expect="releases/41").outcome
    except caplink.MismatchError:
        return "lost"


if __name__ == "__main__":
    print(main(sys.argv[1]))
