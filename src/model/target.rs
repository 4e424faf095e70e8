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
    text: Box<OsStr>,
    style: Style,
    directory: Option<bool>,
}

impl Target {
    /// A target of any style.
    pub fn new(style: Style, target: impl Into<OsString>) -> Target {
        Target { text: target.into().into_boxed_os_str(), style, directory: None }
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
    let (climbs, rest) = relative_parts(from, to);
    let mut text = OsString::with_capacity(3 * climbs + rest.len());
    for part in iter::repeat_n(OsStr::new(".."), climbs).chain((!rest.is_empty()).then_some(rest)) {
        if !text.is_empty() {
            text.push(MAIN_SEPARATOR_STR);
        }
        text.push(part);
    }
    if text.is_empty() { ".".into() } else { text }
}

/// Whether a text is the [shortest](relative_text) one, which is not made to know that.
#[cfg(feature = "manage")]
pub(crate) fn is_relative_text(text: &OsStr, from: &Path, to: &Path) -> bool {
    let (climbs, rest) = relative_parts(from, to);
    let (mut left, rest) = (text.as_encoded_bytes(), rest.as_encoded_bytes());
    if climbs == 0 {
        return left == if rest.is_empty() { b"." } else { rest };
    }
    for climb in 1..=climbs {
        let Some(after) = left.strip_prefix(b"..") else { return false };
        let ends = climb == climbs && rest.is_empty();
        left = match after.strip_prefix(MAIN_SEPARATOR_STR.as_bytes()) {
            Some(after) if !ends => after,
            None if ends => after,
            _ => return false,
        };
    }
    left == rest
}

/// How many directories a relative text climbs, and what follows then.
fn relative_parts<'t>(from: &Path, to: &'t Path) -> (usize, &'t OsStr) {
    let common = common_length(from.as_os_str().as_encoded_bytes(), to.as_os_str().as_encoded_bytes());
    let left_behind = &from.as_os_str().as_encoded_bytes()[common.min(from.as_os_str().len())..];
    let climbs = match left_behind {
        [] => 0,
        names => 1 + names.iter().filter(|byte| is_separator(**byte)).count(),
    };
    (climbs, after(to, common, || from.components().count() - climbs))
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
mod tests;
