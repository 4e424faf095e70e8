"""The compiled part, as type checkers see it."""

import datetime
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Optional, Union, final

from caplink._errors import Error
from caplink._policy import Policy
from caplink._values import Applied, AppStatus, CheckContext, EntryState, ManifestStep, Mutation, Release, Switched

__version__: str

_Text = Union[str, bytes, os.PathLike[str], os.PathLike[bytes]]
_Path = Union[_Text, LinkPath]
_Style = Literal["relative", "absolute", "verbatim"]
_Durability = Literal["none", "dir", "fs"]
_Confine = Literal["off", "auto", "require"]
_Kind = Literal["symlink", "file", "dir", "fifo", "socket", "char_device", "block_device"]
_Status = Literal["ok", "dangling", "loop", "escape", "denied", "corrupt"]
_Trait = Literal["absolute", "messy", "lengthy", "chain", "other_fs", "outside_missing"]
_Check = Union[Callable[[CheckContext], object], Sequence[str]]
_Checks = Union[Callable[[CheckContext], object], Sequence[_Check], None]
_Pairs = Union[Mapping[Any, _Path], Iterable[tuple[_Path, _Path]]]

def symlink(src: _Text, dst: _Text, target_is_directory: bool = False, *, dir_fd: Optional[int] = None) -> None: ...
def replace_symlink(
    src: _Text, dst: _Text, target_is_directory: bool = False, *, dir_fd: Optional[int] = None
) -> Outcome: ...
@final
class Root:
    def __new__(
        cls,
        path: Optional[_Text] = None,
        *,
        dir_fd: Optional[int] = None,
        policy: Optional[Policy] = None,
        follow: Optional[bool] = None,
        cross_mounts: Optional[bool] = None,
        rooted: Optional[bool] = None,
        require: Optional[Literal["atomic"]] = None,
        confine: _Confine = "off",
        durability: Optional[_Durability] = None,
        state: Optional[_Text] = None,
        lock_timeout: float = 1.0,
        reason: Optional[str] = None,
        actor: Optional[str] = None,
    ) -> Root: ...
    @property
    def path(self) -> Optional[str]: ...
    @property
    def id(self) -> tuple[int, int]: ...
    @property
    def policy(self) -> Policy: ...
    @property
    def closed(self) -> bool: ...
    @property
    def confinement(self) -> str: ...
    @property
    def abilities(self) -> dict[str, bool]: ...
    def __enter__(self) -> Root: ...
    def __exit__(
        self,
        exc_type: Optional[type[BaseException]] = None,
        exc_value: Optional[BaseException] = None,
        traceback: Optional[TracebackType] = None,
        /,
    ) -> None: ...
    def close(self) -> None: ...
    def narrow(self, policy: Policy) -> Root: ...
    def subroot(self, path: _Path) -> Root: ...
    def __truediv__(self, path: _Path, /) -> LinkPath: ...
    def create(
        self,
        link: _Path,
        *,
        to: _Path,
        style: Optional[_Style] = None,
        allow_dangling: bool = False,
        allow_outside: bool = False,
        parents: bool = False,
        target_is_directory: bool = False,
        durability: Optional[_Durability] = None,
        reason: Optional[str] = None,
        dry_run: bool = False,
    ) -> Outcome: ...
    def ensure(
        self,
        link: _Path,
        *,
        to: _Path,
        style: Optional[_Style] = None,
        allow_dangling: bool = False,
        allow_outside: bool = False,
        parents: bool = False,
        no_replace: bool = False,
        backup: bool = False,
        target_is_directory: bool = False,
        durability: Optional[_Durability] = None,
        reason: Optional[str] = None,
        dry_run: bool = False,
    ) -> Outcome: ...
    def swap(
        self,
        link: _Path,
        *,
        to: _Path,
        expect: _Text,
        style: Optional[_Style] = None,
        allow_dangling: bool = False,
        allow_outside: bool = False,
        target_is_directory: bool = False,
        durability: Optional[_Durability] = None,
        reason: Optional[str] = None,
        dry_run: bool = False,
    ) -> Outcome: ...
    def exchange(
        self,
        a: _Path,
        b: _Path,
        *,
        allow_dangling: bool = False,
        allow_outside: bool = False,
        durability: Optional[_Durability] = None,
        reason: Optional[str] = None,
        dry_run: bool = False,
    ) -> Outcome: ...
    def remove(
        self,
        link: _Path,
        *,
        expect: Optional[_Text] = None,
        missing_ok: bool = False,
        durability: Optional[_Durability] = None,
        reason: Optional[str] = None,
        dry_run: bool = False,
    ) -> Outcome: ...
    def inspect(self, path: _Path) -> Inspected: ...
    def resolve(self, path: _Path, *, explain: bool = False) -> Resolved: ...
    def readlink(self, path: _Path) -> str: ...
    def scan(
        self,
        dir: Optional[_Path] = None,
        *,
        only: Union[str, Iterable[str], None] = None,
        exclude: Union[_Text, Iterable[_Text], Callable[[str], object], None] = None,
        max_depth: Optional[int] = None,
        jobs: int = 1,
        onerror: Optional[Callable[[Error], object]] = None,
    ) -> Scan: ...
    def repair(
        self,
        path: Optional[_Path] = None,
        *,
        make_relative: bool = False,
        tidy: bool = False,
        shorten: bool = False,
        shorten_chains: bool = False,
        rebase: Optional[_Pairs] = None,
        retarget: Optional[_Pairs] = None,
        moved: Optional[_Pairs] = None,
        fallback: Optional[_Path] = None,
        remove_dangling: bool = False,
        remove_leftovers: bool = False,
        durability: Optional[_Durability] = None,
        reason: Optional[str] = None,
        dry_run: bool = False,
    ) -> list[Union[Outcome, Error]]: ...
    def batch(
        self,
        edits: Iterable[Mapping[str, Any]],
        *,
        all_or_nothing: bool = False,
        keep_going: bool = False,
        durability: Optional[_Durability] = None,
        reason: Optional[str] = None,
        dry_run: bool = False,
    ) -> list[Any]: ...
    def records(self) -> Records: ...
    def manifests(self) -> Manifests: ...
    def apply(
        self,
        manifest: Union[_Path, ManifestPlan, None] = None,
        *,
        tags: Optional[Sequence[str]] = None,
        prune: bool = True,
        backup: bool = False,
        keep_going: bool = False,
        durability: Optional[_Durability] = None,
        reason: Optional[str] = None,
        dry_run: bool = False,
    ) -> Applied: ...
    def adopt(
        self,
        *paths: _Path,
        into: _Path,
        parents: bool = False,
        durability: Optional[_Durability] = None,
        reason: Optional[str] = None,
        dry_run: bool = False,
    ) -> Applied: ...
    def releases(
        self, app: str = "default", *, current: Optional[_Path] = None, releases: Optional[_Path] = None
    ) -> Releases: ...

