//! What a link is to point to, and the text that says so from where the link is.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::iter;
use std::path::{self, MAIN_SEPARATOR_STR, Path, PathBuf};

use super::path::{ends_as_directory, spell};
use crate::error::{Error, Kind, Result, words};

words! {
    "style":
    /// How the stored text is made from a target.
    #[derive(Default)]
    pub enum Style {
        /// The target is a path below the root; the text leads there from the physical directory of the link.
        #[default]
        Relative = "relative",
        /// The target is a path below the root; the text is the root's physical path joined with it.
        Absolute = "absolute",
        /// The target is the text, byte for byte.
        Verbatim = "verbatim",
    }
}

const NUL: &str = "the target contains a NUL byte";

/// What a link is to point to.
///
/// # Examples
///
/// ```
/// use caplink::Target;
///
/// let below_the_root = Target::relative("releases/42");
/// let as_it_stands = Target::verbatim("../shared/log");
/// assert_eq!(Target::from("releases/42"), below_the_root);
/// # let _ = as_it_stands;
/// ```
///
/// A text alone is a path below the root, in the default [`Style`]; that it is spelled well is [`check`](Target::check)ed by
/// whatever uses it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    text: OsString,
    style: Style,
    directory: Option<bool>,
}

impl Target {
    /// A target of any style.
    pub fn new(style: Style, target: impl Into<OsString>) -> Target {
        Target { text: target.into(), style, directory: None }
    }

    /// A path below the root, stored relative to the physical directory of the link.
    pub fn relative(path: impl Into<OsString>) -> Target {
        Target::new(Style::Relative, path)
    }

    /// A path below the root, stored as an absolute path.
    ///
    /// # Errors
    ///
    /// Using it is `unsupported` on a root that was not opened by path: its physical path is not known.
    pub fn absolute(path: impl Into<OsString>) -> Target {
        Target::new(Style::Absolute, path)
    }

    /// A text to be stored byte for byte.
    pub fn verbatim(text: impl Into<OsString>) -> Target {
        Target::new(Style::Verbatim, text)
    }

    /// Says whether the target is a directory, instead of looking at it.
    ///
    /// # Platform-specific behavior
    ///
    /// Only Windows has links of two kinds. Without this the target is looked at, and a missing one counts as a file.
    #[must_use]
    pub fn as_directory(mut self, directory: bool) -> Target {
        self.directory = Some(directory);
        self
    }

    /// Returns the style.
    pub fn style(&self) -> Style {
        self.style
    }

    /// Returns the path or text as it was given.
    pub fn as_os_str(&self) -> &OsStr {
        &self.text
    }

    pub(crate) fn directory_hint(&self) -> Option<bool> {
        self.directory
    }

    /// Whether the spelling asks for a directory: a path that ends in `/`, as a shell completes it.
    pub(crate) fn asks_for_directory(&self) -> bool {
        self.style != Style::Verbatim && ends_as_directory(self.text.as_encoded_bytes())
    }

    /// Checks the spelling, as every edit does that stores the target. `root` is the physical path of the root, where it
    /// is known: a path below the root may be written as an absolute one that begins with it.
    ///
    /// # Errors
    ///
    /// `invalid_target` for an empty one and one with a NUL byte; for a path below the root also with an inside `..`,
    /// `escape` where it is another absolute one or climbs above the root, `too_long` with a component over 255 bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use caplink::{Kind, Target};
    ///
    /// Target::relative("releases/42/").check(None)?;
    /// Target::relative("/srv/app/releases/42").check(Some(Path::new("/srv/app")))?;
    /// assert_eq!(Target::relative("../42").check(None).unwrap_err().kind(), Kind::Escape);
    /// # Ok::<(), caplink::Error>(())
    /// ```
    pub fn check(&self, root: Option<&Path>) -> Result<()> {
        self.spell(root).map(drop)
    }

    /// Checks the spelling. A verbatim text may be anything that a link can hold.
    pub(crate) fn spell(&self, root: Option<&Path>) -> Result<TargetPath<'_>> {
        let bytes = self.text.as_encoded_bytes();
        let refuse = |reason: &str| Err(Error::new(Kind::InvalidTarget).because(reason));
        if bytes.is_empty() {
            return refuse("the target is empty");
        }
        // A path that is well spelled has none.
        let has_nul = || bytes.contains(&0);
        let path = match self.style {
            Style::Verbatim if has_nul() => return refuse(NUL),
            Style::Verbatim => return Ok(TargetPath::Verbatim(&self.text)),
            Style::Relative | Style::Absolute => match below(Path::new(&self.text), root) {
                Err(_) if has_nul() => return refuse(NUL),
                path => path?,
            },
        };
        Ok(match self.style {
            Style::Absolute => TargetPath::Absolute(path),
            _ => TargetPath::Relative(path),
        })
    }
}

/// A path below the root, as [`Target::relative`] takes it.
macro_rules! from_paths {
    ($($path:ty),+) => {
        $(impl From<$path> for Target {
            fn from(path: $path) -> Target {
                Target::relative(path)
            }
        })+
    };
}

