//! What is there of an app: where its link leads, and the directories of its releases with their identities.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::ops::ControlFlow;
use std::path::Path;

use super::layout::AppLayout;
use crate::entry::Opened;
use crate::error::{Error, FileKind, Kind, Result};
use crate::model::Status;
use crate::plan::{DirectoryId, Occupant, Pointing, ReleaseDir, ReleaseSight, release_name};
use crate::resolve::{Detail, LinkSite, LinkView, view};
use crate::root::Root;
use crate::sys::{self, Access, Fault, Handle, Lasting};

/// The text that the link would have after a dry run's changes so far, and that it would not be there; none where there were
/// no changes.
pub(super) type Foreseen<'a> = Option<&'a Option<OsString>>;

/// Looks at the link, and at these releases.
pub(super) fn look_at(root: &Root, layout: &AppLayout, names: &[&str]) -> Result<ReleaseSight> {
    foresee_at(root, layout, names, None)
}

/// As [`look_at`], with the link as it would be.
pub(super) fn foresee_at(
    root: &Root,
    layout: &AppLayout,
    names: &[&str],
    foreseen: Foreseen<'_>,
) -> Result<ReleaseSight> {
    let current = occupant(root, layout, foreseen)?;
    let mut dirs = BTreeMap::new();
    let pointed = match &current {
        Occupant::Link { leads: Pointing::Release(name), .. } => Some(name.as_str()),
        _ => None,
    };
    if let Some(above) = open_releases(root, layout)? {
        for name in names.iter().copied().chain(pointed.filter(|name| !names.contains(name))) {
            if let Some(dir) = release_dir(root, &above, OsStr::new(name)).map_err(Error::from_io)? {
                dirs.insert(name.to_owned(), dir);
            }
        }
    }
    Ok(ReleaseSight { current, dirs })
}

/// Looks at the link, and at every release that is there.
pub(super) fn look_at_all(root: &Root, layout: &AppLayout) -> Result<ReleaseSight> {
    foresee_all(root, layout, None)
}

/// As [`look_at_all`], with the link as it would be.
pub(super) fn foresee_all(root: &Root, layout: &AppLayout, foreseen: Foreseen<'_>) -> Result<ReleaseSight> {
    let current = occupant(root, layout, foreseen)?;
    let mut dirs = BTreeMap::new();
    if let Some(above) = open_releases(root, layout)? {
        let mut names: Vec<OsString> = Vec::new();
        let mut keep = |listed: sys::Listed<'_>| {
            names.push(listed.name.to_os_string());
            ControlFlow::Continue(())
        };
        root.calls().list(&above, &mut keep).map_err(|source| Error::from_io(source).on("read", &layout.releases))?;
        for name in names {
            let Some(named) = name.to_str().filter(|name| release_name(name).is_ok()) else { continue };
            if let Some(dir) = release_dir(root, &above, &name).map_err(Error::from_io)? {
                dirs.insert(named.to_owned(), dir);
            }
        }
    }
    Ok(ReleaseSight { current, dirs })
}

/// What has the link's name.
fn occupant(root: &Root, layout: &AppLayout, foreseen: Foreseen<'_>) -> Result<Occupant> {
    let named = |error: Error| error.during("look at");
    let link = match foreseen {
        Some(None) => return Ok(Occupant::Missing),
        Some(Some(text)) => foreseen_link(root, layout, text).map_err(named)?,
        None => {
            let seen = root.inspect(&layout.current).map_err(named)?;
            let (Some(kind), link) = (seen.kind, seen.link) else { return Ok(Occupant::Missing) };
            let Some(link) = link else { return Ok(Occupant::Other(kind)) };
            link
        }
    };
    let leads = match link.status {
        Status::Ok => pointing(&layout.releases, link.resolved.as_deref(), link.resolved_kind),
        Status::Dangling | Status::Loop | Status::Corrupt => Pointing::Dangling,
        Status::Escape => Pointing::Escape,
        Status::Denied => Pointing::Elsewhere,
    };
    Ok(Occupant::Link { text: link.target, leads })
}

