//! A link as it is seen from its directory: its status, its traits, and where it leads.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::judge::{Judged, Overlay, judge};
use super::walk::Stop;
use crate::error::{Error, FileKind, Kind, Result};
use crate::model::{Spelling, Status, Trait, Traits};
use crate::root::Root;
use crate::sys::{Handle, LinkRules};

/// A link, its status and where it leads below the root.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkView {
    /// The stored text.
    pub target: OsString,
    /// Where it leads.
    pub status: Status,
    /// Its peculiarities.
    pub traits: Traits,
    /// How many links were gone through, this one included.
    pub hops: usize,
    /// The path below the root of what it leads to; empty for the root itself.
    pub resolved: Option<PathBuf>,
    /// The kind of what it leads to, where it was asked for.
    pub resolved_kind: Option<FileKind>,
}

/// Whether the kind of what a link leads to is looked up, for one more call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    Where,
    WhereAndKind,
}

/// Looks where the link with this text leads; `dir` is its directory, at the physical path `from`.
pub(crate) fn view(root: &Root, dir: &Handle, from: &Path, text: OsString, detail: Detail) -> Result<LinkView> {
    let spelling = Spelling::new(&text);
    let mut traits = Traits::default();
    traits.set(Trait::Absolute, spelling.is_absolute());
    traits.set(Trait::Messy, spelling.is_messy());
    traits.set(Trait::Lengthy, spelling.is_lengthy(from));
    let mut seen = LinkView { target: text, status: Status::Ok, traits, hops: 1, resolved: None, resolved_kind: None };
    if seen.target.is_empty() {
        seen.status = Status::Corrupt;
        return Ok(seen);
    }
    let rules = rules(root, dir);
    if rules.never_followed {
        seen.status = Status::Denied;
        return Ok(seen);
    }
    let mut crossed = false;
    let mut judged = judge(root, from, &seen.target, false, Overlay::default());
    if let Judged::Stopped { stop: Stop { kind: Kind::CrossMount, .. }, .. } = judged {
        crossed = true;
        judged = judge(root, from, &seen.target, true, Overlay::default());
    }
    match judged {
        Judged::Direct { path, object } => {
            if crossed || detail == Detail::WhereAndKind {
                let stat = root.calls().stat(&object).map_err(Error::from_io)?;
                seen.resolved_kind = Some(stat.kind);
                seen.traits.set(Trait::OtherFs, stat.id.device != root.id().device);
            }
            seen.resolved = Some(path);
        }
        Judged::Through { reached, links } => {
            seen.hops = links;
            seen.resolved_kind = Some(reached.stat.kind);
            seen.traits.set(Trait::OtherFs, reached.stat.id.device != root.id().device);
            seen.resolved = Some(reached.path);
        }
        Judged::Missing => seen.status = Status::Dangling,
        Judged::Stopped { stop, links } => {
            seen.hops = links.min(HOPS_SHOWN);
            seen.status = status(stop)?;
            let outside = seen.status == Status::Escape && outside_missing(root, dir, &seen.target);
            seen.traits.set(Trait::OutsideMissing, outside);
        }
    }
    // The plain links of `proc` are relative and lead somewhere; the others name kernel objects, wherever those are.
    if rules.on_proc && (traits.contains(Trait::Absolute) || seen.status == Status::Dangling) {
        seen.status = Status::Escape;
        seen.resolved = None;
        seen.resolved_kind = None;
    }
    seen.traits.set(Trait::Chain, seen.hops > 1);
    Ok(seen)
}

/// The rules of the mount that the link is on: that of the root, unless mounts may be crossed.
fn rules(root: &Root, dir: &Handle) -> LinkRules {
    match root.policy().cross_mounts {
        false => root.link_rules(),
        true => root.calls().link_rules(dir).unwrap_or_default(),
    }
}

/// A walk stops at the link after the fortieth.
const HOPS_SHOWN: usize = 40;

fn status(stop: Stop) -> Result<Status> {
    match stop.kind {
        Kind::NotFound => Ok(Status::Dangling),
        Kind::Loop => Ok(Status::Loop),
        // A magic link leads to an object of the kernel, wherever that is.
        Kind::Escape | Kind::MagicLink => Ok(Status::Escape),
        Kind::FdExhausted => Err(stop.into_error()),
        _ => Ok(Status::Denied),
    }
}

/// Whether there is nothing where a text leads outside. What cannot be told counts as something.
fn outside_missing(root: &Root, dir: &Handle, text: &OsStr) -> bool {
    root.calls().leads_somewhere(dir, text).is_ok_and(|somewhere| !somewhere)
}
