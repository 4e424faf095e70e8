"""Symbolic links inside one directory that nothing leads out of.

``Root`` is an opened directory. ``create``, ``ensure``, ``swap``, ``exchange`` and ``remove`` change one link, ``inspect``, ``resolve``
and ``scan`` look, ``repair`` and ``batch`` change many; ``records``, ``releases`` and
``manifests`` keep, switch and declare them. A link is replaced in one step, and only if it still is what you expect;
what is reported as done was read back.

``symlink`` and ``replace_symlink`` have the signatures of ``os``. ``root / "name"`` is a path with the names of pathlib.
"""

from caplink._caplink import (
    Finding,
    Hop,
    Inspected,
    LinkPath,
    ManifestPlan,
    Manifests,
    Outcome,
    Records,
    Releases,
    Resolved,
    Root,
    Scan,
    Summary,
    __version__,
    replace_symlink,
    symlink,
)
from caplink._errors import (
    BusyError,
    CheckFailedError,
    DeniedError,
    Error,
    ExistsError,
    Found,
    Holder,
    IntegrityError,
    InvalidError,
    ManifestProblem,
    MismatchError,
    NotADirError,
    NotFoundError,
    RefusedError,
)
from caplink._policy import Policy
from caplink._values import (
    Actor,
    Applied,
    AppStatus,
    CheckContext,
    EntryState,
    ManifestStep,
    Mutation,
    Release,
    Switched,
)

__all__ = [
    "Actor",
    "AppStatus",
    "Applied",
    "BusyError",
    "CheckContext",
    "CheckFailedError",
    "DeniedError",
    "EntryState",
    "Error",
    "ExistsError",
    "Finding",
    "Found",
    "Holder",
    "Hop",
    "Inspected",
    "IntegrityError",
    "InvalidError",
    "LinkPath",
    "ManifestPlan",
    "ManifestProblem",
    "ManifestStep",
    "Manifests",
    "MismatchError",
    "Mutation",
    "NotADirError",
    "NotFoundError",
    "Outcome",
    "Policy",
    "Records",
    "RefusedError",
    "Release",
    "Releases",
    "Resolved",
    "Root",
    "Scan",
    "Summary",
    "Switched",
    "__version__",
    "replace_symlink",
    "symlink",
]


def _show_as_public() -> None:
    """Names everything after the module that shows it, not after the one that it is written in."""
    for name in __all__:
        value = globals()[name]
        if getattr(value, "__module__", "").startswith("caplink._"):
            value.__module__ = __name__


_show_as_public()
