//! The one error type.
//!
//! An error says which operation failed on which link, the component that was at fault, the text that led astray,
//! what was found instead of what was expected, and what could not be cleaned up. Its [`Kind`] is what programs
//! decide on; the message is for people.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

mod cause;
mod found;
mod holder;
mod kind;
mod printable;
#[cfg(feature = "wire")]
mod rebuilt;
mod records;
mod words;

pub use found::{FileKind, Found};
pub use holder::Holder;
pub use kind::Kind;
pub use printable::{Printable, printable};
pub use words::UnknownWord;

pub(crate) use words::words;

use cause::Cause;
use kind::{default_reason, io_kind};

/// The result of an operation below a root.
pub type Result<T> = std::result::Result<T, Error>;

/// One component of a path, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// The component as it was written; `/` for the beginning of an absolute path.
    pub name: OsString,
    /// Its place, counted from 0 after `.` and empty components are dropped.
    pub index: usize,
}

/// An operation below a root failed.
///
/// After an error of a kind in the classes *conflict*, *refused*, *not there* and *busy* nothing of this program's
/// own is left, and everything of others is where others put it, unless [`left`](Error::left) or
/// [`preserved`](Error::preserved) name something.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
/// let root = caplink::Root::from_dir(dir.try_clone()?, caplink::Policy::default())?;
/// let error = root.read_link("../passwd").unwrap_err();
/// assert_eq!(error.kind(), caplink::Kind::Escape);
/// assert_eq!(error.component().map(|c| c.index), Some(0));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Repr>);

#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", self.message())]
struct Repr {
    kind: Kind,
    verb: Cow<'static, str>,
    link: Option<PathBuf>,
    component: Option<Component>,
    via: Option<OsString>,
    found: Option<Found>,
    reason: Option<String>,
    source: Option<Cause>,
    left: Vec<PathBuf>,
    preserved: Vec<PathBuf>,
    made: Vec<PathBuf>,
    changed: bool,
    seq: Option<u64>,
    group: Option<String>,
    holder: Option<Holder>,
}

impl Error {
    pub(crate) fn new(kind: Kind) -> Error {
        Error(Box::new(Repr {
            kind,
            verb: Cow::Borrowed(""),
            link: None,
            component: None,
            via: None,
            found: None,
            reason: None,
            source: None,
            left: Vec::new(),
            preserved: Vec::new(),
            made: Vec::new(),
            changed: false,
            seq: None,
            group: None,
            holder: None,
        }))
    }

    /// A refusal of kind `policy`, as a [`Recorder`](crate::Recorder) gives it.
    pub fn refusal(reason: impl Into<String>) -> Error {
        Error::new(Kind::Policy).because(reason)
    }

    /// An error that the system reported; its kind follows from the error number.
    pub(crate) fn from_io(source: io::Error) -> Error {
        let mut error = Error::new(Kind::of(&source));
        // A reason that the calls worded themselves says more than the kind.
        error.0.reason = source.get_ref().map(ToString::to_string);
        if error.0.kind == Kind::Busy {
            // No lock of this program is meant.
            error.0.reason = Some("the system says that it is in use, as a mount point is".to_owned());
        }
        error.0.source = Some(Cause::new(source));
        error
    }

    pub(crate) fn with_kind(mut self, kind: Kind) -> Error {
        self.0.kind = kind;
        self
    }

    /// Names the operation and the link, unless an inner layer did.
    pub(crate) fn on(mut self, verb: &'static str, link: impl AsRef<Path>) -> Error {
        if self.0.verb.is_empty() {
            self.0.verb = Cow::Borrowed(verb);
        }
        if self.0.link.is_none() {
            self.0.link = Some(link.as_ref().to_path_buf());
        }
        self
    }

    /// Names the operation that the caller was about, where a path was checked before it.
    ///
    /// # Examples
    ///
    /// ```
    /// let error = caplink::LinkPath::new("../x").unwrap_err().during("create");
    /// assert!(error.to_string().starts_with("cannot create `../x`: "));
    /// ```
    #[must_use]
    pub fn during(mut self, verb: &'static str) -> Error {
        self.0.verb = Cow::Borrowed(verb);
        self
    }

    pub(crate) fn at(mut self, name: impl Into<OsString>, index: usize) -> Error {
        self.0.component = Some(Component { name: name.into(), index });
        self
    }

    /// Names the last component of a path below the root as the one that was denied, unless another is named.
    pub(crate) fn denied_at(self, path: &Path) -> Error {
        match path.file_name() {
            Some(name) if self.0.kind == Kind::Permission && self.0.component.is_none() => {
                self.at(name, path.components().count() - 1)
            }
            _ => self,
        }
    }

