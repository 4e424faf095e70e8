//! Names for terminals and logs: control characters cannot forge a line or move the cursor.

use std::ffi::OsStr;
use std::fmt;

/// A name or text with its control characters and undecodable bytes escaped; made by [`printable`].
pub struct Printable<'a>(&'a OsStr);

/// Shows a name or text so that it stays on one line and cannot drive a terminal.
///
/// Control characters (also the C1 range and the Unicode line and direction controls) and the backslash are
/// escaped as in a Rust string, bytes that are not UTF-8 as `\xNN`. The form is for people; it is unambiguous.
///
/// # Examples
///
/// ```
/// assert_eq!(caplink::printable("a\nb\u{1b}[2J").to_string(), r"a\nb\u{1b}[2J");
/// ```
pub fn printable<T: AsRef<OsStr> + ?Sized>(name: &T) -> Printable<'_> {
    Printable(name.as_ref())
}

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.as_encoded_bytes().utf8_chunks() {
            let mut rest = chunk.valid();
            while let Some((at, special)) = rest.char_indices().find(|(_, c)| is_special(*c)) {
                f.write_str(&rest[..at])?;
                write!(f, "{}", special.escape_default())?;
                rest = &rest[at + special.len_utf8()..];
            }
            f.write_str(rest)?;
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

fn is_special(c: char) -> bool {
    if c.is_ascii() { c == '\\' || c.is_ascii_control() } else { c.is_control() || is_layout(c) }
}

/// Characters that are no controls to Unicode but reorder or break a line of output.
fn is_layout(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_escaped_and_letters_are_not() {
        assert_eq!(printable("größe ü").to_string(), "größe ü");
        assert_eq!(printable("a\tb\\n\u{9b}\u{202e}x").to_string(), "a\\tb\\\\n\\u{9b}\\u{202e}x");
        // What Unicode says to direct text (`Bidi_Control`), and what ends a line.
        let layout = ['\u{61c}', '\u{200e}', '\u{200f}'].into_iter().chain('\u{2028}'..='\u{202e}');
        for c in layout.chain('\u{2066}'..='\u{2069}') {
            assert_eq!(printable(&c.to_string()).to_string(), c.escape_unicode().to_string());
        }
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_not_utf8_are_shown_as_hex() {
        use std::os::unix::ffi::OsStrExt as _;
        assert_eq!(printable(OsStr::from_bytes(b"a\xff\xfeb")).to_string(), "a\\xff\\xfeb");
    }
}
