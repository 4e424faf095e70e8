"""A name that is taken: a link that says the same is fine, anything else is told."""

import sys

import caplink


def main(base: str) -> str:
    try:
        return caplink.Root(base).ensure("current", to="releases/41", no_replace=True).outcome
    except FileExistsError as error:
        return str(error)


if __name__ == "__main__":
    print(main(sys.argv[1]))
