//! What the text of a link says by its spelling, seen from the directory of the link.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use super::path::ends_as_directory;

/// The spelling of a link's text, read once.
#[derive(Debug)]
pub(crate) struct Spelling<'a> {
    text: &'a OsStr,
    absolute: bool,
    directory: bool,
    messy: bool,
    /// A `..` follows a name.
    winding: bool,
    /// How many `..` it begins with.
    climbs: usize,
    /// Where its first name begins, in bytes.
    first: usize,
}

/// What texts are read by: where absolute ones lead, and whether a `..` at the root stays there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Anchor<'a> {
    /// The path that an absolute text begins with if it leads below the root; what follows goes on at the root.
    pub(crate) path: Option<&'a Path>,
    /// Nothing is above the root: a `..` there stays.
    pub(crate) is_top: bool,
}

impl<'a> Anchor<'a> {
    /// The root of a host, at this physical path, if that is known.
    pub(crate) fn physical(path: Option<&'a Path>) -> Anchor<'a> {
        Anchor { path, is_top: false }
    }
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
        let bytes = text.as_encoded_bytes();
        let (mut climbs, mut first, mut winding, mut doubled) = (0, None, false, false);
        let mut at = 0;
        while at < bytes.len() {
            let length = bytes[at..].iter().position(|b| is_separator(*b)).unwrap_or(bytes.len() - at);
            let after = at + length + 1;
            match &bytes[at..at + length] {
                b"" => doubled |= at > 0,
                // Between two separators; what a text begins or ends with is told apart below.
                b"." => doubled |= at > 0 && after <= bytes.len(),
                b".." if first.is_some() => winding = true,
                b".." => climbs += 1,
                _ => first = first.or(Some(at)),
            }
            at = after;
        }
        let directory = ends_as_directory(bytes);
        let messy = doubled || winding || (directory && bytes.len() > 1);
        let first = first.unwrap_or(bytes.len());
        Spelling { text, absolute: Path::new(text).has_root(), directory, messy, winding, climbs, first }
    }

    pub(crate) fn is_absolute(&self) -> bool {
        self.absolute
    }

    /// `x/` and `x/.` lead to a directory only.
    pub(crate) fn wants_directory(&self) -> bool {
        self.directory
    }

    /// Whether the text has `//`, `/./`, a trailing `/` or a name followed by `..`.
    pub(crate) fn is_messy(&self) -> bool {
        self.messy
    }

    /// Whether the text ends in `/.`, for which its directory must be searched.
    pub(crate) fn ends_within(&self) -> bool {
        self.directory && self.text.as_encoded_bytes().ends_with(b".")
    }

    /// Whether a link in the directory `from` climbs with more `..` than it needs: it comes back down the same way, or
    /// goes on climbing where it stays at the root.
    pub(crate) fn is_lengthy(&self, from: &Path, is_top: bool) -> bool {
        if self.climbs == 0 || self.absolute {
            return false;
        }
        let Ok((_, Some(below))) = self.climbed(from) else { return is_top };
        let down = behind(self.text, self.first).as_encoded_bytes();
        let end = down.iter().position(|byte| is_separator(*byte)).unwrap_or(down.len());
        !down.is_empty() && Some(&down[..end]) == below.file_name().map(OsStr::as_encoded_bytes)
    }

    /// The one name that a relative text leads to below the directory above it, and how many levels above that is.
    ///
    /// `None` if it leads further down, or winds; an empty name is that directory itself.
    pub(crate) fn single(&self) -> Option<(usize, &'a Path)> {
        let (climbs, rest) = self.descent()?;
        if !rest.as_os_str().as_encoded_bytes().iter().any(|byte| is_separator(*byte)) {
            return Some((climbs, rest));
        }
        let mut names = rest.components();
        let name = names.next();
        names.next().is_none().then(|| (climbs, name.map_or(Path::new(""), |name| Path::new(name.as_os_str()))))
    }

    /// The path that a text without a `..` after a name leads to from the directory `from`, if that is below the root.
    pub(crate) fn path_from(&self, from: &Path) -> Option<PathBuf> {
        self.climbed(from).ok().map(|(top, _)| self.below(top))
    }

    /// How many `..` a relative text begins with, and what comes after them; `None` if a `..` follows a name there.
    pub(crate) fn descent(&self) -> Option<(usize, &'a Path)> {
        if self.absolute || self.winding {
            return None;
        }
        let rest = Path::new(behind(self.text, self.first));
        Some((self.climbs, rest))
    }

    /// Where the walk begins, for a link in the physical directory `from`.
    pub(crate) fn start(&self, from: &Path, anchor: Anchor<'_>) -> Start {
        if self.absolute {
            return match anchor.path.and_then(|root| Path::new(self.text).strip_prefix(root).ok()) {
                Some(rest) => Start::Absolute(rest.to_path_buf()),
                None => Start::Outside,
            };
        }
        match self.climbed(from) {
            Err(depth) if !anchor.is_top => Start::Climbs(depth),
            _ if self.winding => Start::Winding,
            Ok((top, _)) => Start::Plain(self.below(top)),
            Err(_) => Start::Plain(self.below(Path::new(""))),
        }
    }

    /// Whether the leading `..` of a relative text climb above the root.
    pub(crate) fn climbs_out(&self, from: &Path) -> bool {
        !self.absolute && self.climbed(from).is_err()
    }

