"""Verifies the log of caplink's records against checkpoints that were kept elsewhere.

    caplink log --raw | python3 verify_log.py CHECKPOINT...

It shares no code with caplink: the tree is that of RFC 6962, a checkpoint that of C2SP tlog-checkpoint.
"""

import base64
import hashlib
import json
import sys


def leaf(line):
    return hashlib.sha256(b"\0" + line).digest()


def root(subtrees):
    """The root hash over complete subtrees, largest first."""
    if not subtrees:
        return hashlib.sha256().digest()
    top = subtrees[-1][1]
    for _, left in reversed(subtrees[:-1]):
        top = hashlib.sha256(b"\1" + left + top).digest()
    return top


def main(paths):
    expected = {}
    for path in paths:
        with open(path, "rb") as checkpoint:
            origin, size, top = checkpoint.read().decode().split("\n")[:3]
        expected.setdefault(int(size), []).append((path, origin, base64.b64decode(top)))
    subtrees, size, last, records = [], 0, hashlib.sha256().digest(), None

    def compare():
        for path, origin, top in expected.pop(size, []):
            if origin != f"caplink/{records}" or top != root(subtrees):
                sys.exit(f"{path}: the log did not go through this checkpoint")
            print(f"{path}: vouches for {size} entries")

    for line in sys.stdin.buffer.read().split(b"\n")[:-1]:
        if not line.endswith(b"\x18"):  # a line that a crash cut short is ended by this byte
            entry = json.loads(line)
            records = records or entry["id"]
            if entry["seq"] != size or base64.b64decode(entry["prev"]) != last:
                sys.exit(f"entry {size} does not follow the one before it")
        compare()
        last = leaf(line)
        subtrees.append((1, last))
        while len(subtrees) > 1 and subtrees[-2][0] == subtrees[-1][0]:
            (count, left), (_, right) = subtrees[-2:]
            subtrees[-2:] = [(2 * count, hashlib.sha256(b"\1" + left + right).digest())]
        size += 1
    compare()
    sys.exit(f"the log has {size} entries, and a checkpoint more") if expected else print(f"{size} entries fit")


main(sys.argv[1:])
