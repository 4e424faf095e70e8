//! A checkpoint: what a log was at some size, in the form of C2SP `tlog-checkpoint`, to be kept elsewhere.
//!
//! Three lines: the origin, the number of entries, the root hash of the tree over them. Further lines and, behind a blank
//! line, signatures may follow, whatever bytes they are; they are left to whoever wrote them. The last newline may be
//! missing, as where a shell's `$(…)` took it: a hash that was cut short is told by its length.

use std::fmt;

use super::tree::Hash;
use crate::error::{Error, Kind, Result};

/// What stands before the id of the records in an origin.
const ORIGIN: &str = "caplink/";

/// What a log was at some size.
///
/// # Examples
///
/// ```
/// use caplink::records::Checkpoint;
///
/// let text = "caplink/00112233445566778899aabbccddeeff\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
/// let checkpoint = Checkpoint::parse(text.as_bytes())?;
/// assert_eq!(checkpoint.size, 0);
/// assert_eq!(checkpoint.to_string(), text);
/// # Ok::<(), caplink::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The id of the records.
    pub id: String,
    /// The number of entries.
    pub size: u64,
    /// The root hash of the tree over them.
    pub root: Hash,
}

impl Checkpoint {
    /// Reads the body of a checkpoint, and leaves what follows it.
    ///
    /// # Errors
    ///
    /// `usage` if it is none.
    pub fn parse(bytes: &[u8]) -> Result<Checkpoint> {
        let mut lines = bytes.split(|byte| *byte == b'\n');
        let mut line = |what| {
            let line = lines.next().filter(|line| !line.is_empty()).ok_or_else(|| unreadable(what))?;
            std::str::from_utf8(line).map_err(|_| unreadable("it is not UTF-8"))
        };
        let id = line("it has no origin")?.strip_prefix(ORIGIN).filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| unreadable("its origin is not `caplink/` and an id"))?.to_owned();
        let size = line("it has no size")?;
        // As C2SP has it: decimal digits, no leading zero.
        let canonical = size == "0" || size.starts_with(|c: char| ('1'..='9').contains(&c));
        let digits = canonical && size.bytes().all(|byte| byte.is_ascii_digit());
        let size = if digits { size.parse().ok() } else { None };
        let size = size.ok_or_else(|| unreadable("its second line is no size"))?;
        let root = Hash::from_base64(line("it has no root hash")?);
        Ok(Checkpoint { id, size, root: root.ok_or_else(|| unreadable("its third line is no hash in base64"))? })
    }

    /// Returns the first line.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("{ORIGIN}{}", self.id)
    }
}

/// The three lines.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{ORIGIN}{}\n{}\n{}", self.id, self.size, self.root)
    }
}

fn unreadable(reason: &str) -> Error {
    Error::new(Kind::Usage).during("read").because(format!("this is no checkpoint: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    #[test]
    fn what_follows_the_three_lines_is_left_alone() {
        let body = format!("caplink/id\n12\n{ROOT}\n");
        let plain = Checkpoint::parse(body.as_bytes()).unwrap();
        assert_eq!((plain.id.as_str(), plain.size), ("id", 12));
        assert_eq!(plain.to_string(), body);
        for more in [&b"extension\n"[..], b"\n\xe2\x80\x94 witness.example/1 AAAA\n", b"\n", b"\n\xff\x00"] {
            assert_eq!(Checkpoint::parse(&[body.as_bytes(), more].concat()).unwrap(), plain);
        }
        assert_eq!(Checkpoint::parse(body.trim_end().as_bytes()).unwrap(), plain, "without its last newline");
    }

    #[test]
    fn anything_else_is_refused() {
        let cut_short = format!("caplink/id\n12\n{}", &ROOT[..40]);
        for text in [
            "",
            "caplink/id\n",
            "caplink/id\n12\n",
            "caplink/\n12\nx\n",
            "other/id\n12\nx\n",
            "caplink/id\n12\nAA==\n",
            cut_short.as_str(),
        ] {
            assert_eq!(Checkpoint::parse(text.as_bytes()).unwrap_err().kind(), Kind::Usage, "{text:?}");
        }
        for size in ["", "01", "-1", "+1", "1 ", "1e3", "99999999999999999999"] {
            let text = format!("caplink/id\n{size}\n{ROOT}\n");
            assert_eq!(Checkpoint::parse(text.as_bytes()).unwrap_err().kind(), Kind::Usage, "{size}");
        }
        assert_eq!(Checkpoint::parse(b"caplink/\xff\n0\nx\n").unwrap_err().kind(), Kind::Usage);
    }
}
