//! A link as it is seen from its directory: its status, its traits, and where it leads.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::judge::{Above, Judged, Near, judge_near};
use super::overlay::Overlay;
use super::walk::Stop;
use crate::error::{Error, FileKind, Kind, Result};
use crate::model::{Spelling, Status, Trait, Traits};
use crate::root::Root;
use crate::sys::{self, Fault, Handle, LinkRules, Stat};

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
    /// Whether a `..` stayed at the root on the way, which it does where the policy says
    /// [`rooted`](crate::Policy::rooted). From outside it leads elsewhere.
    pub clamped: bool,
}

/// Whether the kind of what a link leads to is looked up, for one more call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    Where,
    WhereAndKind,
}

/// How often a link is looked at again whose way was changed meanwhile.
const LOOKS: usize = 4;

/// Where a link is looked at from.
#[derive(Clone, Copy)]
pub(crate) struct LinkSite<'a> {
    /// The link's directory.
    pub(crate) dir: &'a Handle,
    /// The name of the link in it.
    pub(crate) name: &'a OsStr,
    /// The physical path of that directory.
    pub(crate) from: &'a Path,
    /// Directories on the way to it that are open.
    pub(crate) above: Above<'a>,
    /// The device of the link's directory, where it is known.
    pub(crate) device: Option<u64>,
    /// Whether anybody may make links in it that nobody else can remove.
    pub(crate) sticky: bool,
}

