//! Files and directories that move below another directory, each replaced by a link to it in one step.
//!
//! All are judged before the first moves: what is there, where it goes, and the links inside a directory. A relative text that
//! climbs out of the directory would be read from its new place, and must lead to the same object from there.

use std::collections::{BTreeSet, HashSet};
use std::ffi::{OsStr, OsString};
use std::ops::Bound;
use std::path::{Component, Path, PathBuf};

use crate::error::{Error, FileKind, Kind, Result};
use crate::model::{Durability, Effect, Group, GroupStep, LinkPath, Outcome};
use crate::records::{Author, Records, Settings};
use crate::root::Root;
use crate::scan::ScanOptions;

use super::carry::Applied;

/// What is to be adopted: each path with the name that it gets.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Adoption {
    /// The paths, and below which names they come to be.
    pub moves: Vec<(LinkPath, LinkPath)>,
    /// The directories that are made first.
    pub makes: Vec<LinkPath>,
}

/// What became of judging one path.
enum Judged {
    /// It is to move.
    Moves,
    /// It is a link with this text, which leads to its new name already.
    There(OsString),
}

impl Adoption {
    /// Names what is to be adopted into a directory; where `parents`, the directory is made if it is missing.
    ///
    /// # Errors
    ///
    /// `invalid_path` where a path has no name of its own.
    pub fn new(root: &Root, paths: &[LinkPath], into: &Path, parents: bool) -> Result<Adoption> {
        let to = |path: &LinkPath| LinkPath::new(into.join(path.name())).map(|to| (path.clone(), to));
        let moves = paths.iter().map(to).collect::<Result<_>>()?;
        let mut makes = Vec::new();
        if parents {
            let dirs: Vec<PathBuf> =
                into.ancestors().filter(|dir| !dir.as_os_str().is_empty()).map(PathBuf::from).collect();
            for dir in dirs.into_iter().rev() {
                if !root.lexists(&dir).unwrap_or(true) {
                    makes.push(LinkPath::new(dir)?);
                }
            }
        }
        Ok(Adoption { moves, makes })
    }

    /// Adopts, as one recorded group. Makes records where there are none.
    ///
    /// The results are those of the paths, in order.
    ///
    /// # Atomicity
    ///
    /// Each name is exchanged with the link to what it was in one call, so it is never absent: `unsupported` on a host that
    /// cannot exchange.
    ///
    /// # Errors
    ///
    /// For a path: `exists` where something has its new name, or it is a link to something else; `not_a_link` for what is
    /// neither file, directory nor link; `cross_mount`; `loop` where the directory is below it; `not_found`. For a link
    /// inside a directory that would lead elsewhere: `escape`, `dangling` or `mismatch`; `mismatch` too for a directory that
    /// another of the paths is inside.
    pub fn apply(&self, root: &Root, author: &Author, durability: Durability) -> Result<Applied> {
        let judged = match self.judged(root) {
            Ok(judged) => judged,
            Err(refused) => return Ok(refused),
        };
        let (group, places) = self.group(&judged, durability);
        if group.steps.is_empty() {
            return Ok(self.report(&judged, &places, Vec::new(), true));
        }
        let records = match Records::open_for_mutation(root)? {
            Some(records) => records,
            None => {
                // What is refused makes no records.
                let foreseen = root.preview_group(&group);
                if !foreseen.stands {
                    return Ok(self.report(&judged, &places, foreseen.results, false));
                }
                Records::init(root, Settings::default(), author)?.0
            }
        };
        let came = root.apply_group(&records, author, &group)?;
        let report = self.report(&judged, &places, came.results, came.stands);
        Ok(Applied { group: came.group, recovered: came.recovered, ..report })
    }

    /// What [`apply`](Adoption::apply) would come to; changes nothing.
    #[must_use = "it says what would be done"]
    pub fn preview(&self, root: &Root, durability: Durability) -> Applied {
        let judged = match self.judged(root) {
            Ok(judged) => judged,
            Err(refused) => return refused,
        };
        let (group, places) = self.group(&judged, durability);
        let came = root.preview_group(&group);
        self.report(&judged, &places, came.results, came.stands)
    }

    /// Returns the directories that were made, or would be.
    #[must_use]
    pub fn made(&self, applied: &Applied) -> Vec<PathBuf> {
        let moves = applied.results.iter().flatten().any(|outcome| outcome.effect.is_change());
        let makes = self.makes.iter().filter(|_| moves && applied.stands);
        makes.map(|made| made.as_path().to_path_buf()).collect()
    }