    /// Names the link by the path that was given, where it was met at the path that this leads to.
    pub(crate) fn given_at(mut self, there: &Path, given: &Path) -> Error {
        let last = |path: &Path| path.components().count().saturating_sub(1);
        // Another component at fault is one of the target.
        if self.0.kind == Kind::Permission
            && let (Some(component), None) = (&mut self.0.component, &self.0.via)
            && component.index == last(there)
            && there.file_name() == Some(&component.name)
        {
            component.index = last(given);
        }
        self.0.link = Some(given.to_path_buf());
        self
    }

    pub(crate) fn via(mut self, text: impl Into<OsString>) -> Error {
        self.0.via = Some(text.into());
        self
    }

    pub(crate) fn found_instead(mut self, found: Found) -> Error {
        self.0.found = Some(found);
        self
    }

    pub(crate) fn because(mut self, reason: impl Into<String>) -> Error {
        self.0.reason = Some(reason.into());
        self
    }

    pub(crate) fn leaving(mut self, left: Vec<PathBuf>, preserved: Vec<PathBuf>) -> Error {
        self.0.left.extend(left);
        self.0.preserved.extend(preserved);
        self
    }

    pub(crate) fn having_made(mut self, made: Vec<PathBuf>) -> Error {
        self.0.made = made;
        self
    }

    /// Returns why the operation failed.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Returns the name of the operation, for instance `swap`.
    pub fn operation(&self) -> &str {
        &self.0.verb
    }

    /// Returns the link or path that the operation was about, as the caller wrote it or normalised.
    pub fn link(&self) -> Option<&Path> {
        self.0.link.as_deref()
    }

    /// Returns the component that was at fault.
    pub fn component(&self) -> Option<&Component> {
        self.0.component.as_ref()
    }

    /// Returns the text of the link that led astray.
    pub fn via_text(&self) -> Option<&std::ffi::OsStr> {
        self.0.via.as_deref()
    }

    /// Returns what had the name instead of what was expected.
    pub fn found(&self) -> Option<&Found> {
        self.0.found.as_ref()
    }

    /// Returns the error of the system, where there is one.
    pub fn io_error(&self) -> Option<&io::Error> {
        self.0.source.as_deref()
    }

    /// Returns the names below the root that this program made and could not take back.
    pub fn left(&self) -> &[PathBuf] {
        &self.0.left
    }

    /// Returns the names under which entries of others are kept that could not go back to their own.
    pub fn preserved(&self) -> &[PathBuf] {
        &self.0.preserved
    }

    /// Returns whether the link's name is not as it was before the operation, because of the operation: what it changed
    /// could not be taken back.
    pub fn is_changed(&self) -> bool {
        self.0.changed
    }

    /// Returns the directories that were made for the link's path before the failure.
    pub fn made(&self) -> &[PathBuf] {
        &self.0.made
    }
}

impl From<Error> for io::Error {
    /// The error as one of the standard library, with its kind; [`io::Error::get_ref`] leads back to it.
    fn from(error: Error) -> io::Error {
        let of_system = error.io_error().map(io::Error::kind).filter(|_| error.kind() == Kind::Io);
        io::Error::new(of_system.unwrap_or_else(|| io_kind(error.kind())), error)
    }
}

impl fmt::Debug for Error {
    /// What a person needs who sees it at the end of a program: the kind, the message, and what is left behind. `{:#?}`
    /// shows every field.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let repr = &self.0;
        if f.alternate() {
            return repr.fmt(f);
        }
        write!(f, "{repr} ({})", repr.kind)?;
        for (what, paths) in [("left", &repr.left), ("preserved", &repr.preserved), ("made", &repr.made)] {
            for path in paths {
                write!(f, "; {what}: `{}`", printable(path))?;
            }
        }
        match &repr.source {
            Some(source) => write!(f, "; cause: {}", **source),
            None => Ok(()),
        }
    }
}

impl Repr {
    fn message(&self) -> String {
        let (before, behind) = self.around();
        let reason = match (&self.reason, &self.found) {
            (Some(reason), _) => reason.clone(),
            (None, Some(found)) => format!("found {found}"),
            (None, None) => default_reason(self.kind).to_owned(),
        };
        before + &reason + &behind
    }

    /// What a message says before the reason, and behind it.
    fn around(&self) -> (String, String) {
        let verb = if self.verb.is_empty() { "proceed" } else { &self.verb };
        let link = self.link.as_ref().map(|link| format!(" `{}`", printable(link))).unwrap_or_default();
        let component = match &self.component {
            Some(Component { name, index }) => format!(", at component `{}` ({index})", printable(name)),
            None => String::new(),
        };
        let via = self.via.as_ref().map(|via| format!(" via `{}`", printable(via))).unwrap_or_default();
        (format!("cannot {verb}{link}: "), component + &via)
    }
}

#[cfg(test)]
mod tests;