@final
class LinkPath:
    @property
    def name(self) -> str: ...
    @property
    def parts(self) -> tuple[str, ...]: ...
    @property
    def parent(self) -> LinkPath: ...
    @property
    def root(self) -> Root: ...
    def __truediv__(self, path: _Path, /) -> LinkPath: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __lt__(self, other: LinkPath, /) -> bool: ...
    def __le__(self, other: LinkPath, /) -> bool: ...
    def __gt__(self, other: LinkPath, /) -> bool: ...
    def __ge__(self, other: LinkPath, /) -> bool: ...
    def __hash__(self) -> int: ...
    def symlink_to(self, target: _Path, target_is_directory: bool = False, *, allow_outside: bool = False) -> None: ...
    def replace_symlink_to(
        self, target: _Path, target_is_directory: bool = False, *, allow_outside: bool = False
    ) -> Outcome: ...
    def readlink(self) -> str: ...
    def is_symlink(self) -> bool: ...
    def exists(self, *, follow_symlinks: bool = True) -> bool: ...
    def lexists(self) -> bool: ...
    def lstat(self) -> os.stat_result: ...
    def resolve(self, strict: bool = False) -> LinkPath: ...
    def unlink(self, missing_ok: bool = False) -> None: ...

@final
class Outcome:
    @property
    def link(self) -> str: ...
    @property
    def outcome(self) -> Literal["created", "unchanged", "replaced", "exchanged", "removed", "skipped"]: ...
    @property
    def changed(self) -> bool: ...
    @property
    def target(self) -> Optional[str]: ...
    @property
    def previous(self) -> Optional[str]: ...
    @property
    def guarantee(self) -> Literal["atomic", "cooperative"]: ...
    @property
    def durability(self) -> _Durability: ...
    @property
    def confinement(self) -> str: ...
    @property
    def staging(self) -> Literal["none", "beside", "private"]: ...
    @property
    def verified(self) -> bool: ...
    @property
    def dry_run(self) -> bool: ...
    @property
    def physical(self) -> str: ...
    @property
    def backup(self) -> Optional[str]: ...
    @property
    def made(self) -> tuple[str, ...]: ...
    @property
    def shortfalls(self) -> tuple[Error, ...]: ...
    @property
    def counterpart(self) -> Optional[Outcome]: ...
    def as_dict(self) -> dict[str, Any]: ...