from_paths!(&str, String, &OsStr, OsString, &Path, PathBuf);

/// The path below the root that is meant: normal components only. An absolute one may begin with the root's own path.
fn below<'a>(path: &'a Path, root: Option<&Path>) -> Result<Cow<'a, Path>> {
    let inside = root.filter(|_| path.has_root()).and_then(|root| Some((path.strip_prefix(root).ok()?, root)));
    let (rest, skipped) = match inside {
        Some((rest, _)) if rest.as_os_str().is_empty() => return Ok(Path::new("").into()),
        Some((rest, root)) => (rest, root.components().count()),
        None => (path, 0),
    };
    match spell(rest.as_os_str()) {
        Ok(spelled) => Ok(spelled.path),
        Err(error) => Err(retell(&error, skipped)),
    }
}

/// The spelling rules are those of link paths; a bad spelling is told as one of the target, of which the first components
/// may have been skipped.
fn retell(error: &Error, skipped: usize) -> Error {
    let kind = match error.kind() {
        Kind::InvalidPath => Kind::InvalidTarget,
        kind => kind,
    };
    let reason = match kind {
        Kind::Escape => "the target leads out of the root",
        Kind::TooLong => "a component of the target is over 255 bytes",
        _ => "a `..` is not taken in a target below the root; store it with the verbatim style",
    };
    let told = Error::new(kind).because(reason);
    match error.component() {
        Some(component) => told.at(&component.name, component.index + skipped),
        None => told,
    }
}

