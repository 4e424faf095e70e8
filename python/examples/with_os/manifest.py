"""The links that a tree is to have, from a table, with `os`: after a crash some of them."""

import os
import sys
import tempfile

LINKS = {"current": "releases/41", "next": "releases/42", "log": "app.log"}


def put(base: str, link: str, text: str) -> None:
    staged = tempfile.mktemp(dir=base)
    os.symlink(text, staged)
    os.replace(staged, os.path.join(base, link))


def main(base: str) -> list[str]:
    outcomes, before = [], {}
    try:
        for link, target in LINKS.items():
            path = os.path.join(base, link)
            if not os.path.exists(os.path.join(base, target)):
                raise FileNotFoundError(target)
            present = os.readlink(path) if os.path.islink(path) else None
            if present != target:
                before[link] = present
                put(base, link, target)
            outcomes.append({target: "unchanged", None: "created"}.get(present, "replaced"))
    except BaseException:
        for link, text in before.items():
            if text is None:
                os.unlink(os.path.join(base, link))
            else:
                put(base, link, text)
        raise
    return outcomes


if __name__ == "__main__":
    print(main(sys.argv[1]))
