"""The way out of each kind of error, in the words of this package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, Optional, Tuple

if TYPE_CHECKING:
    from caplink._errors import Error

_OF_OPERATION: Dict[Tuple[str, str], str] = {
    ("ensure", "not_a_link"): "`backup=True` renames it and keeps it",
    ("remove", "not_found"): "`missing_ok=True` takes an absent link as removed",
    ("swap", "not_found"): "`create` makes a link where none is",
    ("exchange", "not_found"): "`create` makes a link where none is",
    ("exchange", "escape"): "`allow_outside=True` exchanges them all the same",
    ("record", "policy"): "`reason=` says why, for the records",
    ("repair", "dangling"): "no repair makes a link lead to nothing; `swap` with `allow_dangling=True` does",
    ("repair", "escape"): "no repair makes a link lead outside; `swap` with `allow_outside=True` does",
    ("inspect", "invalid_path"): "paths are relative to the root, without `..`",
    ("resolve", "invalid_path"): "paths are relative to the root, without `..`",
    (
        "use manifests",
        "unsupported",
    ): "`caplink.Root(path)` opens the directory as a root of its own, with records of its own",
    ("adopt", "unsupported"): "`caplink.Root(path)` opens the directory as a root of its own, with records of its own",
    ("undo", "not_found"): "the mutations of `log()` say which `group` they belong to",
    ("add", "not_found"): "a release is a directory; make it before it is entered",
    ("scan", "not_found"): "a directory below the root is scanned; `scan()` scans the root itself",
}

_REMEDIES: Dict[str, str] = {
    'on_conflict = "backup"': '`on_conflict = "backup"` in the entry, or `backup=True`, renames it beside',
    "[[absent]]": "an `[[absent]]` for the parent that is a link has it removed first",
    "one manifest": "declare the link in one of the manifests only",
}

_MAKE_DIRECTORIES = "`parents=True` makes missing directories"

_OF_KIND: Dict[str, str] = {
    "usage": "`help(caplink.Root)` shows the methods and their keywords",
    "invalid_path": "paths are relative to the root, without `..`, and name a link without a trailing `/`",
    "invalid_target": 'the target is a path below the root; `style="verbatim"` stores a text byte for byte',
    "too_long": "a name has at most 255 bytes, a text at most 4095",
    "invalid_manifest": "correct the line that the message names",
    "invalid_plan": "make the plan anew with `plan()`",
    "exists": "`ensure` replaces a link",
    "not_a_link": "`inspect` shows what is there",
    "mismatch": "somebody switched it; `found.target` is what it leads to now",
    "contended": "another program writes here; try again",
    "stale_plan": "look at what changed and make the plan anew with `plan()`",
    "escape": "name a path below the root; another root is another `caplink.Root`",
    "symlink_in_path": "`Root(follow=True)` goes through links that stay inside the root",
    "magic_link": "links of /proc that name kernel objects are never followed",
    "cross_mount": "`Root(cross_mounts=True)` lets paths cross a mount point",
    "mount_policy": "the file system is mounted with `nosymfollow`; nothing can be followed there",
    "policy": "`root.policy` says what this root allows",
    "dangling": "`allow_dangling=True` makes the link all the same",
    "parent_moved": "nothing was changed; try again when the directory is back in its place",
    "unsafe_state": "make the state directory private with `chmod 700`, or choose another with `Root(state=)`",
    "unsafe_manifest": "take the right to write it from others with `chmod go-w`",
    "replaced_release": "give the release another name, or bring the directory back that was entered",
    "bad_release": "`even_bad=True` switches to it all the same; `mark(name, good=True)` clears it",
    "not_a_directory": "a release is a real directory, no link",
    "not_found": "`resolve(path, explain=True)` shows which part is missing",
    "loop": "`resolve(path, explain=True)` shows the circle",
    "no_records": "`root.records().init()` makes them",
    "unknown_release": "`list()` shows the releases that are entered; `add` enters one",
    "root_gone": "open a directory that is there",
    "busy": "another holder of the lock is at work; try again, or wait longer with `Root(lock_timeout=)`",
    "partial": "`root.records().recover()` or the same call again finishes it",
    "check_failed": "everything is as it was before; repair the release and switch again",
    "integrity": "`root.records().verify()` shows what fits; `rebind()` after a move, `renew()` after damage",
    "permission": "run it as a user who may read and write the directory",
    "read_only": "the file system has to be mounted for writing",
    "no_space": "free space or raise the quota",
    "fd_exhausted": "raise the limit of open files (`ulimit -n`)",
    "unsupported": "`root.abilities` shows what this host can give",
    "residue": "`repair(remove_leftovers=True)` removes what is proven to be caplink's own",
    "corrupt": "`ensure` stores a new text",
}


def of(error: Error) -> Optional[str]:
    """The hint for an error, if there is one."""
    if error.remedy is not None:
        return _REMEDIES.get(error.remedy, f"`{error.remedy}` in the entry lets it be carried out")
    if error.problems and error.problems[0].expected is not None:
        return f"expected {error.problems[0].expected}"
    kind, operation = error.kind, error.operation
    if kind == "exists" and (error.found is None or error.found.kind != "symlink"):
        return "`inspect` shows what is there"
    if kind == "not_found" and operation in ("create", "ensure", "adopt") and error.component is not None:
        return _MAKE_DIRECTORIES
    if kind == "escape" and operation in ("create", "ensure", "swap") and _is_about_target(error):
        return '`allow_outside=True` with `style="verbatim"` stores a text that leads outside'
    return _OF_OPERATION.get((operation, kind)) or _OF_KIND.get(kind)


def _is_about_target(error: Error) -> bool:
    """Whether the component at fault is none of the link's own path."""
    if error.link is None or error.component is None or error.index is None:
        return False
    parts = [part for part in error.link.split("/") if part not in ("", ".")]
    if error.link.startswith("/"):
        parts.insert(0, "/")
    return error.index >= len(parts) or parts[error.index] != error.component
