//! What a link is to point to, and the text that says so from where the link is.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use super::path::{Place, ends_as_directory};
use crate::error::{Error, Kind, Result};

/// How the stored text is made from a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Style {
    /// The target is a path below the root; the text leads there from the physical directory of the link.
    #[default]
    Relative,
    /// The target is a path below the root; the text is the root's physical path joined with it.
    Absolute,
    /// The target is the text, byte for byte.
    Verbatim,
}

/// What a link is to point to.
///
/// # Examples
///
/// ```
/// use caplink::Target;
///
/// let below_the_root = Target::relative("releases/42");
/// let as_it_stands = Target::verbatim("../shared/log");
/// # let _ = (below_the_root, as_it_stands);
/// ```
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

    /// Checks the spelling. A verbatim text may be anything that a link can hold.
    pub(crate) fn spell(&self) -> Result<TargetPath<'_>> {
        let bytes = self.text.as_encoded_bytes();
        let refuse = |kind, reason: &str| Err(Error::new(kind).because(reason));
        if bytes.is_empty() {
            return refuse(Kind::InvalidTarget, "the target is empty");
        }
        if bytes.contains(&0) {
            return refuse(Kind::InvalidTarget, "the target contains a NUL byte");
        }
        if self.style == Style::Verbatim {
            return Ok(TargetPath::Verbatim(&self.text));
        }
        let place = Place::new(&self.text).map_err(|error| retell(&error))?;
        if ends_as_directory(bytes) {
            return refuse(Kind::InvalidTarget, "the target ends in `/`");
        }
        Ok(match self.style {
            Style::Absolute => TargetPath::Absolute(place.path),
            _ => TargetPath::Relative(place.path),
        })
    }
}

/// The spelling rules are those of link paths; a bad spelling is told as one of the target.
fn retell(error: &Error) -> Error {
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
        Some(component) => told.at(&component.name, component.index),
        None => told,
    }
}

/// A target whose spelling was checked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TargetPath<'a> {
    Relative(PathBuf),
    Absolute(PathBuf),
    Verbatim(&'a OsStr),
}

/// The shortest text that leads from the directory `from` to `to`; both are physical paths below the root.
pub(crate) fn relative_text(from: &Path, to: &Path) -> OsString {
    let mut rest = to.components();
    let mut from = from.components();
    while let (Some(a), Some(b)) = (from.clone().next(), rest.clone().next()) {
        if a != b {
            break;
        }
        from.next();
        rest.next();
    }
    let mut text = PathBuf::with_capacity(to.as_os_str().len() + 3 * from.clone().count());
    from.for_each(|_| text.push(Component::ParentDir));
    text.extend(rest);
    if text.as_os_str().is_empty() { ".".into() } else { text.into_os_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        ] {
            assert_eq!(relative_text(Path::new(from), Path::new(to)), OsStr::new(text), "{from} -> {to}");
        }
    }

    #[test]
    fn a_target_below_the_root_is_spelled_like_a_link_path() {
        for (text, path) in [("./a//b/./f", "a/b/f"), (".", "")] {
            assert_eq!(Target::relative(text).spell().unwrap(), TargetPath::Relative(path.into()), "{text}");
        }
        for (text, kind) in [
            ("", Kind::InvalidTarget),
            ("a\0", Kind::InvalidTarget),
            ("a/", Kind::InvalidTarget),
            ("a/../b", Kind::InvalidTarget),
            ("../b", Kind::Escape),
            ("/b", Kind::Escape),
            (&"x".repeat(256), Kind::TooLong),
        ] {
            assert_eq!(Target::relative(text).spell().unwrap_err().kind(), kind, "{text:?}");
        }
        assert_eq!(Target::verbatim("//a/../").spell().unwrap(), TargetPath::Verbatim(OsStr::new("//a/../")));
    }
}
