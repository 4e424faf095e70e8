//! New texts for a link, made from its present one by spelling alone.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use crate::model::{Spelling, Start, relative_text};

/// An absolute text inside the root, as one relative to the link's directory `from`; none where it leads elsewhere.
pub(super) fn made_relative(text: &OsStr, from: &Path, root: Option<&Path>) -> Option<OsString> {
    let Start::Absolute(rest) = Spelling::new(text).start(from, root) else { return None };
    if rest.components().any(|component| component == Component::ParentDir) {
        // A `..` after a name is only known by walking: up to the root, and on as before.
        let up: PathBuf = from.components().map(|_| Component::ParentDir).collect();
        return Some(up.join(rest).into_os_string());
    }
    Some(relative_text(from, &rest.components().collect::<PathBuf>()))
}

/// The text without `//`, `/./` and a trailing `/`; and without a name that a `..` goes back over, where that name is
/// known to be a directory and no link.
pub(super) fn tidied(text: &OsStr, real_names: bool) -> OsString {
    let mut tidy = PathBuf::new();
    for component in Path::new(text).components() {
        let named = matches!(tidy.components().next_back(), Some(Component::Normal(_)));
        if component == Component::ParentDir && named && real_names {
            tidy.pop();
        } else {
            tidy.push(component);
        }
    }
    or_here(tidy)
}

/// The text with no more `..` than it needs; none where a walk has to tell, as it has not where every name that a `..`
/// goes back over is known to be a directory and no link.
pub(super) fn shortened(text: &OsStr, from: &Path, real_names: bool) -> Option<OsString> {
    if !Spelling::new(text).is_lengthy(from) {
        return None;
    }
    match Spelling::new(text).start(from, None) {
        Start::Plain(path) => Some(relative_text(from, &path)),
        Start::Winding if real_names => {
            let straight = tidied(text, true);
            Some(shortened(&straight, from, false).unwrap_or(straight))
        }
        _ => None,
    }
}

/// The text with the prefix `old` put in another's place, where it ends at the end of a component.
pub(super) fn rebased(text: &OsStr, old: &OsStr, new: &OsStr) -> Option<OsString> {
    let rest = Path::new(text).strip_prefix(old).ok()?;
    Some(or_here(Path::new(new).components().chain(rest.components()).collect()))
}

/// An empty path is the directory itself.
fn or_here(path: PathBuf) -> OsString {
    if path.as_os_str().is_empty() { ".".into() } else { path.into_os_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> &OsStr {
        OsStr::new(text)
    }

    #[test]
    fn absolute_texts_inside_become_relative() {
        let root = Some(Path::new("/srv/app"));
        for (target, from, relative) in [
            ("/srv/app/releases/42", "", Some("releases/42")),
            ("/srv/app/a/f", "a/b", Some("../f")),
            ("/srv/app", "a", Some("..")),
            ("/srv/app/x/../y", "a/b", Some("../../x/../y")),
            ("/srv/apple", "", None),
            ("a/b", "", None),
        ] {
            let made = made_relative(text(target), Path::new(from), root);
            assert_eq!(made.as_deref(), relative.map(OsStr::new), "{target}");
        }
    }

    #[test]
    fn tidying_goes_back_over_real_names_only() {
        for (messy, with_links, real) in [
            ("a//b", "a/b", "a/b"),
            ("a/./b/", "a/b", "a/b"),
            ("x/../a", "x/../a", "a"),
            ("../x/../..", "../x/../..", "../.."),
            ("x/..", "x/..", "."),
            ("/a//b/", "/a/b", "/a/b"),
            ("./a", "./a", "./a"),
        ] {
            assert_eq!(tidied(text(messy), false), text(with_links), "{messy}");
            assert_eq!(tidied(text(messy), true), text(real), "{messy}");
        }
    }

    #[test]
    fn shortening_keeps_where_it_leads() {
        for (long, from, with_links, real) in [
            ("../b/f", "a/b", Some("f"), Some("f")),
            ("../../a/c", "a/b", Some("../c"), Some("../c")),
            ("../c", "a/b", None, None),
            ("../b/x/../f", "a/b", None, Some("f")),
            ("../../a/..", "a/c", None, Some("../..")),
        ] {
            for (real_names, short) in [(false, with_links), (true, real)] {
                let made = shortened(text(long), Path::new(from), real_names);
                assert_eq!(made.as_deref(), short.map(OsStr::new), "{long}");
            }
        }
    }

    #[test]
    fn rebasing_ends_at_a_component() {
        for (target, old, new, rebased_text) in [
            ("/old/a/b", "/old", "/new", Some("/new/a/b")),
            ("/older/a", "/old", "/new", None),
            ("releases/41/x", "releases/41", "releases/42", Some("releases/42/x")),
            ("a/b", "a", ".", Some("./b")),
        ] {
            let made = rebased(text(target), text(old), text(new));
            assert_eq!(made.as_deref(), rebased_text.map(OsStr::new), "{target}");
        }
    }
}
