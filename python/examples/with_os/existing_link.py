"""A name that is taken: a link that says the same is fine, anything else is told, with `os`."""

import os
import sys


def main(base: str) -> str:
    link = os.path.join(base, "current")
    try:
        os.symlink("releases/41", link)
        return "created"
    except FileExistsError as error:
        if os.path.islink(link) and os.readlink(link) == "releases/41":
            return "unchanged"
        return str(error)


if __name__ == "__main__":
    print(main(sys.argv[1]))
