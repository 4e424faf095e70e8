"""The exceptions: what failed, on which link, at which component, and the way out.

Every one is an ``Error``, which is an ``OSError``. Those that the standard library has a class for are of that class as well, so
that ``except FileExistsError`` goes on to work.
"""

from __future__ import annotations

import errno
import os
from typing import Any, Dict, NamedTuple, Optional, Tuple, Type

from caplink import _hints

__all__ = [
    "BusyError",
    "CheckFailedError",
    "DeniedError",
    "Error",
    "ExistsError",
    "Found",
    "Holder",
    "IntegrityError",
    "InvalidError",
    "ManifestProblem",
    "MismatchError",
    "NotADirError",
    "NotFoundError",
    "RefusedError",
]


class Found(NamedTuple):
    """What was under a name instead of what was expected.

    ``kind`` is ``missing``, or the kind of the entry: ``symlink``, ``file``, ``dir``, ``fifo``, ``socket``, ``char_device``,
    ``block_device``. ``target`` is the text, where it is a link.
    """

    kind: str
    target: Optional[str]


class Holder(NamedTuple):
    """Who holds a lock that was waited for, as far as the system tells."""

    pid: int
    program: Optional[str]


class ManifestProblem(NamedTuple):
    """One thing that is wrong with a manifest, or with what it asks for."""

    line: int
    """The line, counted from 1."""
    column: int
    """The column, counted from 1 in bytes."""
    message: str
    """What is wrong."""
    expected: Optional[str]
    """What would be right, where that can be said."""
    kind: str
    """``invalid_manifest``, or why what the manifest asks for cannot be read."""


class Error(OSError):
    """An operation below a root failed.

    ``kind`` is what programs decide on, a word of the command line's contract: ``exists``, ``escape``, ``mismatch`` and so on.
    ``errno``, ``strerror`` and ``filename`` are those of ``OSError``.

    After an error nothing of caplink's own is left and everything of others is where they put it, unless ``left`` or
    ``preserved`` name something.

    >>> import caplink, tempfile
    >>> root = caplink.Root(tempfile.mkdtemp())
    >>> try:
    ...     root.create("../x", to="y")
    ... except caplink.Error as error:
    ...     print(error.kind, error.component, error.index)
    ...     print(error)
    escape .. 0
    cannot create `../x`: the path climbs above the root, at component `..` (0)
    """

    kind: str = "io"
    """Why it failed."""
    operation: str = ""
    """The operation, for instance ``swap``."""
    link: Optional[str] = None
    """The link or path that it was about."""
    component: Optional[str] = None
    """The component that was at fault."""
    index: Optional[int] = None
    """The place of that component, counted from 0."""
    via: Optional[str] = None
    """The text of the link that led astray."""
    found: Optional[Found] = None
    """What was under the name instead of what was expected."""
    left: Tuple[str, ...] = ()
    """Names below the root that caplink made and could not take back."""
    preserved: Tuple[str, ...] = ()
    """Names under which entries of others are kept that could not go back to their own."""
    made: Tuple[str, ...] = ()
    """Directories that were made for the link before the failure."""
    changed: bool = False
    """Whether the link is not as it was before, because of the operation."""
    seq: Optional[int] = None
    """The entry of the records that does not fit."""
    group: Optional[str] = None
    """The group that the operation belongs to."""
    holder: Optional[Holder] = None
    """Who holds the lock that was waited for."""
    line: Optional[int] = None
    """The place of the edit in a batch, or the line of a manifest, counted from 1."""
    column: Optional[int] = None
    """The column of a manifest, counted from 1 in bytes."""
    problems: Tuple[ManifestProblem, ...] = ()
    """All that is wrong with a manifest, in the order of its text."""
    remedy: Optional[str] = None
    """What would let the entry of a manifest be carried out, for instance ``on_conflict = "replace"``."""
    results: Optional[Tuple[Any, ...]] = None
    """What the edits of a batch or the steps of a plan came to, in their order, where this error stopped them."""

    @property
    def hint(self) -> Optional[str]:
        """The way out, if there is one."""
        return _hints.of(self)

    def __str__(self) -> str:
        return self.strerror if isinstance(self.strerror, str) else super().__str__()


class ExistsError(Error, FileExistsError):
    """The name is taken: by a link, or by something that is no link and is never replaced."""


class NotFoundError(Error, FileNotFoundError):
    """The link, its directory, the target or the root is not there."""


class RefusedError(Error, PermissionError):
    """It would lead out of the root, through a link, or against the policy."""


class DeniedError(Error, PermissionError):
    """The system does not let the caller do it."""


class NotADirError(Error, NotADirectoryError):
    """What has to be a directory is none."""


class InvalidError(Error, ValueError):
    """The call makes no sense: a path, a target, an option, a manifest."""


