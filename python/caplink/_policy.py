"""What a holder of a root may do."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

__all__ = ["Policy"]


@dataclass(frozen=True)
class Policy:
    """What a holder of a root may do. It is chosen when the root is opened, and can only be narrowed afterwards.

    The default lets links be created, replaced and removed; parents that are links and paths across mount points are refused; a
    weaker guarantee is accepted where the host has no better; every success is read back.

    >>> looking_only = Policy(create=False, replace=False, remove=False)
    >>> looking_only.allows_changes
    False
    >>> looking_only.narrow(Policy()) == looking_only
    True
    """

    create: bool = True
    """Links may be created where nothing was."""
    replace: bool = True
    """Links may be replaced and exchanged."""
    remove: bool = True
    """Links may be removed."""
    dangling: bool = True
    """An edit may ask for a target that does not exist."""
    outside: bool = True
    """An edit may ask for a text that leads outside the root."""
    follow: bool = False
    """Directories on the way to a link may be links that stay inside the root."""
    cross_mounts: bool = False
    """Paths may cross a mount point below the root."""
    cooperative: bool = True
    """The ``cooperative`` guarantee is accepted where the host has no better; if not, such an edit is ``unsupported``."""
    unverified: bool = False
    """Successes are reported without the read-back. For batches in trees that nobody else writes."""
    rooted: bool = False
    """The root is meant as a root directory: texts are judged as after ``chroot`` into it. Narrowing leaves it as it is."""

    @property
    def allows_changes(self) -> bool:
        """Whether any change is allowed."""
        return self.create or self.replace or self.remove

    def narrow(self, other: Policy) -> Policy:
        """Returns what both policies allow."""
        given = checked(other)
        both = {field.name: getattr(self, field.name) and getattr(given, field.name) for field in fields(self)}
        return replace(self, **{**both, "rooted": self.rooted})


def checked(given: object) -> Policy:
    """Refuses what is no policy, whatever attributes it has."""
    if isinstance(given, Policy):
        return given
    raise TypeError(f"a policy is a caplink.Policy, not {type(given).__name__}")