@final
class Inspected:
    @property
    def path(self) -> str: ...
    @property
    def kind(self) -> Union[_Kind, Literal["missing"]]: ...
    @property
    def id(self) -> Optional[tuple[int, int]]: ...
    @property
    def uid(self) -> Optional[int]: ...
    @property
    def mode(self) -> Optional[int]: ...
    @property
    def target(self) -> Optional[str]: ...
    @property
    def status(self) -> Optional[_Status]: ...
    @property
    def traits(self) -> list[_Trait]: ...
    @property
    def hops(self) -> Optional[int]: ...
    @property
    def resolved(self) -> Optional[str]: ...
    @property
    def resolved_kind(self) -> Optional[_Kind]: ...
    def as_dict(self) -> dict[str, Any]: ...

@final
class Resolved:
    @property
    def path(self) -> str: ...
    @property
    def kind(self) -> _Kind: ...
    @property
    def id(self) -> tuple[int, int]: ...
    @property
    def hops(self) -> list[Hop]: ...

@final
class Hop:
    @property
    def component(self) -> str: ...
    @property
    def at(self) -> str: ...
    @property
    def kind(self) -> Optional[_Kind]: ...
    @property
    def target(self) -> Optional[str]: ...
    @property
    def uid(self) -> Optional[int]: ...
    @property
    def mode(self) -> Optional[int]: ...

@final
class Finding:
    @property
    def link(self) -> str: ...
    @property
    def target(self) -> Optional[str]: ...
    @property
    def status(self) -> _Status: ...
    @property
    def traits(self) -> tuple[_Trait, ...]: ...
    @property
    def hops(self) -> int: ...
    @property
    def resolved(self) -> Optional[str]: ...
    def as_dict(self) -> dict[str, Any]: ...

@final
class Summary:
    @property
    def links(self) -> int: ...
    @property
    def entries(self) -> int: ...
    @property
    def dirs(self) -> int: ...
    @property
    def dirs_unread(self) -> int: ...
    @property
    def mounts(self) -> int: ...
    @property
    def complete(self) -> bool: ...
    def __getitem__(self, word: Union[_Status, _Trait], /) -> int: ...
    def as_dict(self) -> dict[str, Any]: ...

@final
class Scan:
    def __iter__(self) -> Iterator[Finding]: ...
    def __next__(self) -> Finding: ...
    def __enter__(self) -> Scan: ...
    def __exit__(
        self,
        exc_type: Optional[type[BaseException]] = None,
        exc_value: Optional[BaseException] = None,
        traceback: Optional[TracebackType] = None,
        /,
    ) -> None: ...
    def close(self) -> None: ...
    @property
    def closed(self) -> bool: ...
    @property
    def summary(self) -> Summary: ...
    @property
    def errors(self) -> tuple[Error, ...]: ...

