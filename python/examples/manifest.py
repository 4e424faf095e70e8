"""The links that a tree is to have, from a table: all of them or none."""

import sys

import caplink

LINKS = {"current": "releases/41", "next": "releases/42", "log": "app.log"}


def main(base: str) -> list[str]:
    root = caplink.Root(base)
    root.records().init()
    edits = [{"verb": "ensure", "link": link, "to": target} for link, target in LINKS.items()]
    return [outcome.outcome for outcome in root.batch(edits, all_or_nothing=True)]


if __name__ == "__main__":
    print(main(sys.argv[1]))
