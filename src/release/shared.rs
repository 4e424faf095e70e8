//! The links that a release gets to what all releases share.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use super::session::Session;
use crate::error::{Error, FileKind, Found, Kind, Result};
use crate::manifest::{Seed, SharedLink};
use crate::model::{Edit, LinkPath, Outcome, Target};
use crate::plan::TargetKind;
use crate::root::Root;
use crate::sys::{self, Access, Fault};

/// How many backups of one name can stand side by side.
const BACKUPS_MAX: usize = 1000;

/// Makes the links in a release.
pub(super) fn link(session: &mut Session<'_>, release: &str) -> Result<Vec<Outcome>> {
    let shared = session.app.shared.clone();
    shared.iter().map(|link| one(session, release, link)).collect()
}

fn one(session: &mut Session<'_>, release: &str, shared: &SharedLink) -> Result<Outcome> {
    let at = LinkPath::new(session.layout.path(release).join(shared.at.as_path()))?;
    let root = session.app.root.clone();
    let target =
        || Target::relative(if shared.to.as_os_str().is_empty() { OsStr::new(".") } else { shared.to.as_os_str() });
    let brought = root.inspect(&at).ok();
    let is_link =
        |text: &OsStr| brought.as_ref().and_then(|seen| seen.link.as_ref()).is_some_and(|link| link.target == text);
    let occupied = brought.as_ref().and_then(|seen| seen.kind);
    let there = root.exists(path_or_dot(&shared.to))?;
    let moves = shared.seed == Seed::Move && !there && matches!(occupied, Some(FileKind::File | FileKind::Dir));
    if !there && !moves {
        if shared.kind != TargetKind::Dir {
            return Err(Error::new(Kind::Dangling).on("link", at));
        }
        if !session.app.dry {
            make_dirs(&root, &shared.to)?;
        }
    }
    if !moves {
        judge_kind(&root, shared, &at)?;
    }
    let ensure = || Edit::ensure(at.clone(), target()).parents(true).allow_dangling(moves || session.app.dry);
    match (shared.seed, occupied) {
        (_, None) => session.edit(Edit::create(at.clone(), target()).parents(true).allow_dangling(session.app.dry)),
        // One with its exact text is left alone, whoever made it.
        (_, Some(FileKind::Symlink)) => {
            let foreseen = root.preview(&ensure())?;
            let wanted = foreseen.target.clone().unwrap_or_default();
            if is_link(&wanted) {
                return session.edit(ensure());
            }
            if shared.seed == Seed::Refuse {
                let found = brought.and_then(|seen| seen.link).map(|link| Found::Link(link.target));
                let error = Error::new(Kind::Exists).on("link", at);
                return Err(found.into_iter().fold(error, Error::found_instead));
            }
            let backup = if session.app.dry { free_name(&root, &at)? } else { put_beside(&root, &at)? };
            let made = session.edit(Edit::create(at.clone(), target()).allow_dangling(session.app.dry));
            let made = if session.app.dry { made.or(Ok(foreseen)) } else { made };
            made.map(|outcome| Outcome { backup: Some(backup), ..outcome })
        }
        (Seed::Refuse, Some(kind)) => Err(Error::new(Kind::NotALink).on("link", at).found_instead(Found::Other(kind))),
        (_, Some(_)) => {
            // The link takes the name in the same step in which what was there gets another.
            let outcome = session.edit(ensure().backup(true))?;
            match (moves, &outcome.backup, session.app.dry) {
                (true, Some(backup), false) => {
                    move_to(&root, backup, &shared.to)?;
                    Ok(Outcome { backup: None, ..outcome })
                }
                _ => Ok(outcome),
            }
        }
    }
}

fn path_or_dot(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

/// A target of another kind than is asked for is refused.
fn judge_kind(root: &Root, shared: &SharedLink, at: &LinkPath) -> Result<()> {
    let wanted = match shared.kind {
        TargetKind::Any => return Ok(()),
        TargetKind::Dir => FileKind::Dir,
        TargetKind::File => FileKind::File,
    };
    match root.resolve(path_or_dot(&shared.to)) {
        Ok(found) if found.kind == wanted => Ok(()),
        // It is made, where this is no dry run.
        Err(error) if error.kind() == Kind::NotFound => Ok(()),
        Ok(found) => {
            let reason = format!("its target is {}, not {wanted}", found.kind);
            Err(Error::new(Kind::InvalidTarget).on("link", at).because(reason))
        }
        Err(error) => Err(error),
    }
}

/// Makes a directory below the root, with those above it, through no link.
fn make_dirs(root: &Root, dir: &Path) -> Result<()> {
    let calls = root.calls();
    let mut path = PathBuf::new();
    for part in dir.components() {
        let Component::Normal(name) = part else { continue };
        let failed = |source| Error::from_io(source).on("make", dir);
        let cross = root.policy().cross_mounts;
        let above = calls.open_dir(root.handle(), &path, cross, Access::Search).map_err(failed)?;
        match calls.make_dir(&above, name, 0o755) {
            Err(source) if sys::fault(&source) != Fault::Exists => return Err(failed(source)),
            _ => path.push(name),
        }
    }
    Ok(())
}

/// Gives a link that the release brought another name beside.
fn put_beside(root: &Root, at: &LinkPath) -> Result<PathBuf> {
    let calls = root.calls();
    let failed = |source| Error::from_io(source).on("move", at);
    let cross = root.policy().cross_mounts;
    let above = calls.open_dir(root.handle(), at.parent(), cross, Access::Search).map_err(failed)?;
    for index in 0..BACKUPS_MAX {
        let name = backup_name(at.name(), index);
        match calls.rename_new((&above, at.name()), (&above, &name)) {
            Ok(()) => return Ok(at.parent().join(name)),
            Err(source) if sys::fault(&source) == Fault::Exists => {}
            Err(source) => return Err(failed(source)),
        }
    }
    Err(Error::new(Kind::Exists).on("move", at).because("there are too many backups of this name"))
}

/// The name that it would get.
fn free_name(root: &Root, at: &LinkPath) -> Result<PathBuf> {
    for index in 0..BACKUPS_MAX {
        let path = at.parent().join(backup_name(at.name(), index));
        if root.inspect(&path)?.kind.is_none() {
            return Ok(path);
        }
    }
    Err(Error::new(Kind::Exists).on("move", at).because("there are too many backups of this name"))
}

fn backup_name(name: &OsStr, index: usize) -> OsString {
    let suffix = if index == 0 { ".backup".to_owned() } else { format!(".backup-{index}") };
    let text = name.to_string_lossy();
    let room = text.floor_char_boundary(255 - suffix.len());
    let mut backup = OsString::from(if name.len() + suffix.len() > 255 { &text[..room] } else { "" });
    if backup.is_empty() {
        backup.push(name);
    }
    backup.push(suffix);
    backup
}

/// Moves what a release brought to the name that is shared, where nothing is.
fn move_to(root: &Root, from: &Path, to: &Path) -> Result<()> {
    let calls = root.calls();
    let cross = root.policy().cross_mounts;
    let (from, to) = (LinkPath::new(from)?, LinkPath::new(to)?);
    make_dirs(root, to.parent())?;
    let failed = |source| Error::from_io(source).on("move", &from);
    let above = calls.open_dir(root.handle(), from.parent(), cross, Access::Search).map_err(failed)?;
    let shared = calls.open_dir(root.handle(), to.parent(), cross, Access::Search).map_err(failed)?;
    calls.rename_new((&above, from.name()), (&shared, to.name())).map_err(failed)
}