@final
class Records:
    def __bool__(self) -> bool: ...
    def init(
        self, *, require_reason: bool = False, reason: Optional[str] = None
    ) -> Literal["initialised", "replaced", "unchanged"]: ...
    def show(self) -> dict[str, Any]: ...
    def rebind(self, *, reason: Optional[str] = None) -> bool: ...
    def renew(self, *, reason: str) -> Optional[str]: ...
    def log(
        self,
        *,
        link: Union[str, Iterable[str], None] = None,
        since: Union[str, datetime.datetime, None] = None,
        until: Union[str, datetime.datetime, None] = None,
        group: Optional[str] = None,
        outcome: Optional[str] = None,
        limit: Optional[int] = None,
    ) -> list[Mutation]: ...
    def checkpoint(self) -> str: ...
    def verify(self, *checkpoints: str) -> tuple[int, int]: ...
    def undo(
        self, *, group: str, reason: Optional[str] = None, dry_run: bool = False
    ) -> list[Union[Outcome, Error]]: ...
    def recover(self, *, reason: Optional[str] = None) -> list[dict[str, Any]]: ...

@final
class Releases:
    @property
    def app(self) -> str: ...
    def add(self, *names: str, reason: Optional[str] = None, dry_run: bool = False) -> list[Release]: ...
    def deploy(
        self,
        name: str,
        *,
        even_bad: bool = False,
        check_before: _Checks = None,
        check_after: _Checks = None,
        after_switch: _Checks = None,
        check_timeout: float = 30.0,
        check_retries: int = 0,
        check_interval: float = 1.0,
        keep: Optional[int] = None,
        grace: float = 600.0,
        reason: Optional[str] = None,
        dry_run: bool = False,
    ) -> Switched: ...
    def switch(
        self,
        name: str,
        *,
        expect: Optional[str] = None,
        even_bad: bool = False,
        check_after: _Checks = None,
        after_switch: _Checks = None,
        check_timeout: float = 30.0,
        reason: Optional[str] = None,
        dry_run: bool = False,
    ) -> Switched: ...
    def rollback(
        self,
        *,
        to: Optional[str] = None,
        keep_good: bool = False,
        check_after: _Checks = None,
        after_switch: _Checks = None,
        check_timeout: float = 30.0,
        reason: Optional[str] = None,
        dry_run: bool = False,
    ) -> Switched: ...
    def mark(
        self,
        name: str,
        *,
        bad: Optional[bool] = None,
        good: Optional[bool] = None,
        reason: Optional[str] = None,
        dry_run: bool = False,
    ) -> Release: ...
    def pin(self, name: str, *, reason: Optional[str] = None, dry_run: bool = False) -> Release: ...
    def unpin(self, name: str, *, reason: Optional[str] = None, dry_run: bool = False) -> Release: ...
    def prune(
        self,
        *,
        keep: Optional[int] = None,
        grace: Optional[float] = None,
        reason: Optional[str] = None,
        dry_run: bool = False,
    ) -> tuple[list[Release], list[Release]]: ...
    def list(self) -> list[Release]: ...
    def status(self) -> AppStatus: ...

@final
class Manifests:
    def plan(
        self,
        manifest: Optional[_Path] = None,
        *,
        tags: Optional[Sequence[str]] = None,
        prune: bool = True,
        backup: bool = False,
    ) -> ManifestPlan: ...
    def load(self, plan: bytes) -> ManifestPlan: ...
    def apply(
        self,
        manifest: Union[_Path, ManifestPlan, None] = None,
        *,
        tags: Optional[Sequence[str]] = None,
        prune: bool = True,
        backup: bool = False,
        keep_going: bool = False,
        durability: Optional[_Durability] = None,
        reason: Optional[str] = None,
        dry_run: bool = False,
    ) -> Applied: ...
    def status(self, manifest: Optional[_Path] = None) -> list[EntryState]: ...
    def unapply(
        self,
        name: str,
        *,
        durability: Optional[_Durability] = None,
        reason: Optional[str] = None,
        dry_run: bool = False,
    ) -> Applied: ...

@final
class ManifestPlan:
    @property
    def manifest(self) -> str: ...
    @property
    def steps(self) -> tuple[ManifestStep, ...]: ...
    @property
    def conflicts(self) -> tuple[ManifestStep, ...]: ...
    @property
    def empty(self) -> bool: ...
    @property
    def moved_from(self) -> Optional[str]: ...
    def to_bytes(self) -> bytes: ...
