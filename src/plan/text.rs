//! New texts for a link, made from its present one by spelling alone.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf, is_separator};

use crate::model::{Anchor, Spelling, Start, relative_text};

/// An absolute text inside the root, as one relative to the link's directory `from`; `None` where it leads elsewhere.
///
/// A `..` in it is taken out where every name that it goes back over is a directory (`real_names`).
pub(super) fn made_relative(text: &OsStr, from: &Path, anchor: Anchor<'_>, real_names: bool) -> Option<OsString> {
    let Start::Absolute(mut rest) = Spelling::new(text).start(from, anchor) else { return None };
    while let (true, Ok(inside)) = (anchor.is_top, rest.strip_prefix("..")) {
        // Above the root of an image is the root.
        rest = inside.to_path_buf();
    }
    if rest.components().all(|component| component != Component::ParentDir) {
        return Some(relative_text(from, &rest.components().collect::<PathBuf>()));
    }
    if real_names && anchor.is_top {
        return Some(relative_text(from, &straight(&rest)));
    }
    // A `..` after a name is only known by walking: up to the root, and on as before.
    let up: PathBuf = from.components().map(|_| Component::ParentDir).collect();
    Some(up.join(rest).into_os_string())
}

/// The absolute text that leads to `end`, below the root; `None` where the root has no path.
pub(super) fn absolute_text(end: &Path, anchor: Anchor<'_>) -> Option<OsString> {
    // Joining with nothing adds a slash.
    Some(anchor.path?.join(end).components().collect::<PathBuf>().into_os_string())
}

/// The path without `..`, none of which leads above its beginning.
fn straight(path: &Path) -> PathBuf {
    let mut straight = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => _ = straight.pop(),
            Component::Normal(name) => straight.push(name),
            _ => {}
        }
    }
    straight
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

/// The text with no more `..` than it needs; `None` where a walk has to tell, as it has not where every name that a `..`
/// goes back over is known to be a directory and no link.
pub(super) fn shortened(text: &OsStr, from: &Path, anchor: Anchor<'_>, real_names: bool) -> Option<OsString> {
    let spelling = Spelling::new(text);
    if !spelling.is_lengthy(from, anchor.is_top) {
        return None;
    }
    match spelling.start(from, anchor) {
        Start::Plain(path) => Some(relative_text(from, &path)),
        Start::Winding if real_names => {
            let straight = tidied(text, true);
            Some(shortened(&straight, from, anchor, false).unwrap_or(straight))
        }
        _ => None,
    }
}

/// The text with `new` in place of `old`, where it begins with that byte for byte, up to the end of a component.
pub(super) fn rebased(text: &OsStr, old: &OsStr, new: &OsStr) -> Option<OsString> {
    if !text.as_encoded_bytes().starts_with(old.as_encoded_bytes()) {
        return None;
    }
    let separates = |byte: Option<&u8>| byte.is_some_and(|byte| is_separator(char::from(*byte)));
    let ends = |text: &OsStr| separates(text.as_encoded_bytes().last());
    let mut at = old.len();
    let begins = separates(text.as_encoded_bytes().get(at));
    if at < text.len() && !begins && !ends(old) {
        return None;
    }
    let mut rebased = new.to_os_string();
    match (ends(new), begins) {
        (true, true) => at += 1,
        (false, false) if at < text.len() => rebased.push("/"),
        _ => {}
    }
    rebased.push(after(text, at)?);
    Some(rebased)
}

/// The text from this byte on, which is the first of a component or a separator.
#[cfg(unix)]
fn after(text: &OsStr, at: usize) -> Option<&OsStr> {
    use std::os::unix::ffi::OsStrExt as _;
    text.as_bytes().get(at..).map(OsStr::from_bytes)
}

#[cfg(not(unix))]
fn after(text: &OsStr, at: usize) -> Option<&OsStr> {
    text.to_str()?.get(at..).map(OsStr::new)
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
        let root = Anchor::physical(Some(Path::new("/srv/app")));
        for (target, from, relative) in [
            ("/srv/app/releases/42", "", Some("releases/42")),
            ("/srv/app/a/f", "a/b", Some("../f")),
            ("/srv/app", "a", Some("..")),
            ("/srv/app/x/../y", "a/b", Some("../../x/../y")),
            ("/srv/apple", "", None),
            ("a/b", "", None),
        ] {
            let made = made_relative(text(target), Path::new(from), root, true);
            assert_eq!(made.as_deref(), relative.map(OsStr::new), "{target}");
        }
    }

    #[test]
    fn absolute_texts_of_an_image_become_relative_ones_that_stay_in_it() {
        let image = Anchor { path: Some(Path::new("/")), is_top: true };
        for (target, from, known, relative) in [
            ("/bin/busybox", "bin", true, "busybox"),
            ("/", "etc", true, ".."),
            ("/etc/../../../usr", "etc", true, "../usr"),
            ("/etc/../usr", "etc", false, "../etc/../usr"),
            ("/../../usr", "etc", false, "../usr"),
        ] {
            let made = made_relative(text(target), Path::new(from), image, known);
            assert_eq!(made.as_deref(), Some(OsStr::new(relative)), "{target}");
        }
        let made = shortened(text("../../../../usr/lib"), Path::new("etc"), image, true);
        assert_eq!(made.as_deref(), Some(OsStr::new("../usr/lib")));
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
                let made = shortened(text(long), Path::new(from), Anchor::default(), real_names);
                assert_eq!(made.as_deref(), short.map(OsStr::new), "{long}");
            }
        }
    }

    #[test]
    fn rebasing_ends_at_a_component() {
        for (target, old, new, rebased_text) in [
            ("/old/a/b", "/old", "/new", Some("/new/a/b")),
            ("/old", "/old", "/new", Some("/new")),
            ("/older/a", "/old", "/new", None),
            ("releases/41/x", "releases/41", "releases/42", Some("releases/42/x")),
            ("a/b", "a", ".", Some("./b")),
            ("/old/x", "/old", "/", Some("/x")),
            ("/x", "/", "/old", Some("/old/x")),
            ("old/x", "old/", "new", Some("new/x")),
            ("old/x", "old/", "new/", Some("new/x")),
        ] {
            let made = rebased(text(target), text(old), text(new));
            assert_eq!(made.as_deref(), rebased_text.map(OsStr::new), "{target}");
        }
    }

    #[test]
    fn rebasing_compares_and_keeps_bytes() {
        for (target, old, new, rebased_text) in [
            ("./old/x", "old", "new", None),
            ("old/x", "./old", "new", None),
            ("a//b/x", "a/b", "new", None),
            ("a/b/x", "a//b", "new", None),
            ("old", "old/", "new", None),
            ("old//x/./y/", "old", "n//m", Some("n//m//x/./y/")),
            ("old/", "old", "new", Some("new/")),
        ] {
            let made = rebased(text(target), text(old), text(new));
            assert_eq!(made.as_deref(), rebased_text.map(OsStr::new), "{target}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn rebasing_keeps_bytes_that_are_no_text() {
        use std::os::unix::ffi::OsStrExt as _;
        let [target, old, new, made] = [&b"a\xff/\xfe"[..], b"a\xff", b"\xfd", b"\xfd/\xfe"].map(OsStr::from_bytes);
        assert_eq!(rebased(target, old, new).as_deref(), Some(made));
    }
}
