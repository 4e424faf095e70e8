"""Values of the records, as frozen dataclasses."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any, Dict, Optional, Tuple

__all__ = ["Actor", "Mutation"]


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
    said = item.get("actor") or {}
    actor = Actor(**{name: said.get(name) for name in _ACTOR})
    values = {name: item.get(name) for name in _MUTATION}
    return Mutation(**{**values, "actor": actor, "made": tuple(item.get("made") or ())})


def rfc3339(time: datetime.datetime) -> str:
    """The time in UTC; one without a zone is local, as everywhere in Python."""
    return time.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