impl<'a> LinkSite<'a> {
    /// Every lookup begins at the root.
    pub(crate) fn new(dir: &'a Handle, name: &'a OsStr, from: &'a Path, sticky: bool) -> LinkSite<'a> {
        LinkSite { dir, name, from, above: &|_| None, device: None, sticky }
    }
}

/// Looks where the link with this text leads.
pub(crate) fn view(root: &Root, at: LinkSite<'_>, text: OsString, detail: Detail) -> Result<LinkView> {
    let seen = seen(root, at, &text, detail)?;
    Ok(LinkView { target: text, ..seen })
}

/// The view without the text.
fn seen(root: &Root, at: LinkSite<'_>, text: &OsStr, detail: Detail) -> Result<LinkView> {
    let LinkSite { dir, from, above, .. } = at;
    let spelling = Spelling::new(text);
    let mut traits = Traits::default();
    traits.set(Trait::Absolute, spelling.is_absolute());
    traits.set(Trait::Messy, spelling.is_messy());
    traits.set(Trait::Lengthy, spelling.is_lengthy(from, root.anchor().is_top));
    let mut seen = LinkView {
        target: OsString::new(),
        status: Status::Ok,
        traits,
        hops: 1,
        resolved: None,
        resolved_kind: None,
        clamped: root.anchor().is_top && spelling.climbs_out(from),
    };
    if text.is_empty() {
        seen.status = Status::Corrupt;
        return Ok(seen);
    }
    let rules = rules(root, dir);
    if rules.never_followed || (at.sticky && is_protected(root, at)) {
        seen.status = Status::Denied;
        return Ok(seen);
    }
    match beside(root, at, &spelling) {
        Some(Beside::Missing) if !rules.on_proc => {
            seen.status = Status::Dangling;
            return Ok(seen);
        }
        Some(Beside::There(kind)) if !rules.on_proc => {
            seen.resolved = spelling.path_from(from);
            seen.resolved_kind = Some(kind);
            return Ok(seen);
        }
        _ => {}
    }
    let (judged, crossed) = judged(root, from, text, above);
    // Without crossing, both are on the mount of the root.
    let may_differ = crossed || root.policy().cross_mounts;
    let mut leads_to = |stat: &Stat| -> Result<()> {
        seen.resolved_kind = Some(stat.kind);
        if may_differ {
            let own = root.calls().stat(dir).map_err(Error::from_io)?;
            seen.traits.set(Trait::OtherFs, stat.id.device != own.id.device);
        }
        Ok(())
    };
    match judged {
        Judged::Direct { path, object } => {
            if may_differ || detail == Detail::WhereAndKind {
                leads_to(&object.stat(root.calls()).map_err(Error::from_io)?)?;
            }
            seen.resolved = Some(path);
        }
        Judged::Through { reached, links, clamped } => {
            leads_to(&reached.stat)?;
            seen.clamped |= clamped;
            seen.hops = links;
            seen.resolved = Some(reached.path);
        }
        Judged::Missing => seen.status = Status::Dangling,
        Judged::Stopped { stop, links } => {
            seen.hops = links.min(HOPS_SHOWN);
            seen.status = status(stop)?;
            let outside = seen.status == Status::Escape && outside_missing(root, dir, text);
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

/// The entry that a text leads to, in a directory that is open.
enum Beside {
    Missing,
    There(FileKind),
}

/// Looks at the one name that the text leads to, where its directory is open: one call, and nothing is opened.
///
/// `None` where more is to be found out: it is a link, on another device, or cannot be seen.
fn beside(root: &Root, at: LinkSite<'_>, spelling: &Spelling<'_>) -> Option<Beside> {
    let device = at.device?;
    if spelling.ends_within() {
        return None;
    }
    let (climbs, name) = spelling.single()?;
    let dir = (at.above)(climbs)?;
    if name.as_os_str().is_empty() {
        // A directory that the walk is in.
        return Some(Beside::There(FileKind::Dir));
    }
    match root.calls().stat_at(dir, name.as_os_str()) {
        Ok(stat) if stat.kind == FileKind::Symlink || stat.id.device != device => None,
        Ok(stat) if spelling.wants_directory() && stat.kind != FileKind::Dir => Some(Beside::Missing),
        Ok(stat) => Some(Beside::There(stat.kind)),
        Err(source) if matches!(sys::fault(&source), Fault::Missing | Fault::NotDirectory) => Some(Beside::Missing),
        Err(_) => None,
    }
}

/// The rules of the mount that the link is on: that of the root, unless mounts may be crossed.
fn rules(root: &Root, dir: &Handle) -> LinkRules {
    match root.policy().cross_mounts {
        false => root.link_rules(),
        true => root.calls().link_rules(dir).unwrap_or_default(),
    }
}

/// Whether the kernel does not let the caller follow a link of somebody else's here (`fs.protected_symlinks`).
fn is_protected(root: &Root, at: LinkSite<'_>) -> bool {
    let calls = root.calls();
    let (Ok(dir), Ok(link)) = (calls.stat(at.dir), calls.stat_at(at.dir, at.name)) else { return false };
    let refused = || calls.try_follow(at.dir, at.name).is_err_and(|source| sys::fault(&source) == Fault::Denied);
    dir.uid != link.uid && refused()
}

/// Judges the text; the second value says that it leads over a mount point.
fn judged(root: &Root, from: &Path, text: &OsStr, above: Above<'_>) -> (Judged, bool) {
    let mut crossed = false;
    let mut judged = judge_near(root, from, text, crossed, Overlay::default(), Near::Above(above));
    for _ in 1..LOOKS {
        match &judged {
            Judged::Stopped { stop, .. } if stop.kind == Kind::CrossMount && !crossed => crossed = true,
            Judged::Stopped { stop, .. } if stop.kind == Kind::Contended => {}
            _ => break,
        }
        judged = judge_near(root, from, text, crossed, Overlay::default(), Near::Above(above));
    }
    (judged, crossed)
}

/// A walk stops at the link after the fortieth.
const HOPS_SHOWN: usize = 40;

fn status(stop: Stop) -> Result<Status> {
    match stop.kind {
        Kind::NotFound => Ok(Status::Dangling),
        Kind::Loop => Ok(Status::Loop),
        // A magic link leads to an object of the kernel, wherever that is.
        Kind::Escape | Kind::MagicLink => Ok(Status::Escape),
        kind if kind.tells_nothing() => Err(stop.into_error()),
        _ => Ok(Status::Denied),
    }
}

/// Whether there is nothing where a text leads outside. What cannot be known counts as something.
fn outside_missing(root: &Root, dir: &Handle, text: &OsStr) -> bool {
    root.calls().leads_somewhere(dir, text).is_ok_and(|somewhere| !somewhere)
}