/// A target whose spelling was checked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TargetPath<'a> {
    Relative(Cow<'a, Path>),
    Absolute(Cow<'a, Path>),
    Verbatim(&'a OsStr),
}

/// The shortest text that leads from the directory `from` to `to`; both are physical paths below the root.
pub(crate) fn relative_text(from: &Path, to: &Path) -> OsString {
    let common = common_length(from.as_os_str().as_encoded_bytes(), to.as_os_str().as_encoded_bytes());
    let left_behind = &from.as_os_str().as_encoded_bytes()[common.min(from.as_os_str().len())..];
    let climbs = match left_behind {
        [] => 0,
        names => 1 + names.iter().filter(|byte| is_separator(**byte)).count(),
    };
    let rest = after(to, common, || from.components().count() - climbs);
    let mut text = OsString::with_capacity(3 * climbs + rest.len());
    for part in iter::repeat_n(OsStr::new(".."), climbs).chain((!rest.is_empty()).then_some(rest)) {
        if !text.is_empty() {
            text.push(MAIN_SEPARATOR_STR);
        }
        text.push(part);
    }
    if text.is_empty() { ".".into() } else { text }
}

/// What of a path is after so many bytes, at which a component begins, or none does.
#[cfg(unix)]
fn after(path: &Path, bytes: usize, _components: impl FnOnce() -> usize) -> &OsStr {
    use std::os::unix::ffi::OsStrExt as _;
    OsStr::from_bytes(path.as_os_str().as_bytes().get(bytes..).unwrap_or_default())
}

/// What of a path is after so many bytes, at which a component begins, or none does. Where it is no UTF-8 it is cut after so
/// many components.
#[cfg(not(unix))]
fn after(path: &Path, bytes: usize, components: impl FnOnce() -> usize) -> &OsStr {
    match path.to_str() {
        Some(path) => OsStr::new(path.get(bytes..).unwrap_or_default()),
        None => {
            let mut rest = path.components();
            rest.by_ref().take(components()).for_each(drop);
            rest.as_path().as_os_str()
        }
    }
}

/// How many bytes of two normal paths are components that both begin with, and the separator after them.
fn common_length(a: &[u8], b: &[u8]) -> usize {
    let mut common = 0;
    for at in 0..=a.len().min(b.len()) {
        let ends = |path: &[u8]| path.get(at).is_none_or(|byte| is_separator(*byte));
        if at > 0 && ends(a) && ends(b) {
            common = at + 1;
        }
        if a.get(at) != b.get(at) {
            break;
        }
    }
    common
}

fn is_separator(byte: u8) -> bool {
    path::is_separator(char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_spelling_is_told_as_one_of_the_target() {
        let long = "x".repeat(256);
        for (text, kind, reason, at) in [
            ("../x", Kind::Escape, "leads out of the root", Some(("..", 0))),
            (long.as_str(), Kind::TooLong, "over 255 bytes", Some((long.as_str(), 0))),
            ("a/../b", Kind::InvalidTarget, "a `..` is not taken", Some(("..", 1))),
        ] {
            let error = Target::relative(text).check(None).unwrap_err();
            let component = error.component().map(|component| (component.name.to_str().unwrap(), component.index));
            assert_eq!((error.kind(), component), (kind, at), "{text}");
            assert!(error.to_string().contains(reason), "{error}");
        }
    }

    #[test]
    fn a_target_knows_how_it_was_given() {
        let targets = [Target::relative("t"), Target::absolute("t"), Target::verbatim("t")];
        assert_eq!(targets.map(|target| target.style()), [Style::Relative, Style::Absolute, Style::Verbatim]);
    }

    #[test]
    fn a_text_alone_is_a_path_below_the_root() {
        let owned = PathBuf::from("releases/42");
        let targets = [
            Target::from("releases/42"),
            "releases/42".to_owned().into(),
            OsStr::new("releases/42").into(),
            owned.as_path().into(),
            owned.clone().into_os_string().into(),
            owned.into(),
        ];
        assert!(targets.iter().all(|target| *target == Target::relative("releases/42")));
        assert_eq!(Target::from("../42").check(None).unwrap_err().kind(), Kind::Escape);
    }

    #[test]
    fn relative_texts_are_the_shortest() {
        for (from, to, text) in [
            ("", "releases/42", "releases/42"),
            ("a/b", "a/b/f", "f"),
            ("a/b", "a/c/f", "../c/f"),
            ("a/b", "a", ".."),
            ("a/b", "a/b", "."),
            ("a/b", "", "../.."),
            ("", "", "."),
            ("a/bc", "a/b", "../b"),
            ("a/b", "a/bc", "../bc"),
            ("ab", "a", "../a"),
            ("a/b/c", "a/x/c", "../../x/c"),
            ("\u{e4}/b", "\u{e4}/\u{e5}", "../\u{e5}"),
        ] {
            assert_eq!(relative_text(Path::new(from), Path::new(to)), OsStr::new(text), "{from} -> {to}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn relative_texts_keep_bytes_that_are_no_text() {
        use std::os::unix::ffi::OsStrExt as _;
        for (from, to, text) in [
            (&b"a\xff/b"[..], &b"a\xff/c/\xfe"[..], &b"../c/\xfe"[..]),
            (b"a", b"a/\xff", b"\xff"),
            (b"\xff", b"\xff", b"."),
        ] {
            let [from, to, text] = [from, to, text].map(OsStr::from_bytes);
            assert_eq!(relative_text(Path::new(from), Path::new(to)), text, "{} -> {}", from.display(), to.display());
        }
    }

    #[test]
    fn a_target_below_the_root_is_spelled_like_a_link_path() {
        for (text, path) in [("./a//b/./f", "a/b/f"), (".", ""), ("a/", "a"), ("./a/.", "a"), ("./", "")] {
            assert_eq!(
                Target::relative(text).spell(None).unwrap(),
                TargetPath::Relative(Path::new(path).into()),
                "{text}"
            );
        }
        for (text, kind) in [
            ("", Kind::InvalidTarget),
            ("a\0", Kind::InvalidTarget),
            ("a/../b", Kind::InvalidTarget),
            ("../b", Kind::Escape),
            ("/b", Kind::Escape),
            (&"x".repeat(256), Kind::TooLong),
        ] {
            assert_eq!(Target::relative(text).spell(None).unwrap_err().kind(), kind, "{text:?}");
        }
        assert_eq!(Target::verbatim("//a/../").spell(None).unwrap(), TargetPath::Verbatim(OsStr::new("//a/../")));
    }

    #[test]
    fn an_absolute_path_that_begins_with_the_root_is_one_below_it() {
        let root = Some(Path::new("/srv/app"));
        for (text, path) in [
            ("/srv/app/a/b", Ok("a/b")),
            ("//srv/./app//a/", Ok("a")),
            ("/srv/app", Ok("")),
            ("/srv/app/", Ok("")),
            ("/srv/apple", Err((Kind::Escape, "/", 0))),
            ("/srv", Err((Kind::Escape, "/", 0))),
            ("/", Err((Kind::Escape, "/", 0))),
            ("/srv/../srv/app/a", Err((Kind::Escape, "/", 0))),
            ("/srv/app/../x", Err((Kind::Escape, "..", 3))),
            ("/srv/app/a/../x", Err((Kind::InvalidTarget, "..", 4))),
        ] {
            for target in [Target::relative(text), Target::absolute(text)] {
                let spelled = match target.spell(root) {
                    Ok(TargetPath::Relative(path) | TargetPath::Absolute(path)) => {
                        Ok(path.to_str().unwrap().to_owned())
                    }
                    Ok(other) => panic!("{other:?}"),
                    Err(error) => {
                        let at = error.component().unwrap();
                        Err((error.kind(), at.name.to_str().unwrap().to_owned(), at.index))
                    }
                };
                let expected = path.map(str::to_owned).map_err(|(kind, name, at)| (kind, name.to_owned(), at));
                assert_eq!(spelled, expected, "{text}");
            }
        }
        assert_eq!(Target::relative("/srv/app/a").check(None).unwrap_err().kind(), Kind::Escape, "no root is known");
        assert_eq!(
            Target::relative("/a").spell(Some(Path::new("/"))).unwrap(),
            TargetPath::Relative(Path::new("a").into())
        );
    }

    #[test]
    fn a_trailing_slash_asks_for_a_directory() {
        for (text, asks) in [("a/", true), ("a//", true), ("a/.", true), ("./", true), ("a", false), (".", false)] {
            assert_eq!(Target::relative(text).asks_for_directory(), asks, "{text}");
            assert!(!Target::verbatim(text).asks_for_directory());
        }
    }
}
