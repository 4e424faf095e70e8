"""Deploy a release, check it, and be back at the one before it if the check fails, with `os`."""

import os
import sys
import tempfile
from typing import Optional


def is_healthy(release: str) -> bool:
    return release != "42"


def switch(base: str, release: Optional[str]) -> None:
    link = os.path.join(base, "current")
    if release is None:
        os.unlink(link)
        return
    staged = tempfile.mktemp(dir=base)
    os.symlink(os.path.join("releases", release), staged)
    os.replace(staged, link)


def deploy(base: str, release: str) -> str:
    link = os.path.join(base, "current")
    if not os.path.isdir(os.path.join(base, "releases", release)):
        raise FileNotFoundError(release)
    before = os.path.basename(os.readlink(link)) if os.path.islink(link) else None
    switch(base, release)
    try:
        if is_healthy(release):
            return release
    except BaseException:
        switch(base, before)
        raise
    switch(base, before)
    return f"{before} again"


def main(base: str) -> str:
    deploy(base, "41")
    return deploy(base, "42")


if __name__ == "__main__":
    print(main(sys.argv[1]))
