//! What names, texts and times are in an entry.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Kind};

/// A name or text: in JSON a string, or `{"base64": …}` where it is not UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(pub OsString);

impl Text {
    /// Takes a name or text as it is.
    pub fn new(text: impl Into<OsString>) -> Text {
        Text(text.into())
    }

    /// Returns it as a path.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        Path::new(&self.0)
    }
}

impl AsRef<OsStr> for Text {
    fn as_ref(&self) -> &OsStr {
        &self.0
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

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, or an object with the key `base64`")
            }

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
                let wrong = || serde::de::Error::custom("not one key `base64` with bytes");
                match map.next_entry::<Cow<'de, str>, Cow<'de, str>>()? {
                    Some((key, value)) if key == "base64" && map.next_key::<Cow<'de, str>>()?.is_none() => {
                        let bytes = STANDARD.decode(&*value).map_err(|_| wrong())?;
                        from_bytes(bytes).map(Text).ok_or_else(wrong)
                    }
                    _ => Err(wrong()),
                }
            }
        }

        deserializer.deserialize_any(Read)
    }
}

/// The bytes of a name; `None` where names are not bytes, and these are no text.
#[cfg(unix)]
pub(super) fn from_bytes(bytes: Vec<u8>) -> Option<OsString> {
    use std::os::unix::ffi::OsStringExt as _;
    Some(OsString::from_vec(bytes))
}

#[cfg(not(unix))]
pub(super) fn from_bytes(bytes: Vec<u8>) -> Option<OsString> {
    String::from_utf8(bytes).ok().map(OsString::from)
}

/// A moment, in UTC and to the nanosecond. It is shown as RFC 3339 has it.
///
/// # Examples
///
/// ```
/// let time: caplink::records::Time = "2026-11-28T06:05:04Z".parse()?;
/// assert_eq!(time.to_string(), "2026-11-28T06:05:04.000000000Z");
/// # Ok::<(), caplink::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(Timestamp);

impl Time {
    /// Returns the present moment, by the system's clock.
    #[must_use]
    pub fn now() -> Time {
        Time(Timestamp::now())
    }

    /// Returns the moment as the standard library has it.
    #[must_use]
    pub fn to_system_time(self) -> SystemTime {
        let since = self.0.as_duration();
        match since.is_negative() {
            false => SystemTime::UNIX_EPOCH + since.unsigned_abs(),
            true => SystemTime::UNIX_EPOCH - since.unsigned_abs(),
        }
    }

    /// Shows it in the time zone of this computer, to the second.
    #[must_use]
    pub fn to_local(self) -> String {
        let zone = jiff::tz::TimeZone::system();
        self.0.to_zoned_datetime(zone).strftime("%Y-%m-%d %H:%M:%S %z").to_string()
    }
}

impl From<SystemTime> for Time {
    /// What lies out of the years that can be shown becomes the nearest of them.
    fn from(time: SystemTime) -> Time {
        let nearest = if time < SystemTime::UNIX_EPOCH { Timestamp::MIN } else { Timestamp::MAX };
        Time(Timestamp::try_from(time).unwrap_or(nearest))
    }
}

impl FromStr for Time {
    type Err = Error;

    fn from_str(text: &str) -> Result<Time, Error> {
        let read = text.parse::<Timestamp>().map(Time);
        read.map_err(|_| Error::new(Kind::Usage).during("read").because(format!("`{text}` is no time of RFC 3339")))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.9}", self.0)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse::<Timestamp>().map(Time).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_text_is_read_as_it_is_written() {
        use std::os::unix::ffi::OsStrExt as _;
        for bytes in [&b"a/b"[..], b"", b"\xff\xfe", "ä\n\"\\\u{7f}".as_bytes()] {
            let text = Text(OsStr::from_bytes(bytes).to_os_string());
            let json = serde_json::to_string(&text).unwrap();
            assert!(!json.contains('\n'));
            assert_eq!(serde_json::from_str::<Text>(&json).unwrap(), text, "{json}");
        }
        for wrong in ["1", "null", "{}", r#"{"base64":"?"}"#, r#"{"base64":"","x":""}"#, r#"{"base":"AA=="}"#] {
            assert!(serde_json::from_str::<Text>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_is_shown_to_the_nanosecond() {
        let time = Time::from(SystemTime::UNIX_EPOCH + std::time::Duration::from_nanos(1));
        assert_eq!(time.to_string(), "1970-01-01T00:00:00.000000001Z");
        assert_eq!(time.to_string().parse::<Time>().unwrap(), time);
        assert_eq!("2026-11-28T07:05:04+01:00".parse::<Time>().unwrap().to_string(), "2026-11-28T06:05:04.000000000Z");
        assert_eq!("yesterday".parse::<Time>().unwrap_err().kind(), Kind::Usage);
    }
}
