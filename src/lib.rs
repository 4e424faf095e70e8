#![doc = include_str!("../README.md")]
#![deny(clippy::print_stdout, clippy::print_stderr, clippy::dbg_macro)]
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

mod apply;
mod confine;
#[cfg(feature = "manage")]
mod declare;
mod entry;
mod error;
mod exec;
mod inspect;
#[cfg(feature = "manage")]
mod manifest;
mod model;
mod plan;
mod recorder;
#[cfg(feature = "records")]
pub mod records;
#[cfg(feature = "manage")]
mod release;
mod resolve;
mod root;
mod scan;
mod state;
mod sys;
#[cfg(feature = "watch")]
pub mod watch;
#[cfg(feature = "wire")]
pub mod wire;

pub use apply::{Foreseen, RepairOptions};
pub use cap_std::{AmbientAuthority, ambient_authority};
pub use confine::{Enforcement, renounce_privileges};
pub use entry::Entry;
pub use error::{Component, Error, FileKind, Found, Holder, Kind, Printable, Result, UnknownWord, printable};
pub use exec::Trial;
pub use inspect::{Explained, Inspected, Resolved};
pub use model::{
    AsEdit, Change, Confinement, Durability, Edit, Effect, Finding, Guarantee, LinkPath, MakesLink, ObjectId, OnError,
    Outcome, Plan, Policy, Staging, Status, Style, Summary, Target, Trait, Traits,
};
pub use plan::Repair;
pub use recorder::{Actor, Event, Intent, Recorder};
pub use resolve::{Hop, LinkView};
pub use root::Root;
pub use scan::{Scan, ScanOptions, ScanProgress};
pub use state::StateCheck;
pub use sys::Abilities;

/// What an edit does: one type for each operation.
pub mod change {
    pub use crate::model::change::{Change, Create, Ensure, Exchange, Fix, NewLink, Remove, RemoveStale, Repair, Swap};
}

/// Manifests and releases: what is declared, what is decided about it, and the [releases](manage::Releases) of an app.
///
#[doc = include_str!("release/consumers.md")]
#[cfg(feature = "manage")]
pub mod manage {
    pub use crate::declare::{Adoption, Applied, Compared, Manifests, PlanOptions, Planned, SavedPlan, Unplanned};
    pub use crate::manifest::{
        App, Expanded, Facts, Listing, Looking, Manifest, Overridden, Problem, Seed, SharedLink, Trouble,
    };
    pub use crate::plan::{
        Action, Claimed, Conflict, Contents, Declared, EntryState, EntryStatus, Holdings, Label, Leads, ManifestPlan,
        ManifestStep, Note, OnConflict, Owned, Pattern, Position, Remedy, Request, Seen, Sight, TargetKind, Unwanted,
        Way, plan_manifest, plan_unapply,
    };
    pub use crate::plan::{
        Activation, Alarm, DirectoryId, Entering, InUse, KeptBecause, Ledger, Occupant, Pointing, PruneItem,
        PruneRequest, Pruning, ReleaseDir, ReleaseRecord, ReleaseSight, ReleaseState, Settling, Switching, alarm,
        plan_add, plan_prune, plan_rollback, plan_switch, release_name, settle,
    };
    pub use crate::release::{
        Added, AppView, Check, CheckContext, CheckFn, CheckReport, Deploy, Effective, Failed, Lease, Progress, Prune,
        Pruned, ReleaseView, Releases, Rollback, Set, Settled, Settlement, Step, Switch, Switched, Times, Unfinished,
        Used, User,
    };
}

/// File systems in memory, for the tests that play the adversary. No part of the public face.
#[cfg(all(unix, feature = "adversary"))]
#[doc(hidden)]
pub mod adversary {
    pub use crate::sys::memory::{
        Actor, Body, Call, Change, Errno, Image, Name, Node, Object, Slot, Step, Subject, Tree, Watch, World,
    };
}
