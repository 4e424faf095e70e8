"""Deploy a release, check it, and be back at the one before it if the check fails."""

import sys

import caplink


def is_healthy(check: caplink.CheckContext) -> bool:
    return check.release != "42"


def main(base: str) -> str:
    releases = caplink.Root(base).releases()
    releases.deploy("41", check_after=is_healthy)
    try:
        return releases.deploy("42", check_after=is_healthy).release
    except caplink.CheckFailedError:
        return f"{releases.status().release} again"


if __name__ == "__main__":
    print(main(sys.argv[1]))
