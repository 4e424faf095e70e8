//! The text of a link after something was moved, made from its present one by spelling alone: the old tree is gone.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use super::text::absolute_text;
use crate::model::{Anchor, LinkPath, Spelling, Start, relative_text};

/// Where a text leads by spelling.
struct Read {
    end: PathBuf,
    /// Whether the way leads over an old place.
    over_old: bool,
}

/// The text that leads where `text` led before the moves, each of what was at one path to another, in this order; `None`
/// where they do not concern the link, or where it leads there already.
///
/// `link` is where the link is now. All paths are below the root; `anchor` says where absolute texts begin.
pub(super) fn moved(text: &OsStr, link: &Path, moves: &[(LinkPath, LinkPath)], anchor: Anchor<'_>) -> Option<OsString> {
    let from = link.parent().filter(|_| !text.is_empty())?;
    // What is below a new place is read as from the old one.
    let place = before(link, moves);
    let led = read(text, place.parent()?, moves, anchor)?;
    let now = after(&led.end, moves);
    if now == led.end && place == link && !led.over_old {
        return None;
    }
    if read(text, from, moves, anchor).is_some_and(|leads| leads.end == now && !leads.over_old) {
        return None;
    }
    let mut renewed = match Spelling::new(text).is_absolute() {
        true => absolute_text(&now, anchor)?,
        false => relative_text(from, &now),
    };
    // What had to be a directory has to be one still.
    if Spelling::new(text).wants_directory() {
        renewed.push("/");
    }
    (renewed != text).then_some(renewed)
}

/// Where what is at a path now was before the moves.
fn before(path: &Path, moves: &[(LinkPath, LinkPath)]) -> PathBuf {
    let mut place = path.to_path_buf();
    for (old, new) in moves.iter().rev() {
        match place.strip_prefix(new) {
            Ok(rest) => place = joined(old, rest),
            // It came there since.
            Err(_) if place.starts_with(old) => break,
            Err(_) => {}
        }
    }
    place
}

/// Where what was at a path is after the moves.
fn after(path: &Path, moves: &[(LinkPath, LinkPath)]) -> PathBuf {
    moves.iter().fold(path.to_path_buf(), |place, (old, new)| match place.strip_prefix(old) {
        Ok(rest) => joined(new, rest),
        Err(_) => place,
    })
}

/// Joining with nothing adds a slash.
fn joined(path: &LinkPath, rest: &Path) -> PathBuf {
    path.as_path().join(rest).components().collect()
}

