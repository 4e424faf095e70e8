//! What every entry begins with, split off as this program writes it, without reading the rest as JSON.
//!
//! A line that is written in another way, or in which one of these keys could stand once more, is left to a reader of JSON,
//! which is slower and comes to the same.

/// The values that an entry begins with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Prefix<'a> {
    pub(super) seq: u64,
    pub(super) entry: &'a str,
    pub(super) prev: &'a str,
    pub(super) time: &'a str,
    pub(super) base: u64,
    pub(super) settings_at: u64,
}

impl<'a> Prefix<'a> {
    /// Splits a line; `None` where that is to be left to a reader of JSON. The rest need not be JSON at all.
    pub(super) fn of(line: &'a [u8]) -> Option<Prefix<'a>> {
        Prefix::with_rest(line).filter(|(_, rest)| !may_have_keys(rest)).map(|(prefix, _)| prefix)
    }

    /// The same with the rest, from the comma on. Whoever reads that has to see to it that none of these keys is there.
    pub(super) fn with_rest(line: &'a [u8]) -> Option<(Prefix<'a>, &'a [u8])> {
        let mut rest = line;
        skip(&mut rest, b"{\"seq\":")?;
        let seq = number(&mut rest)?;
        skip(&mut rest, b",\"entry\":\"")?;
        let entry = text(&mut rest)?;
        skip(&mut rest, b",\"prev\":\"")?;
        let prev = text(&mut rest)?;
        skip(&mut rest, b",\"time\":\"")?;
        let time = text(&mut rest)?;
        skip(&mut rest, b",\"base\":")?;
        let base = number(&mut rest)?;
        let settings_at = match skip(&mut rest, b",\"settings_at\":") {
            Some(()) => number(&mut rest)?,
            None => 0,
        };
        let prefix = Prefix { seq, entry, prev, time, base, settings_at };
        (rest.first() == Some(&b',')).then_some((prefix, rest))
    }
}

fn skip(rest: &mut &[u8], expected: &[u8]) -> Option<()> {
    *rest = rest.strip_prefix(expected)?;
    Some(())
}

/// A number as JSON has it.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, behind) = rest.split_at(length);
    *rest = behind;
    if digits.len() > 1 && digits[0] == b'0' {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// A text of plain characters, up to its quote.
fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    let length = rest.iter().take_while(|byte| is_plain(byte)).count();
    let (text, behind) = rest.split_at(length);
    *rest = behind.strip_prefix(b"\"")?;
    std::str::from_utf8(text).ok()
}

/// Whether one of the keys could be there, also one that is written with escapes.
fn may_have_keys(rest: &[u8]) -> bool {
    let is_key = |(at, byte): (usize, &u8)| match byte {
        b'\\' => true,
        b'"' => begins_with_key(&rest[at + 1..]),
        _ => false,
    };
    rest.iter().enumerate().any(is_key)
}

fn begins_with_key(text: &[u8]) -> bool {
    // Compared byte by byte: a call for each would take longer than the rest of reading an entry.
    match text {
        [b's', b'e', b'q', b'"', ..] => true,
        [b'e', b'n', b't', b'r', b'y', b'"', ..] => true,
        [b'p', b'r', b'e', b'v', b'"', ..]
        | [b't', b'i', b'm', b'e', b'"', ..]
        | [b'b', b'a', b's', b'e', b'"', ..] => true,
        [b's', b'e', b't', b't', ..] => text.starts_with(b"settings_at\""),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: &str =
        r#"{"seq":7,"entry":"result","prev":"AA+/=","time":"2026-11-28T06:05:04.000000000Z","base":12,"#;

    #[test]
    fn what_an_entry_begins_with_is_split_off() {
        let line = format!("{USUAL}\"of\":6}}");
        let prefix = Prefix::of(line.as_bytes()).unwrap();
        assert_eq!((prefix.seq, prefix.entry, prefix.prev, prefix.base), (7, "result", "AA+/=", 12));
        assert_eq!((prefix.time, prefix.settings_at), ("2026-11-28T06:05:04.000000000Z", 0));
        let line = format!("{USUAL}\"settings_at\":18446744073709551615,\"of\":6}}");
        assert_eq!(Prefix::of(line.as_bytes()).unwrap().settings_at, u64::MAX);
    }

    #[test]
    fn whatever_could_mean_something_else_as_json_is_left_to_its_reader() {
        for rest in [
            r#""of":6,"seq":8}"#,
            r#""of":6,"s\u0065q":8}"#,
            r#""of":6,"link":"seq"}"#,
            r#""of":6, "settings_at" : 3}"#,
            r#""settings_at":03,"of":6}"#,
            r#""settings_at":18446744073709551616,"of":6}"#,
        ] {
            assert_eq!(Prefix::of(format!("{USUAL}{rest}").as_bytes()), None, "{rest}");
        }
        for (written, otherwise) in [
            ("\"seq\":7", "\"seq\":07"),
            ("\"seq\":7", "\"seq\": 7"),
            ("\"seq\":7", "\"seq\":-7"),
            ("\"seq\":7", "\"seq\":7.0"),
            ("\"result\"", "\"res\\u0075lt\""),
            ("\"result\"", "\"résult\""),
            ("\"result\"", "null"),
            (",\"time\"", ",  \"time\""),
        ] {
            let line = format!("{USUAL}\"of\":6}}").replace(written, otherwise);
            assert_eq!(Prefix::of(line.as_bytes()), None, "{line}");
        }
        for length in 0..USUAL.len() - 1 {
            assert_eq!(Prefix::of(&USUAL.as_bytes()[..length]), None, "{length}");
        }
    }
}
