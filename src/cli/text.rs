//! Names and texts: as they are in JSON, escaped for people, in colour where that is on.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::Path;

use anstyle::{AnsiColor, Style};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

/// Something is as it should be.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Something is broken.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// A name that the line is about.
pub(crate) const NAME: Style = Style::new().bold();
/// What is beside the point.
pub(crate) const DIM: Style = Style::new().dimmed();
/// A way out.
pub(crate) const HINT: Style = AnsiColor::Cyan.on_default();

/// A name or text. In JSON it is a string, or `{"base64": …}` where it is not UTF-8; for people it is escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text(OsString);

impl Text {
    pub(crate) fn new(text: impl AsRef<OsStr>) -> Text {
        Text(text.as_ref().to_os_string())
    }

    /// A path below the root; the root itself is `.`.
    pub(crate) fn path(path: &Path) -> Text {
        if path.as_os_str().is_empty() { Text(".".into()) } else { Text::new(path) }
    }

    /// How many bytes it has.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it names something, other than a step to the parent.
    pub(crate) fn is_name(&self) -> bool {
        self.0 != ".."
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.to_str() {
            Some(text) => serializer.serialize_str(text),
            None => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("base64", &STANDARD.encode(self.0.as_encoded_bytes()))?;
                map.end()
            }
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        caplink::printable(&self.0).fmt(f)
    }
}

/// Something in a colour.
pub(crate) struct Painted<T>(pub(crate) Style, pub(crate) T);

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Painted(style, shown) = self;
        write!(f, "{style}{shown}{style:#}")
    }
}
