//! The links that a release gets to what all releases share.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::session::Session;
use crate::error::{Error, FileKind, Found, Kind, Result};
use crate::manifest::{Seed, SharedLink};
use crate::model::change::NewLink;
use crate::model::{BACKUPS_MAX, Edit, GroupStep, LinkPath, Outcome, Target, backup_names};
use crate::plan::TargetKind;
use crate::root::Root;

/// Makes the links in a release.
pub(super) fn link(session: &mut Session<'_>, release: &str) -> Result<Vec<Outcome>> {
    let shared = session.app.shared.clone();
    if !shared.is_empty() {
        session.settle_links()?;
    }
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
            session.edit_group(dirs(&shared.to)?)?;
        }
    }
    if !moves {
        judge_kind(&root, shared, &at)?;
    }
    let ensure = || Edit::ensure(at.clone(), target()).parents(true).allow_dangling(session.app.dry);
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
            // The link that was brought is one by its text: it gets another name in the step in which this one gets another
            // text. A program that is stopped in between leaves both or neither.
            let backup = free_name(&root, &at)?;
            let text = brought.and_then(|seen| seen.link).map(|link| link.target).unwrap_or_default();
            let kept = NewLink::new(Target::verbatim(text.clone())).allow_dangling(true).allow_outside(true);
            let kept = Edit::create(LinkPath::new(&backup)?, kept);
            let link = NewLink::new(target()).allow_dangling(session.app.dry);
            let outcomes = session.edit_group(vec![kept.into(), Edit::swap(at.clone(), link, text).into()])?;
            let outcome = outcomes.into_iter().next_back().expect("BUG: each step has an outcome");
            Ok(Outcome { backup: Some(backup), ..outcome })
        }
        (Seed::Refuse, Some(kind)) => Err(Error::new(Kind::NotALink).on("link", at).found_instead(Found::Other(kind))),
        (_, Some(_)) if moves => {
            let to = LinkPath::new(&shared.to)?;
            let mut steps = dirs(to.parent())?;
            steps.push(GroupStep::Adopt { link: at, to });
            let outcomes = session.edit_group(steps)?;
            Ok(outcomes.into_iter().next_back().expect("BUG: each step has an outcome"))
        }
        // The link takes the name in the same step in which what was there gets another.
        (_, Some(_)) => session.edit(ensure().backup(true)),
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

/// The steps that make a directory below the root, with those above it.
fn dirs(dir: &Path) -> Result<Vec<GroupStep>> {
    let mut dirs: Vec<&Path> = dir.ancestors().filter(|dir| !dir.as_os_str().is_empty()).collect();
    dirs.reverse();
    dirs.into_iter().map(|dir| LinkPath::new(dir).map(GroupStep::MakeDir)).collect()
}

/// The name that a link gets that makes room.
fn free_name(root: &Root, at: &LinkPath) -> Result<PathBuf> {
    for name in backup_names(at.name()) {
        let path = at.parent().join(name);
        if root.inspect(&path)?.kind.is_none() {
            return Ok(path);
        }
    }
    let reason = format!("{BACKUPS_MAX} backups of this name are there already");
    Err(Error::new(Kind::Exists).on("move", at).because(reason))
}
