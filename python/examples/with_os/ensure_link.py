"""Make it so, whatever link is there, with `os`."""

import os
import sys
import tempfile


def ensure(link: str, text: str) -> str:
    existed = os.path.lexists(link)
    if os.path.islink(link) and os.readlink(link) == text:
        return "unchanged"
    if existed and not os.path.islink(link):
        os.rename(link, tempfile.mktemp(prefix=f"{link}."))
        existed = False
    staged = tempfile.mktemp(dir=os.path.dirname(link))
    os.symlink(text, staged)
    os.replace(staged, link)
    return "replaced" if existed else "created"


def main(base: str) -> list[str]:
    link = os.path.join(base, "current")
    return [ensure(link, text) for text in ["releases/41", "releases/41", "releases/42"]]


if __name__ == "__main__":
    print(main(sys.argv[1]))
