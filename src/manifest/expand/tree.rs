//! `[[tree]]`: a link for every file below a directory.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::super::entries::{Tree, declared};
use super::{Walk, joined};
use crate::error::{Error, FileKind, Kind};
use crate::model::{LinkPath, Target};
use crate::plan::TargetKind;

/// Looks at everything below `from` that is not left out.
pub(super) fn expand(walk: &mut Walk<'_>, tree: &Tree) {
    // Paths below `from`, the next one last.
    let mut waiting = vec![PathBuf::new()];
    while let Some(dir) = waiting.pop() {
        if walk.is_over() {
            return;
        }
        let at = if dir.as_os_str().is_empty() { tree.from.clone() } else { tree.from.join(&dir) };
        let Some(names) = walk.names(&at, tree.at) else { continue };
        let mut dirs = Vec::new();
        for (name, kind) in names {
            let path = joined(&dir, &name);
            if is_never_taken(&name) || tree.exclude.as_ref().is_some_and(|exclude| exclude.matches(&path)) {
                continue;
            }
            let included = || tree.include.as_ref().is_none_or(|include| include.matches(&path));
            match kind {
                FileKind::Dir => dirs.extend(walk.keep(&path, tree.at).then_some(path)),
                FileKind::File | FileKind::Symlink if included() => take(walk, tree, &path),
                FileKind::File | FileKind::Symlink => {}
                _ if included() => {
                    let error = Error::new(Kind::InvalidTarget).on("expand", tree.from.join(&path));
                    walk.trouble(error.because(format!("a tree takes files and links, and this is {kind}")), tree.at);
                }
                _ => {}
            }
        }
        waiting.extend(dirs.into_iter().rev());
    }
}

/// Declares the link to one file.
fn take(walk: &mut Walk<'_>, tree: &Tree, path: &Path) {
    let turned = if tree.dotfiles { undotted(path) } else { Cow::Borrowed(path) };
    let link = tree.into.join(turned);
    let target = tree.from.join(path);
    match LinkPath::new(&link) {
        Ok(link) => {
            if walk.entry(link.as_path(), tree.at) && walk.keep(&target, tree.at) {
                let target = Target::new(tree.settings.style, target);
                let declared = declared(link, target, TargetKind::Any, tree.settings, tree.label.clone(), tree.at);
                walk.from_trees.push(declared);
            }
        }
        Err(error) => walk.trouble(error.during("expand"), tree.at),
    }
}

/// What version control and editors leave in every tree.
fn is_never_taken(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    matches!(bytes, b".git" | b".gitignore") || bytes.ends_with(b"~") || bytes.starts_with(b".#")
}

/// The path with `.` for `dot-` at the beginning of each component; `dot-` alone stays.
fn undotted(path: &Path) -> Cow<'_, Path> {
    let is_dotted = |name: &OsStr| name.len() > 4 && name.as_encoded_bytes().starts_with(b"dot-");
    if !path.iter().any(is_dotted) {
        return Cow::Borrowed(path);
    }
    let mut turned = PathBuf::new();
    for name in path {
        match name.as_encoded_bytes().strip_prefix(b"dot-") {
            Some(rest) if is_dotted(name) => {
                let mut dotted = OsString::from(".");
                dotted.push(text_of(rest, name));
                turned.push(dotted);
            }
            _ => turned.push(name),
        }
    }
    Cow::Owned(turned)
}

/// The end of a name that begins with ASCII.
#[cfg(unix)]
fn text_of<'n>(rest: &'n [u8], _name: &'n OsStr) -> &'n OsStr {
    use std::os::unix::ffi::OsStrExt as _;
    OsStr::from_bytes(rest)
}

#[cfg(not(unix))]
fn text_of<'n>(rest: &'n [u8], name: &'n OsStr) -> &'n OsStr {
    name.to_str().and_then(|name| name.get(name.len() - rest.len()..)).map_or(name, OsStr::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dot_is_turned_in_every_component_and_alone_it_stays() {
        for (path, turned) in [
            ("dot-zshrc", ".zshrc"),
            ("dot-config/dot-x/y", ".config/.x/y"),
            ("dot-", "dot-"),
            ("dot-/x", "dot-/x"),
            ("a-dot-b", "a-dot-b"),
            ("dotx", "dotx"),
            ("dot-dot-x", ".dot-x"),
        ] {
            assert_eq!(&*undotted(Path::new(path)), Path::new(turned), "{path}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn bytes_that_are_no_text_are_kept() {
        use std::os::unix::ffi::OsStrExt as _;
        let [path, turned] = [&b"dot-\xff/\xfe"[..], b".\xff/\xfe"].map(|bytes| Path::new(OsStr::from_bytes(bytes)));
        assert_eq!(&*undotted(path), turned);
    }

    #[test]
    fn what_is_in_every_tree_is_not_taken() {
        for name in [".git", ".gitignore", "x~", "~", ".#x"] {
            assert!(is_never_taken(OsStr::new(name)), "{name}");
        }
        for name in [".gitconfig", ".gitattributes", "x", "#x#", "git"] {
            assert!(!is_never_taken(OsStr::new(name)), "{name}");
        }
    }
}
