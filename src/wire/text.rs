//! Names and texts, of which nothing is lost where they are not UTF-8.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::printable;

/// A name or text: in JSON a string, or `{"base64": …}` where it is not UTF-8; for people [`printable`].
///
/// # Examples
///
/// ```
/// use caplink::wire::Text;
///
/// assert_eq!(serde_json::to_string(&Text::new("a b"))?, r#""a b""#);
/// # #[cfg(unix)]
/// # {
/// let name: Text = serde_json::from_str(r#"{"base64": "bP8="}"#)?;
/// assert_eq!(name.to_string(), r"l\xff");
/// # }
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(pub OsString);

impl Text {
    /// Takes a name or text as it is.
    pub fn new(text: impl Into<OsString>) -> Text {
        Text(text.into())
    }

    /// Takes a path below the root; the root itself is `.`.
    pub fn path(path: &Path) -> Text {
        Text::new(Borrowed::path(path).0)
    }

    /// Returns it as a path.
    pub fn as_path(&self) -> &Path {
        Path::new(&self.0)
    }

    /// Returns it as a path below the root; `.` is the root itself.
    pub fn into_path(self) -> PathBuf {
        if self.0 == "." { PathBuf::new() } else { self.0.into() }
    }
}

impl AsRef<OsStr> for Text {
    fn as_ref(&self) -> &OsStr {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        printable(&self.0).fmt(f)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Borrowed(&self.0).serialize(serializer)
    }
}

/// A name or text of somebody else's, which is written as [`Text`] is.
pub(super) struct Borrowed<'a>(pub(super) &'a OsStr);

impl<'a> Borrowed<'a> {
    /// A path below the root; the root itself is `.`.
    pub(super) fn path(path: &'a Path) -> Borrowed<'a> {
        Borrowed(if path.as_os_str().is_empty() { OsStr::new(".") } else { path.as_os_str() })
    }
}

impl Serialize for Borrowed<'_> {
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

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        deserializer.deserialize_any(Read)
    }
}

struct Read;

impl<'de> Visitor<'de> for Read {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, or an object with the key `base64`")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text::new(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
        let wrong = || A::Error::custom("an object in place of a text has one key, `base64`, with bytes");
        let (key, value) = map.next_entry::<Cow<'de, str>, Cow<'de, str>>()?.ok_or_else(wrong)?;
        if key != "base64" || map.next_key::<Cow<'de, str>>()?.is_some() {
            return Err(wrong());
        }
        STANDARD.decode(&*value).ok().and_then(from_bytes).map(Text).ok_or_else(wrong)
    }
}

#[cfg(unix)]
fn from_bytes(bytes: Vec<u8>) -> Option<OsString> {
    Some(std::os::unix::ffi::OsStringExt::from_vec(bytes))
}

#[cfg(not(unix))]
fn from_bytes(bytes: Vec<u8>) -> Option<OsString> {
    String::from_utf8(bytes).ok().map(OsString::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_refused() {
        for json in ["1", "null", "[]", "{}", r#"{"base64": 1}"#, r#"{"base64": "!"}"#, r#"{"base64": "YQ"}"#] {
            assert!(serde_json::from_str::<Text>(json).is_err(), "{json}");
        }
        for json in
            [r#"{"text": "YQ=="}"#, r#"{"base64": "YQ==", "x": "y"}"#, r#"{"base64": "YQ==", "base64": "YQ=="}"#]
        {
            assert!(serde_json::from_str::<Text>(json).is_err(), "{json}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn every_byte_comes_back() {
        use std::os::unix::ffi::OsStringExt as _;
        let all: Vec<u8> = (1..=255).collect();
        for bytes in [&all[..], b"", b"a", b"\xff", b"\xc3", "gr\u{f6}\u{df}e\n\u{202e}".as_bytes()] {
            let text = Text(OsString::from_vec(bytes.to_vec()));
            let json = serde_json::to_string(&text).unwrap();
            assert_eq!(json.starts_with('"'), std::str::from_utf8(bytes).is_ok(), "{json}");
            assert_eq!(serde_json::from_str::<Text>(&json).unwrap(), text);
            assert_eq!(serde_json::from_value::<Text>(serde_json::to_value(&text).unwrap()).unwrap(), text);
        }
        assert_eq!(Text::path(Path::new("")).into_path(), Path::new(""));
    }
}
