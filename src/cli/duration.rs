//! Durations as they are written: a whole number and `ms`, `s`, `m`, `h` or `d`.

use std::ffi::OsStr;
use std::time::Duration;

use caplink::Kind;

use super::problem::Problem;

/// Reads the duration that an option was given.
///
/// # Errors
///
/// `usage`, with how durations are written.
pub(crate) fn of_option(given: &OsStr) -> Result<Duration, Box<Problem>> {
    given.to_str().and_then(parse).ok_or_else(|| {
        let given = caplink::printable(given);
        Box::new(Problem::new(Kind::Usage, format!("`{given}` is no duration, as `500ms`, `10s` or `2m`")))
    })
}

/// Reads a duration; none where it is written in another way, or longer than can be counted.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let seconds = match unit {
        "ms" => return Some(Duration::from_millis(number)),
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_whole_number_and_a_unit() {
        for (text, seconds) in [("0s", 0), ("90s", 90), ("2m", 120), ("1h", 3600), ("7d", 604_800)] {
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse("500ms"), Some(Duration::from_millis(500)));
        for text in [
            "",
            "1",
            "s",
            "1.5s",
            "-1s",
            "+1s",
            " 1s",
            "1 s",
            "1S",
            "1w",
            "99999999999999999999s",
            "999999999999999999d",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