    /// Judges every path; where one is refused, what is to be reported of all.
    fn judged(&self, root: &Root) -> std::result::Result<Vec<Judged>, Applied> {
        let mut names = HashSet::new();
        // What is below a path comes right after it.
        let paths: BTreeSet<&LinkPath> = self.moves.iter().map(|(path, _)| path).collect();
        let below = |path: &LinkPath| {
            let mut after = paths.range::<LinkPath, _>((Bound::Excluded(path), Bound::Unbounded));
            after.next().filter(|next| next.as_path().starts_with(path))
        };
        let each = self.moves.iter().map(|(path, to)| {
            let judged = judge(root, path, to);
            match judged {
                Ok(Judged::Moves) if !names.insert(to) => {
                    Err(Error::new(Kind::Exists).because(format!("another path would come to be `{to}` as well")))
                }
                judged => judged,
            }
            // Moved first it leaves a link in the directory, which would lead elsewhere from there.
            .and_then(|judged| match (judged, below(path)) {
                (Judged::Moves, Some(inner)) => Err(holds(inner)),
                (judged, _) => Ok(judged),
            })
            .map_err(|error| error.on("adopt", path))
        });
        let each: Vec<Result<Judged>> = each.collect();
        if each.iter().all(Result::is_ok) {
            return Ok(each.into_iter().flatten().collect());
        }
        let skipped = |((path, _), judged): (&(LinkPath, LinkPath), Result<Judged>)| match judged {
            Ok(_) => Ok(Outcome::of(path.clone(), Effect::Skipped)),
            Err(error) => Err(error),
        };
        let results = self.moves.iter().zip(each).map(skipped).collect();
        Err(Applied { group: String::new(), results, recovered: Vec::new(), stands: false })
    }

    /// The group, and the number of the step of each path that moves.
    fn group(&self, judged: &[Judged], durability: Durability) -> (Group, Vec<Option<usize>>) {
        let mut group = Group::new("adopt").durability(durability);
        if judged.iter().any(|judged| matches!(judged, Judged::Moves)) {
            group.extend(self.makes.iter().cloned().map(GroupStep::MakeDir));
        }
        let mut places = Vec::with_capacity(self.moves.len());
        for ((link, to), judged) in self.moves.iter().zip(judged) {
            places.push(matches!(judged, Judged::Moves).then_some(group.steps.len()));
            if matches!(judged, Judged::Moves) {
                group.push(GroupStep::Adopt { link: link.clone(), to: to.clone() });
            }
        }
        (group, places)
    }

    fn report(
        &self,
        judged: &[Judged],
        places: &[Option<usize>],
        mut came: Vec<Result<Outcome>>,
        stands: bool,
    ) -> Applied {
        // A directory that cannot be made keeps the first path from moving.
        let first = places.iter().flatten().next().copied().unwrap_or(0).min(came.len());
        let unmade = came[..first].iter_mut().find_map(|made| made.as_mut().err().map(|error| error.clone()));
        let mut unmade = unmade;
        let result = |((path, _), (judged, place)): (&(LinkPath, LinkPath), (&Judged, &Option<usize>))| {
            let effect = if stands { Effect::Unchanged } else { Effect::Skipped };
            match (judged, place) {
                (Judged::Moves, Some(place)) if *place < came.len() => match unmade.take() {
                    Some(error) => Err(error),
                    None => came[*place].clone(),
                },
                (Judged::There(text), _) => {
                    Ok(Outcome { target: Some(text.clone()), ..Outcome::of(path.clone(), effect) })
                }
                _ => Ok(Outcome::of(path.clone(), effect)),
            }
        };
        let results = self.moves.iter().zip(judged.iter().zip(places)).map(result).collect();
        Applied { group: String::new(), results, recovered: Vec::new(), stands }
    }
}

/// Judges what the group cannot: links, and what is inside a directory.
fn judge(root: &Root, path: &LinkPath, to: &LinkPath) -> Result<Judged> {
    let seen = root.inspect(path)?;
    match seen.kind {
        Some(FileKind::Symlink) => {
            let leads = root.resolve(path).ok().is_some_and(|resolved| resolved.path == to.as_path());
            if leads {
                return Ok(Judged::There(seen.link.map(|link| link.target).unwrap_or_default()));
            }
            Err(Error::new(Kind::Exists).because("it is a link to something else already"))
        }
        Some(FileKind::Dir) if !to.as_path().starts_with(path) => {
            links_lead_where_they_led(root, path, to).map(|()| Judged::Moves)
        }
        _ if path == to => Err(Error::new(Kind::Exists).because("it is in this directory already")),
        _ => Ok(Judged::Moves),
    }
}