/// Where the link would lead with this text.
fn foreseen_link(root: &Root, layout: &AppLayout, text: &OsStr) -> Result<LinkView> {
    let entry = Opened::open(root, &layout.current)?;
    let sticky = root.calls().stat(&entry.parent).map_err(Error::from_io)?.is_sticky_for_all();
    let at = LinkSite::new(&entry.parent, entry.name(), entry.dir(), sticky);
    view(root, at, text.to_os_string(), Detail::WhereAndKind)
}

fn pointing(releases: &Path, resolved: Option<&Path>, kind: Option<FileKind>) -> Pointing {
    let below = resolved.and_then(|resolved| resolved.strip_prefix(releases).ok());
    let name = below.and_then(Path::to_str).filter(|name| release_name(name).is_ok());
    match (name, kind) {
        (Some(name), Some(FileKind::Dir) | None) => Pointing::Release(name.to_owned()),
        _ => Pointing::Elsewhere,
    }
}

/// Opens the directory of the releases; `None` where it is not there.
pub(super) fn open_releases(root: &Root, layout: &AppLayout) -> Result<Option<Handle>> {
    let cross = root.policy().cross_mounts;
    match root.calls().open_dir(root.handle(), &layout.releases, cross, Access::Read) {
        Ok(dir) => Ok(Some(dir)),
        Err(source) => match sys::fault(&source) {
            Fault::Missing => Ok(None),
            // The walk names the component.
            _ if layout.releases.as_os_str().is_empty() => Err(Error::from_io(source)),
            Fault::Link | Fault::Crossing => {
                let probe = layout.releases.join("x");
                Err(root.entry(probe).err().unwrap_or_else(|| Error::new(Kind::Contended)).during("use"))
            }
            _ => Err(Error::from_io(source).on("open", &layout.releases)),
        },
    }
}

/// What is under the name of a release.
fn release_dir(root: &Root, above: &Handle, name: &OsStr) -> std::io::Result<Option<ReleaseDir>> {
    let calls = root.calls();
    let pinned = match calls.pin(above, name) {
        Ok(pinned) => pinned,
        Err(source) if sys::fault(&source) == Fault::Missing => return Ok(None),
        Err(source) => return Err(source),
    };
    let stat = calls.stat(&pinned)?;
    if stat.kind != FileKind::Dir {
        return Ok(Some(ReleaseDir::Other(stat.kind)));
    }
    identity(root, &pinned).map(|id| Some(ReleaseDir::Dir(id)))
}

/// Which directory this is, for longer than it is open.
pub(super) fn identity(root: &Root, dir: &Handle) -> std::io::Result<DirectoryId> {
    let Lasting { file_system, inode, birth } = root.calls().lasting(dir)?;
    let file_system = file_system.map_or_else(|| "-".to_owned(), |id| format!("{id:016x}"));
    let birth = birth.map_or_else(|| "-".to_owned(), |(seconds, nanos)| format!("{seconds}.{nanos:09}"));
    Ok(DirectoryId::new(format!("{file_system}:{inode}:{birth}")))
}

/// Opens a release if it is the directory that was entered.
pub(super) fn open_release(root: &Root, layout: &AppLayout, name: &str, directory: &str) -> Result<Handle> {
    let refused = |kind| Error::new(kind).on("open", name);
    let above = open_releases(root, layout)?.ok_or_else(|| refused(Kind::NotFound))?;
    let cross = root.policy().cross_mounts;
    let dir =
        root.calls().open_dir(&above, Path::new(name), cross, Access::Read).map_err(|source| {
            match sys::fault(&source) {
                Fault::Link | Fault::NotDirectory => refused(Kind::NotADirectory),
                _ => Error::from_io(source).on("open", name),
            }
        })?;
    let is_it = identity(root, &dir).map_err(Error::from_io)?.as_str() == directory;
    if is_it { Ok(dir) } else { Err(refused(Kind::ReplacedRelease)) }
}