/// Reads a text in the directory `from`, taking every name that a `..` goes back over for a directory.
fn read(text: &OsStr, from: &Path, moves: &[(LinkPath, LinkPath)], anchor: Anchor<'_>) -> Option<Read> {
    let (mut end, relative) = match Spelling::new(text).start(from, anchor) {
        Start::Absolute(rest) => (PathBuf::new(), rest),
        Start::Plain(_) | Start::Winding => (from.to_path_buf(), PathBuf::from(text)),
        Start::Climbs(_) | Start::Outside => return None,
    };
    let mut over_old = false;
    for component in relative.components() {
        match component {
            Component::ParentDir => {
                let climbed = end.pop();
                if !(climbed || anchor.is_top) {
                    return None;
                }
            }
            Component::Normal(name) => {
                end.push(name);
                over_old |= moves.iter().any(|(old, _)| old.as_path() == end);
            }
            _ => {}
        }
    }
    let is_within = moves.iter().any(|(old, _)| end.starts_with(old));
    Some(Read { over_old: over_old && !is_within, end })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moves(moves: &[(&str, &str)]) -> Vec<(LinkPath, LinkPath)> {
        let path = |path| LinkPath::new(path).unwrap();
        moves.iter().map(|(old, new)| (path(*old), path(*new))).collect()
    }

    /// Moves one after the other, below a root at `/srv`.
    fn after_each(text: &str, link: &str, each: &[(&str, &str)]) -> Option<String> {
        let anchor = Anchor::physical(Some(Path::new("/srv")));
        let text = moved(OsStr::new(text), Path::new(link), &moves(each), anchor)?;
        Some(text.into_string().unwrap())
    }

    /// Moves `old` to `new`.
    fn after(text: &str, link: &str, old: &str, new: &str) -> Option<String> {
        after_each(text, link, &[(old, new)])
    }

    #[test]
    fn a_link_in_what_was_moved_leads_out_as_before() {
        let foo = |text, link| after(text, link, "packages/group1/foo", "packages/foo");
        let lodash = foo("../../../../store/lodash", "packages/foo/node_modules/lodash");
        assert_eq!(lodash.as_deref(), Some("../../../store/lodash"));
        assert_eq!(foo("../bar", "packages/foo/bar").as_deref(), Some("../group1/bar"));
        assert_eq!(foo("/srv/store", "packages/foo/abs"), None, "it leads there still");
        assert_eq!(foo("../../../../../x", "packages/foo/out"), None, "it led out of the root");
        assert_eq!(foo("a/../b", "packages/foo/in"), None, "it is where it led, too");
    }

    #[test]
    fn a_link_elsewhere_follows_what_was_moved() {
        for (text, link, renewed) in [
            ("a/b", "l", Some("c/d")),
            ("a/b/x", "l", Some("c/d/x")),
            ("./a//b/x/", "l", Some("c/d/x/")),
            ("../a/b/x", "a/l", Some("../c/d/x")),
            ("b/x", "a/l", Some("../c/d/x")),
            ("/srv/a/b/x", "a/l", Some("/srv/c/d/x")),
            ("a/bc", "l", None),
            ("a/x", "l", None),
            ("c/d/x", "l", None),
            ("a/b/../x", "l", Some("a/x")),
            ("../../a/b", "a/l", None),
            ("/elsewhere/a/b", "l", None),
        ] {
            assert_eq!(after(text, link, "a/b", "c/d").as_deref(), renewed, "{text}");
        }
    }

    #[test]
    fn links_within_what_was_moved_stay_as_they_are_if_they_are_relative() {
        for (text, renewed) in [
            ("x", None),
            ("s/../x", None),
            ("../b/x", Some("x")),
            ("/srv/a/b/x", Some("/srv/c/x")),
            ("/srv/a/b", Some("/srv/c")),
            ("..", Some("../a")),
            (".", None),
        ] {
            assert_eq!(after(text, "c/l", "a/b", "c").as_deref(), renewed, "{text}");
        }
    }

    #[test]
    fn what_was_moved_may_be_the_link_itself() {
        assert_eq!(after("x", "c/l", "a/k", "c/l").as_deref(), Some("../a/x"));
        assert_eq!(after("../c/x", "c/l", "a/k", "c/l"), None, "it leads there already");
    }

    #[test]
    fn what_was_moved_follows_what_else_was_moved() {
        // Both were moved down: neither move alone makes one text of the other.
        let apart = [("a", "e/b"), ("c", "f/g/d")];
        for (text, link, renewed) in [
            ("../c/x", "e/b/l", Some("../../f/g/d/x")),
            ("../a/x", "f/g/d/l", Some("../../../e/b/x")),
            ("../../c/x", "e/b/s/l", Some("../../../f/g/d/x")),
            ("s/x", "e/b/l", None),
            ("../k", "e/b/l", Some("../../k")),
            ("a/x", "l", Some("e/b/x")),
            ("/srv/c/x", "e/b/l", Some("/srv/f/g/d/x")),
            ("k", "l", None),
        ] {
            assert_eq!(after_each(text, link, &apart).as_deref(), renewed, "{text}");
        }
        let together = [("p/a", "lib/p/a"), ("p/b", "lib/p/b")];
        assert_eq!(after_each("../b/x", "lib/p/a/l", &together), None, "they are beside each other still");
    }

    #[test]
    fn what_was_moved_twice_is_where_it_came_at_last() {
        let twice = [("a", "b"), ("b", "c/d")];
        assert_eq!(after_each("a/x", "l", &twice).as_deref(), Some("c/d/x"));
        assert_eq!(after_each("../k", "c/d/l", &twice).as_deref(), Some("../../k"));
        assert_eq!(after_each("../k", "b/l", &twice), None, "it came there since");
    }

    #[test]
    fn in_an_image_a_text_begins_at_its_root_and_climbs_no_further() {
        let image = Anchor { path: Some(Path::new("/")), is_top: true };
        for (text, link, renewed) in [
            ("/a/b/x", "l", Some("/c/d/x")),
            ("../../a/b/x", "e/l", Some("../c/d/x")),
            ("../../../../e", "c/d/l", None),
            ("/", "c/d/l", None),
        ] {
            let made = moved(OsStr::new(text), Path::new(link), &moves(&[("a/b", "c/d")]), image);
            assert_eq!(made.as_deref(), renewed.map(OsStr::new), "{text}");
        }
    }
}
