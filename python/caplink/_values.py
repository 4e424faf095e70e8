"""Values of records, releases and manifests, as frozen dataclasses."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Tuple, Union

if TYPE_CHECKING:
    from caplink._caplink import Outcome
    from caplink._errors import Error

__all__ = [
    "Actor",
    "AppStatus",
    "Applied",
    "CheckContext",
    "EntryState",
    "ManifestStep",
    "Mutation",
    "Release",
    "Switched",
]


@dataclass(frozen=True)
class Actor:
    """Who made a change, as far as the system knows, and who is claimed to have asked for it."""

    uid: Optional[int]
    user: Optional[str]
    login_uid: Optional[int]
    login_user: Optional[str]
    pid: Optional[int]
    program: Optional[str]
    host: Optional[str]
    claimed: Optional[str]


@dataclass(frozen=True)
class Mutation:
    """One change, as it stands in the records."""

    seq: int
    """The number of the entry that announced it."""
    time: str
    """When that was written, as RFC 3339 has it."""
    verb: str
    """The operation that it was part of."""
    link: Optional[str]
    """The link; None for what concerns no link."""
    other: Optional[str]
    """The other link of an exchange."""
    previous: Optional[str]
    """The text that the link had."""
    target: Optional[str]
    """The text that it has by this; None where it was removed."""
    outcome: str
    """An outcome, ``failed``, or ``unknown``."""
    kind: Optional[str]
    """Why it failed."""
    guarantee: Optional[str]
    durability: Optional[str]
    confinement: Optional[str]
    verified: Optional[bool]
    group: Optional[str]
    """The changes that it stands or falls with."""
    reason: Optional[str]
    """Why, as the caller said it."""
    actor: Actor
    """Who."""
    backup: Optional[str]
    """Where what was in the way is kept."""
    made: Tuple[str, ...]
    """Directories that were made for the link."""


_ACTOR = tuple(Actor.__dataclass_fields__)
_MUTATION = tuple(Mutation.__dataclass_fields__)


def mutation(item: Dict[str, Any]) -> Mutation:
    """The value of an item of the log."""
    said: Dict[str, Any] = item.get("actor") or {}
    actor = Actor(**{name: said.get(name) for name in _ACTOR})
    values: Dict[str, Any] = {name: item.get(name) for name in _MUTATION}
    values.update(actor=actor, made=tuple(item.get("made") or ()))
    return Mutation(**values)


def rfc3339(time: object) -> str:
    """The time in UTC; one without a zone is local, as everywhere in Python."""
    if not isinstance(time, datetime.datetime):
        raise TypeError(f"expected str or datetime.datetime, not {type(time).__name__}")
    return time.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")


class CheckContext(NamedTuple):
    """What a check is about."""

    app: str
    release: str
    """The release that is checked."""
    previous: Optional[str]
    """The release that was active before, if it is known."""
    event: str
    """Why it is run: ``deploy``, ``switch``, ``rollback``, ``undo``."""
    phase: str
    """When it is run: ``check_before``, ``after_switch``, ``check_after``."""


@dataclass(frozen=True)
class Release:
    """A release, or a directory that is not entered."""

    app: str
    release: str
    """The name of its directory."""
    state: str
    """``prepared``, ``active``, ``superseded``, ``failed``, ``removed``; ``unknown`` where it is not entered."""
    bad: bool
    """Whether it is marked bad."""
    active: bool
    """Whether the link leads to it."""
    pinned: bool
    """Whether it is never to be removed."""
    present: bool
    """Whether the directory that was entered is there."""
    confirmed: bool
    """Whether it passed all checks once it was active."""
    times: Dict[str, Optional[str]]
    """When it was ``entered``, ``activated``, ``superseded``, ``removed``."""
    reason: Optional[str]
    """Why it is kept, where pruning was asked for."""
    in_use: Any
    """What uses it, where that was looked for: a list of dicts, or ``unknown``."""
    bytes: Optional[int]
    """How many bytes were given back by its removal."""


@dataclass(frozen=True)
class AppStatus:
    """An app at a glance."""

    app: str
    link: str
    """The link, below the root."""
    releases: str
    """The directory of the releases."""
    target: Optional[str]
    """The text of the link."""
    release: Optional[str]
    """The release that the link leads to."""
    active: Optional[str]
    """The release that is active as the records know."""
    since: Optional[str]
    """Since when."""
    alarm: Optional[str]
    """What is wrong, if something is."""


@dataclass(frozen=True)
class Switched:
    """What a switch, a deploy or a rollback came to."""

    app: str
    release: str
    """The release that the link leads to now."""
    previous_release: Optional[str]
    """The release that it led to before."""
    outcome: Outcome
    """What became of the link."""
    changed: bool
    """Whether the link or the ledger differs."""
    checks: List[Dict[str, Any]]
    """What was checked and run."""
    pruned: List[str]
    """The releases that were removed after it."""
    shortfalls: List[Error]
    """What went wrong although the switch stands."""


_RELEASE = tuple(Release.__dataclass_fields__)


def release(item: Dict[str, Any]) -> Release:
    """The value of an item of a list of releases."""
    values: Dict[str, Any] = {name: item.get(name) for name in _RELEASE}
    return Release(**values)


@dataclass(frozen=True)
class ManifestStep:
    """One step of a plan."""

    action: str
    """``create``, ``replace``, ``backup``, ``remove``, ``keep``, ``skip``, ``conflict``, ``mkdir`` or ``rmdir``."""
    link: str
    """The link, or the directory."""
    target: Optional[str]
    """The text that the link is to have."""
    previous: Optional[str]
    """The text that the link has now."""
    name: Optional[str]
    """The name of the entry; the link where it has none. None for a directory."""
    comment: Optional[str]
    """What the entry is for."""
    note: Optional[str]
    """Why, where the action does not say: ``found``, ``orphan``, ``modified`` and so on."""
    restore: Optional[str]
    """Where what was displaced is kept; it gets its name back."""
    kind: Optional[str]
    """Of a conflict: the kind of the error."""
    remedy: Optional[str]
    """Of a conflict: what in the entry would let it be carried out."""


@dataclass(frozen=True)
class EntryState:
    """The state of one entry of a manifest, or of a link that it made and does not declare any more."""

    link: str
    status: str
    """``ok``, ``missing``, ``changed``, ``replaced``, ``dangling``, ``loop``, ``escape``, ``denied``, ``skipped``, ``present``, ``orphan``
    or ``orphan_modified``."""
    target: Optional[str]
    """The text that it is to have."""
    found: Optional[str]
    """The text that it has."""
    name: str
    """The name of the entry; the link where it has none."""
    comment: Optional[str]
    """What the entry is for."""


@dataclass(frozen=True)
class Applied:
    """What carrying out a plan, taking a manifest back, or an adoption came to."""

    group: Optional[str]
    """The group in the records, for ``undo``; None where nothing was to be changed, or each step was carried out by itself."""
    results: Tuple[Union[Outcome, Error], ...]
    """What each step or path came to, in order; errors only with ``keep_going``."""
    made: Tuple[str, ...]
    """The directories that an adoption made."""
    recovered: List[Dict[str, Any]]
    """Changes of interrupted programs that were settled before it."""

    @property
    def changed(self) -> bool:
        """Whether anything differs because of it."""
        return any(result.changed for result in self.results)
