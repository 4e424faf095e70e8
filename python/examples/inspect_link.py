"""What is a link, where does it lead, is it broken?"""

import sys
from typing import Optional

import caplink


def main(base: str) -> list[tuple[str, Optional[str]]]:
    root = caplink.Root(base)
    found = [root.inspect(name) for name in ("current", "gone", "app.log", "missing")]
    return [(entry.status or entry.kind, entry.target) for entry in found]


if __name__ == "__main__":
    print(main(sys.argv[1]))