class MismatchError(Error):
    """It is not what was expected. Nothing was changed."""


class BusyError(Error):
    """Another holder has the lock, or another program keeps changing the name."""


class CheckFailedError(Error):
    """A health check failed. ``deploy`` and ``switch`` are taken back; a ``rollback`` stays."""


class IntegrityError(Error):
    """The records are damaged, tampered with, or those of another root."""


_ENOTSUP = getattr(errno, "ENOTSUP", errno.EINVAL)
_EDQUOT = getattr(errno, "EDQUOT", errno.ENOSPC)

_KINDS: Dict[str, Tuple[Type[Error], int]] = {
    "usage": (InvalidError, errno.EINVAL),
    "invalid_path": (InvalidError, errno.EINVAL),
    "invalid_target": (InvalidError, errno.EINVAL),
    "too_long": (InvalidError, errno.ENAMETOOLONG),
    "invalid_manifest": (InvalidError, errno.EINVAL),
    "invalid_plan": (InvalidError, errno.EINVAL),
    "exists": (ExistsError, errno.EEXIST),
    "not_a_link": (Error, errno.EINVAL),
    "mismatch": (MismatchError, errno.ECANCELED),
    "contended": (BusyError, errno.EAGAIN),
    "stale_plan": (MismatchError, errno.ECANCELED),
    "escape": (RefusedError, errno.EPERM),
    "symlink_in_path": (RefusedError, errno.EPERM),
    "magic_link": (RefusedError, errno.EPERM),
    "cross_mount": (Error, errno.EXDEV),
    "mount_policy": (RefusedError, errno.EPERM),
    "policy": (RefusedError, errno.EPERM),
    "dangling": (NotFoundError, errno.ENOENT),
    "parent_moved": (MismatchError, errno.ECANCELED),
    "unsafe_state": (RefusedError, errno.EPERM),
    "unsafe_manifest": (RefusedError, errno.EPERM),
    "replaced_release": (MismatchError, errno.ECANCELED),
    "bad_release": (RefusedError, errno.EPERM),
    "not_a_directory": (NotADirError, errno.ENOTDIR),
    "not_found": (NotFoundError, errno.ENOENT),
    "loop": (Error, errno.ELOOP),
    "no_records": (NotFoundError, errno.ENOENT),
    "unknown_release": (NotFoundError, errno.ENOENT),
    "root_gone": (NotFoundError, errno.ENOENT),
    "busy": (BusyError, errno.EBUSY),
    "partial": (Error, errno.ECANCELED),
    "check_failed": (CheckFailedError, errno.ECANCELED),
    "integrity": (IntegrityError, errno.EIO),
    "permission": (DeniedError, errno.EACCES),
    "read_only": (Error, errno.EROFS),
    "no_space": (Error, errno.ENOSPC),
    "fd_exhausted": (Error, errno.EMFILE),
    "unsupported": (Error, _ENOTSUP),
    "residue": (Error, errno.EIO),
    "corrupt": (Error, errno.EIO),
    "io": (Error, errno.EIO),
}

# What the system itself said is the better number, where it says the same.
_SAYS_THE_SAME: Dict[str, Tuple[int, ...]] = {
    "permission": (errno.EACCES, errno.EPERM),
    "not_found": (errno.ENOENT, errno.ENOTDIR),
    "usage": (errno.ENOTDIR,),
    "no_space": (errno.ENOSPC, _EDQUOT),
    "fd_exhausted": (errno.EMFILE, errno.ENFILE),
}

# Operations that would put a link where something else is, for which `os.symlink` says that it exists.
_MAKE_LINKS = ("create", "ensure", "swap", "exchange", "symlink", "adopt", "apply")


def _class_and_number(kind: str, operation: str, system: Optional[int]) -> Tuple[Type[Error], int]:
    cls, number = _KINDS.get(kind, (Error, errno.EIO))
    if kind == "not_a_link" and operation in _MAKE_LINKS:
        return ExistsError, errno.EEXIST
    if system is None or os.name != "posix":
        return cls, number
    if kind == "io":
        return cls, system
    if system in _SAYS_THE_SAME.get(kind, ()):
        number = system
    if number == errno.ENOTDIR:
        return NotADirError, number
    return cls, number


def make(kind: str, message: str, system: Optional[int], details: Dict[str, Any]) -> Error:
    """Makes the exception for an error of the library."""
    cls, number = _class_and_number(kind, details.get("operation", ""), system)
    error = cls(number, message, details.get("link"))
    found, holder = details.pop("found", None), details.pop("holder", None)
    error.__dict__.update(details, kind=kind)
    if found is not None:
        error.found = Found(*found)
    if holder is not None:
        error.holder = Holder(*holder)
    return error
