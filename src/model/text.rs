//! What the text of a link says by its spelling, seen from the directory of the link.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use super::path::ends_as_directory;

/// The spelling of a link's text.
#[derive(Debug)]
pub(crate) struct Spelling<'a> {
    text: &'a OsStr,
}

/// Where the walk of a text begins, as far as spelling can tell.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Below the root at this path, which has no `..` left: one confined open can tell the rest.
    Plain(PathBuf),
    /// Below the root, but a `..` comes after a name: only a walk can tell.
    Winding,
    /// An absolute text inside the root continues here.
    Absolute(PathBuf),
    /// The leading `..` climb above the root; this many components in.
    Climbs(usize),
    /// An absolute text that does not begin with the root's physical path.
    Outside,
}

impl<'a> Spelling<'a> {
    pub(crate) fn new(text: &'a OsStr) -> Spelling<'a> {
        Spelling { text }
    }

    pub(crate) fn is_absolute(&self) -> bool {
        Path::new(self.text).has_root()
    }

    /// `x/` and `x/.` lead to a directory only.
    pub(crate) fn wants_directory(&self) -> bool {
        ends_as_directory(self.text.as_encoded_bytes())
    }

    /// Whether the text has `//`, `/./`, a trailing `/` or a name followed by `..`.
    pub(crate) fn is_messy(&self) -> bool {
        let bytes = self.text.as_encoded_bytes();
        let root_only = bytes == b"/";
        let doubled = bytes.windows(2).any(|pair| pair == b"//") || bytes.windows(3).any(|three| three == b"/./");
        doubled || (self.wants_directory() && !root_only && bytes.len() > 1) || self.goes_back()
    }

    /// Whether a `..` follows a name.
    fn goes_back(&self) -> bool {
        let mut named = false;
        Path::new(self.text).components().any(|component| match component {
            Component::Normal(_) => {
                named = true;
                false
            }
            Component::ParentDir => named,
            _ => false,
        })
    }

    /// Whether a link in the directory `from` climbs with more `..` than it needs: it comes back down the same way.
    pub(crate) fn is_lengthy(&self, from: &Path) -> bool {
        let climbed = self.leading_parents();
        let depth = from.components().count();
        if climbed == 0 || climbed > depth {
            return false;
        }
        let left_behind = from.components().nth(depth - climbed);
        let next = Path::new(self.text).components().filter(|c| *c != Component::CurDir).nth(climbed);
        next.is_some() && next == left_behind
    }

    fn leading_parents(&self) -> usize {
        let components = Path::new(self.text).components();
        components.filter(|c| *c != Component::CurDir).take_while(|c| *c == Component::ParentDir).count()
    }

    /// Where the walk begins, for a link in the physical directory `from` below a root at `root`.
    pub(crate) fn start(&self, from: &Path, root: Option<&Path>) -> Start {
        if self.is_absolute() {
            return match root.and_then(|root| Path::new(self.text).strip_prefix(root).ok()) {
                Some(rest) => Start::Absolute(rest.to_path_buf()),
                None => Start::Outside,
            };
        }
        let climbed = self.leading_parents();
        let depth = from.components().count();
        if climbed > depth {
            return Start::Climbs(depth);
        }
        if self.goes_back() {
            return Start::Winding;
        }
        let rest = Path::new(self.text).components().filter(|c| matches!(c, Component::Normal(_)));
        Start::Plain(from.components().take(depth - climbed).chain(rest).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelling(text: &str) -> Spelling<'_> {
        Spelling::new(OsStr::new(text))
    }

    #[test]
    fn messy_texts_are_told_from_clean_ones() {
        for text in ["a//b", "a/./b", "a/", "a/..", "a/../b", "../a/../b", "/x//y", "a/.", "../"] {
            assert!(spelling(text).is_messy(), "{text}");
        }
        for text in ["a", "../a", "../../a/b", "/", ".", "..", "/x/y", "./a", "a..b/c"] {
            assert!(!spelling(text).is_messy(), "{text}");
        }
    }

    #[test]
    fn lengthy_texts_come_back_down_the_way_they_went_up() {
        for (from, text, lengthy) in [
            ("a/b", "../b/f", true),
            ("a/b", "../../a/b/f", true),
            ("a/b", "../../a", true),
            ("a/b", "../c/f", false),
            ("a/b", "../../b", false),
            ("a/b", "f", false),
            ("a", "../../a/f", false),
            ("", "a", false),
        ] {
            assert_eq!(spelling(text).is_lengthy(Path::new(from)), lengthy, "{from}: {text}");
        }
    }

    #[test]
    fn the_start_is_known_by_spelling_where_no_name_is_gone_back_over() {
        let from = Path::new("a/b");
        let root = Some(Path::new("/srv"));
        for (text, start) in [
            ("f", Start::Plain("a/b/f".into())),
            ("./../c//f/", Start::Plain("a/c/f".into())),
            ("../..", Start::Plain("".into())),
            ("../../..", Start::Climbs(2)),
            ("d/../../t", Start::Winding),
            ("/srv/x/../y", Start::Absolute("x/../y".into())),
            ("/srvx", Start::Outside),
            ("/etc", Start::Outside),
        ] {
            assert_eq!(spelling(text).start(from, root), start, "{text}");
        }
    }
}
