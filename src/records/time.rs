//! Times as they are in an entry.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Kind};

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

    #[test]
    fn a_time_is_shown_to_the_nanosecond() {
        let time = Time::from(SystemTime::UNIX_EPOCH + std::time::Duration::from_nanos(1));
        assert_eq!(time.to_string(), "1970-01-01T00:00:00.000000001Z");
        assert_eq!(time.to_string().parse::<Time>().unwrap(), time);
        assert_eq!("2026-11-28T07:05:04+01:00".parse::<Time>().unwrap().to_string(), "2026-11-28T06:05:04.000000000Z");
        assert_eq!("yesterday".parse::<Time>().unwrap_err().kind(), Kind::Usage);
    }
}