/// Refuses a directory with a link inside it that would lead elsewhere from the new place.
fn links_lead_where_they_led(root: &Root, dir: &LinkPath, to: &LinkPath) -> Result<()> {
    for finding in root.scan(dir, ScanOptions::default())? {
        let finding = finding?;
        let Some(text) = &finding.target else {
            return Err(Error::new(Kind::Permission).because(format!("`{}` cannot be read", finding.link.display())));
        };
        let inside = finding.link.strip_prefix(dir).unwrap_or(&finding.link);
        let Some((above, rest)) = climbs(inside, text) else {
            // Spelled so it stays inside; where a name on the way is a link, a `..` behind it need not.
            let leaves = finding.resolved.as_ref().is_some_and(|resolved| !resolved.starts_with(dir));
            if leaves && has_inner_dotdot(text) {
                return Err(elsewhere(Kind::Mismatch, &finding.link, text));
            }
            continue;
        };
        let kind = match (led(root, dir.parent(), above, &rest), led(root, to.parent(), above, &rest)) {
            (before, after) if before == after => continue,
            (_, Led::Outside) => Kind::Escape,
            (_, Led::Nothing) => Kind::Dangling,
            _ => Kind::Mismatch,
        };
        return Err(elsewhere(kind, &finding.link, text));
    }
    Ok(())
}

fn elsewhere(kind: Kind, link: &Path, text: &OsStr) -> Error {
    let link = crate::error::printable(link);
    let reason = format!("the link `{link}` inside it would lead elsewhere from its new place");
    Error::new(kind).because(reason).via(text)
}

fn holds(inner: &LinkPath) -> Error {
    Error::new(Kind::Mismatch).because(format!("`{inner}`, which is to be adopted as well, is inside it"))
}

/// Whether a relative text has a `..` behind a name.
fn has_inner_dotdot(text: &OsStr) -> bool {
    let text = Path::new(text);
    let mut components = text.components().skip_while(|component| !matches!(component, Component::Normal(_)));
    text.is_relative() && components.any(|component| component == Component::ParentDir)
}

/// Whether a relative text leaves the directory that its link is in; how many directories above that directory's parent it
/// climbs, and what follows then. `link` is the path of the link below the directory.
fn climbs(link: &Path, text: &OsStr) -> Option<(usize, PathBuf)> {
    let text = Path::new(text);
    if text.is_absolute() {
        return None;
    }
    let mut depth = link.iter().count() as isize - 1;
    let (mut lowest, mut rest) = (0, PathBuf::new());
    for component in text.components() {
        match component {
            Component::ParentDir => {
                depth -= 1;
                if depth < lowest {
                    lowest = depth;
                    rest = PathBuf::new();
                } else {
                    rest.pop();
                }
            }
            Component::Normal(name) => {
                depth += 1;
                rest.push(name);
            }
            _ => {}
        }
    }
    // One step below the directory itself is its parent.
    (lowest < 0).then(|| ((-lowest - 1) as usize, rest))
}

/// Where a text leads.
#[derive(PartialEq, Eq)]
enum Led {
    To(PathBuf),
    Nothing,
    Outside,
}

fn led(root: &Root, from: &Path, above: usize, rest: &Path) -> Led {
    let mut dir = from.to_path_buf();
    for _ in 0..above {
        if !dir.pop() {
            return Led::Outside;
        }
    }
    match root.resolve(dir.join(rest)) {
        Ok(resolved) => Led::To(resolved.path),
        Err(error) if matches!(error.kind(), Kind::Escape | Kind::MagicLink) => Led::Outside,
        Err(_) => Led::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_climbs_by_its_lowest_point() {
        let climbs = |link: &str, text: &str| {
            climbs(Path::new(link), OsStr::new(text)).map(|(n, rest)| (n, rest.display().to_string()))
        };
        assert_eq!(climbs("l", "x"), None);
        assert_eq!(climbs("a/l", "../x"), None);
        assert_eq!(climbs("a/l", "/abs"), None);
        assert_eq!(climbs("l", "../x"), Some((0, "x".into())));
        assert_eq!(climbs("l", "../../x/y"), Some((1, "x/y".into())));
        assert_eq!(climbs("a/l", "../../x/../y"), Some((0, "y".into())));
        assert_eq!(climbs("l", "x/../../y"), Some((0, "y".into())));
    }
}