    /// The path of `top` with the names that come after the leading `..`.
    fn below(&self, top: &Path) -> PathBuf {
        let mut path = PathBuf::with_capacity(top.as_os_str().len() + 1 + self.text.len());
        path.push(top);
        match self.descent() {
            // Nothing to be cleaned: the rest is joined at once.
            Some((_, rest)) if !self.messy => {
                if !rest.as_os_str().is_empty() {
                    path.push(rest);
                }
            }
            _ => self.names().for_each(|name| path.push(name)),
        }
        path
    }

    /// The directory above `from` that the leading `..` lead to, with the one below it on the way back to `from`; or
    /// how many there are above it.
    fn climbed<'f>(&self, from: &'f Path) -> Result<(&'f Path, Option<&'f Path>), usize> {
        let (mut top, mut below) = (from, None);
        for climbed in 0..self.climbs {
            below = Some(top);
            top = parent(top).ok_or(climbed)?;
        }
        Ok((top, below))
    }

    /// The components after the leading `..`.
    fn names(&self) -> impl Iterator<Item = Component<'a>> {
        let rest = Path::new(self.text).components();
        rest.filter(|c| !matches!(c, Component::CurDir)).skip(self.climbs)
    }
}

/// The directory above that of a physical path, which has no separator too many and no `.`.
#[cfg(unix)]
fn parent(path: &Path) -> Option<&Path> {
    use std::os::unix::ffi::OsStrExt as _;
    let bytes = path.as_os_str().as_bytes();
    let end = bytes.iter().rposition(|byte| is_separator(*byte)).unwrap_or_default();
    (!bytes.is_empty()).then(|| Path::new(OsStr::from_bytes(&bytes[..end])))
}

#[cfg(not(unix))]
fn parent(path: &Path) -> Option<&Path> {
    path.parent()
}

/// What is left of a text behind so many bytes, of which the last is a separator.
#[cfg(unix)]
fn behind(text: &OsStr, bytes: usize) -> &OsStr {
    use std::os::unix::ffi::OsStrExt as _;
    OsStr::from_bytes(&text.as_bytes()[bytes..])
}

/// The same; a text that is no Unicode is cut between its components.
#[cfg(not(unix))]
fn behind(text: &OsStr, bytes: usize) -> &OsStr {
    if let Some(rest) = text.to_str().and_then(|text| text.get(bytes..)) {
        return OsStr::new(rest);
    }
    let mut rest = Path::new(text).components();
    while rest.as_path().as_os_str().len() > text.len() - bytes && rest.next().is_some() {}
    rest.as_path().as_os_str()
}

fn is_separator(byte: u8) -> bool {
    byte.is_ascii() && std::path::is_separator(char::from(byte))
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
            assert_eq!(spelling(text).is_lengthy(Path::new(from), false), lengthy, "{from}: {text}");
        }
    }

    #[test]
    fn a_descent_is_what_is_left_after_the_climb() {
        for (text, climbs, rest) in [
            ("a/b", 0, "a/b"),
            ("./a//b/", 0, "a//b/"),
            (".", 0, ""),
            ("../a", 1, "a"),
            ("./.././../a//b", 2, "a//b"),
            ("..", 1, ""),
            ("../", 1, ""),
        ] {
            assert_eq!(spelling(text).descent(), Some((climbs, Path::new(rest))), "{text}");
        }
        assert_eq!(spelling("../a/../b").descent(), None);
        assert_eq!(spelling("/a").descent(), None);
    }

    #[test]
    fn a_single_name_is_told_from_a_way_down() {
        for (text, climbs, name) in [
            ("a", 0, "a"),
            ("a/", 0, "a"),
            ("./a//", 0, "a"),
            ("../a", 1, "a"),
            ("..", 1, ""),
            (".", 0, ""),
            ("../.", 1, ""),
        ] {
            assert_eq!(spelling(text).single(), Some((climbs, Path::new(name))), "{text}");
        }
        for text in ["a/b", "a/b/", "../a/b", "a/..", "/a", "a//b"] {
            assert_eq!(spelling(text).single(), None, "{text}");
        }
    }

    #[test]
    fn the_start_is_known_by_spelling_where_no_name_is_gone_back_over() {
        let from = Path::new("a/b");
        let root = Anchor::physical(Some(Path::new("/srv")));
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
    #[test]
    fn nothing_is_above_the_root_of_an_image() {
        let image = Anchor { path: Some(Path::new("/")), is_top: true };
        for (text, start) in [
            ("../../../../usr//lib", Start::Plain("usr/lib".into())),
            ("../../..", Start::Plain("".into())),
            ("../../../../x/../y", Start::Winding),
            ("/etc/passwd", Start::Absolute("etc/passwd".into())),
            ("/", Start::Absolute("".into())),
        ] {
            assert_eq!(spelling(text).start(Path::new("a/b"), image), start, "{text}");
        }
        for (text, lengthy) in [("../../../x", true), ("../../x", false), ("/../x", false)] {
            assert_eq!(spelling(text).is_lengthy(Path::new("a/b"), true), lengthy, "{text}");
        }
        assert!(spelling("../../..").climbs_out(Path::new("a/b")) && !spelling("../..").climbs_out(Path::new("a/b")));
    }

    #[test]
    fn a_text_that_ends_in_a_dot_is_within_its_directory() {
        for (text, within) in
            [("a/.", true), ("a/./", false), (".", false), ("a", false), ("a.", false), ("../.", true)]
        {
            assert_eq!(spelling(text).ends_within(), within, "{text}");
        }
    }
}
