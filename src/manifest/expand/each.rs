//! `[[each]]`: links for every directory that matches a glob.
//!
//! Only directories that can lead to a match are listed: each component of the glob is compared for itself on the way down.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::super::entries::{Each, declared, target};
use super::{Walk, joined};
use crate::error::FileKind;
use crate::model::{LinkPath, Style};
use crate::plan::{Pattern, Star};

/// One component of a glob.
enum Step {
    /// A name as it stands.
    Name(String),
    /// A glob on one name.
    Glob(Pattern),
    /// Any number of names.
    Any,
}

/// A directory, and how far into the glob it can be.
struct Waiting {
    path: PathBuf,
    /// For each number of components whether they can have matched; one more than there are.
    reached: Vec<bool>,
}

/// Looks at every directory that can lead to a match.
pub(super) fn expand(walk: &mut Walk<'_>, each: &Each, source: &Path) {
    let steps = steps(&each.glob);
    let mut start = vec![false; steps.len() + 1];
    start[0] = true;
    skip_any(&steps, &mut start);
    let mut waiting = vec![Waiting { path: PathBuf::new(), reached: start }];
    while let Some(Waiting { path: dir, reached }) = waiting.pop() {
        if walk.is_over() {
            return;
        }
        if !dir.as_os_str().is_empty() && each.matching.matches(&dir) {
            fill(walk, each, &dir, source);
        }
        // The end of the glob leads no further, unless it is `**`.
        if !reached[..steps.len()].contains(&true) {
            continue;
        }
        let Some(names) = walk.names(&dir, each.at) else { continue };
        let mut dirs = Vec::new();
        for (name, _) in names.into_iter().filter(|(_, kind)| *kind == FileKind::Dir) {
            let path = joined(&dir, &name);
            let Some(reached) = after(&steps, &reached, &name) else { continue };
            let excluded = each.exclude.as_ref().is_some_and(|exclude| exclude.matches(&path));
            if !excluded && walk.keep(&path, each.at) {
                dirs.push(Waiting { path, reached });
            }
        }
        waiting.extend(dirs.into_iter().rev());
    }
}

/// Declares the links for one directory.
fn fill(walk: &mut Walk<'_>, each: &Each, dir: &Path, source: &Path) {
    let base = dir.file_name().unwrap_or_default();
    for (link, to) in &each.links {
        let (link, text) = (link.fill(dir.as_os_str(), base), to.fill(dir.as_os_str(), base));
        // A target that says where the directory is starts at the root, as the directory does.
        let source = if to.has_dir() { Path::new("") } else { source };
        let made = LinkPath::new(&link).and_then(|link| {
            let (target, kind) = target(source, &text, each.settings.style, each.kind)?;
            Ok(declared(link, target, kind, each.settings, each.label.clone(), each.at))
        });
        match made {
            Ok(declared) => {
                let more = walk.entry(declared.link.as_path(), each.at)
                    && (each.settings.style == Style::Verbatim
                        || walk.keep(Path::new(declared.target.as_os_str()), each.at));
                if !more {
                    return;
                }
                walk.from_each.push(declared);
            }
            Err(error) => walk.trouble(error.during("expand"), each.at),
        }
    }
}

/// The components of a glob. From one on that cannot be taken apart anything may match; the whole glob decides.
fn steps(glob: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for component in glob.split('/').filter(|component| !matches!(*component, "" | ".")) {
        let step = match component {
            "**" => Step::Any,
            plain if !plain.contains(['*', '?', '[', ']', '{', '}', '\\']) => Step::Name(plain.to_owned()),
            // A brace or class can go over a `/`, and `**` within a component is as `*`.
            glob => match Pattern::new(&[glob], Star::Component) {
                Ok(pattern) if !glob.contains("**") => Step::Glob(pattern),
                _ => {
                    steps.push(Step::Any);
                    return steps;
                }
            },
        };
        steps.push(step);
    }
    steps
}

/// How far one more name leads; none where it leads nowhere.
fn after(steps: &[Step], reached: &[bool], name: &OsStr) -> Option<Vec<bool>> {
    let mut next = vec![false; reached.len()];
    for (index, step) in steps.iter().enumerate().filter(|(index, _)| reached[*index]) {
        match step {
            Step::Any => next[index] = true,
            Step::Name(plain) => next[index + 1] |= name == OsStr::new(plain),
            Step::Glob(pattern) => next[index + 1] |= pattern.matches(name),
        }
    }
    skip_any(steps, &mut next);
    next.contains(&true).then_some(next)
}

/// `**` may stand for no name at all.
fn skip_any(steps: &[Step], reached: &mut [bool]) {
    for (index, step) in steps.iter().enumerate() {
        if reached[index] && matches!(step, Step::Any) {
            reached[index + 1] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a directory would be looked at.
    fn leads_to(glob: &str, path: &str) -> bool {
        let steps = steps(glob);
        let mut reached = vec![false; steps.len() + 1];
        reached[0] = true;
        skip_any(&steps, &mut reached);
        path.split('/').all(|name| after(&steps, &reached, OsStr::new(name)).map(|next| reached = next).is_some())
    }

    #[test]
    fn every_directory_that_can_match_is_looked_at_and_few_others() {
        for (glob, path, looked) in [
            ("packages/*", "packages/a", true),
            ("packages/*", "packages/a/b", false),
            ("packages/*", "other", false),
            ("a/*/b-*", "a/x/b-1", true),
            ("a/*/b-*", "a/x/c", false),
            ("**/x", "a/b/c/x", true),
            ("a/**/x", "a/x", true),
            ("a/**", "a/b/c", true),
            ("{a,b/c}/d", "b/c/d", true),
            ("a[b/]c/d", "x", true),
            ("a**b/c", "x", true),
        ] {
            assert_eq!(leads_to(glob, path), looked, "{glob} {path}");
            let matching = Pattern::new(&[glob], Star::Component).unwrap();
            assert!(looked || !matching.matches(path), "{glob} matches {path}");
        }
    }
}
