//! What is wrong with a manifest, and where.

use std::fmt;

use toml_parser::Source;

use super::document::Spot;
use crate::error::{Kind, printable};
use crate::plan::Position;

/// How many problems of one text are returned; a last one says that there are more.
const PROBLEMS_MAX: usize = 1000;

/// How much of a line is kept on each side of the place, in bytes.
const WINDOW: usize = 120;

/// One problem of a manifest, of the kind `invalid_manifest`.
///
/// # Examples
///
/// ```
/// use caplink::manage::{Facts, Manifest};
///
/// let text = "version = 1\nname = \"dotfiles\"\nsauce = \"x\"\n";
/// let problems = Manifest::parse(text.as_bytes(), &Facts::default()).unwrap_err();
/// assert_eq!((problems[0].line(), problems[0].column()), (3, 1));
/// assert_eq!(problems[0].message(), "unknown key `sauce`");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    line: usize,
    column: usize,
    length: usize,
    message: String,
    expected: Option<String>,
    cause: Option<Kind>,
    text: Box<str>,
    /// How many bytes of the line were cut before the text that is kept.
    cut: usize,
}

impl Problem {
    /// Returns the kind, always `invalid_manifest`.
    pub fn kind(&self) -> Kind {
        Kind::InvalidManifest
    }

    /// Returns the line, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Returns the column, counted from 1 in bytes.
    pub fn column(&self) -> usize {
        self.column
    }

    /// Returns how many bytes of the line the problem is about; 0 where something is missing there.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Returns what is wrong, in lower case without a full stop.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns what would be right, where that can be said.
    pub fn expected(&self) -> Option<&str> {
        self.expected.as_deref()
    }

    /// Returns the kind that a bad path or target has by itself, for instance `escape`.
    pub fn cause(&self) -> Option<Kind> {
        self.cause
    }

    /// Returns the line that the problem is in, or the part of a long one around it, with the number of bytes that were
    /// cut in front.
    pub fn excerpt(&self) -> (&str, usize) {
        (&self.text, self.cut)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)?;
        match &self.expected {
            Some(expected) => write!(f, "; expected {expected}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

/// A problem whose line is not counted yet.
#[derive(Debug)]
struct Noted {
    at: Spot,
    message: String,
    expected: Option<String>,
    cause: Option<Kind>,
}

/// The problems found so far.
#[derive(Debug, Default)]
pub(super) struct Problems {
    noted: Vec<Noted>,
}

impl Problems {
    pub(super) fn is_empty(&self) -> bool {
        self.noted.is_empty()
    }

    /// Whether so many were found that nobody reads on.
    pub(super) fn is_full(&self) -> bool {
        self.noted.len() > PROBLEMS_MAX
    }

    pub(super) fn add(&mut self, at: Spot, message: impl Into<String>) {
        self.push(at, message.into(), None, None);
    }

    pub(super) fn add_expecting(&mut self, at: Spot, message: impl Into<String>, expected: impl Into<String>) {
        self.push(at, message.into(), Some(expected.into()), None);
    }

    pub(super) fn add_caused(&mut self, at: Spot, message: impl Into<String>, cause: Kind) {
        self.push(at, message.into(), None, Some(cause));
    }

    fn push(&mut self, at: Spot, message: String, expected: Option<String>, cause: Option<Kind>) {
        match self.noted.len() {
            0..PROBLEMS_MAX => self.noted.push(Noted { at, message, expected, cause }),
            PROBLEMS_MAX => {
                let message = format!("there are more than {PROBLEMS_MAX} problems; the rest is not shown");
                self.noted.push(Noted { at, message, expected: None, cause: None });
            }
            _ => {}
        }
    }

    /// The problems in the order of the text.
    pub(super) fn finish(mut self, text: &str, lines: &Lines) -> Vec<Problem> {
        let full = self.is_full();
        let last = if full { self.noted.pop() } else { None };
        self.noted.sort_by_key(|noted| noted.at.start());
        self.noted.extend(last);
        let problem = |noted: Noted| {
            let (line, column) = lines.position(noted.at.start());
            let (excerpt, cut) = lines.excerpt(text, line, column);
            let rest = lines.end(text, line).saturating_sub(noted.at.start());
            let length = noted.at.len().min(rest);
            let Noted { message, expected, cause, .. } = noted;
            Problem { line, column, length, message, expected, cause, text: excerpt.into(), cut }
        };
        self.noted.into_iter().map(problem).collect()
    }
}

/// Where each line begins.
#[derive(Debug)]
pub(super) struct Lines(Vec<u32>);

impl Lines {
    /// `text` is shorter than 4 GiB.
    pub(super) fn new(text: &str) -> Lines {
        let after = text.bytes().zip(1_u32..).filter(|(byte, _)| *byte == b'\n').map(|(_, next)| next);
        Lines(std::iter::once(0).chain(after).collect())
    }

    /// Line and column, counted from 1.
    pub(super) fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.0.partition_point(|start| *start as usize <= offset).max(1);
        (line, offset - self.0[line - 1] as usize + 1)
    }

    /// The token that begins at a place.
    pub(super) fn token(&self, text: &str, at: Position) -> Spot {
        let line = self.0.get((at.line as usize).saturating_sub(1)).copied().unwrap_or_default();
        let start = (line as usize + at.column as usize).saturating_sub(1);
        let token = text.get(start..).and_then(|rest| Source::new(rest).lex().next());
        Spot::new(start, start + token.map_or(0, |token| token.span().len()))
    }

    /// Where a line ends, without its newline.
    fn end(&self, text: &str, line: usize) -> usize {
        let end = self.0.get(line).map_or(text.len(), |next| *next as usize - 1);
        if text.as_bytes().get(end.wrapping_sub(1)) == Some(&b'\r') && end > self.0[line - 1] as usize {
            end - 1
        } else {
            end
        }
    }

    /// The part of a line around a column, and how much was cut before it.
    fn excerpt<'a>(&self, text: &'a str, line: usize, column: usize) -> (&'a str, usize) {
        let start = self.0[line - 1] as usize;
        let whole = &text[start..self.end(text, line).max(start)];
        let from = whole.floor_char_boundary((column - 1).saturating_sub(WINDOW));
        let to = whole.ceil_char_boundary((column - 1).saturating_add(WINDOW).min(whole.len()));
        (&whole[from.min(to)..to], from.min(to))
    }
}

/// A name or text for a message: on one line, and not longer than anybody reads.
pub(super) fn shown(text: &str) -> String {
    const SHOWN_MAX: usize = 100;
    let cut = text.floor_char_boundary(SHOWN_MAX);
    let dots = if cut < text.len() { "…" } else { "" };
    format!("`{}{dots}`", printable(&text[..cut]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_lines_and_bytes_from_one() {
        let text = "a\nä = 1\r\n\nlast";
        let lines = Lines::new(text);
        for (offset, position) in [(0, (1, 1)), (1, (1, 2)), (2, (2, 1)), (5, (2, 4)), (10, (3, 1)), (14, (4, 4))] {
            assert_eq!(lines.position(offset), position, "{offset}");
        }
        assert_eq!(lines.excerpt(text, 2, 1), ("ä = 1", 0));
        assert_eq!(lines.excerpt(text, 3, 1), ("", 0));
        assert_eq!(lines.excerpt(text, 4, 4), ("last", 0));
    }

    #[test]
    fn of_a_long_line_the_part_around_the_place_is_kept() {
        let text = format!("{}x{}", "ä".repeat(5000), "ö".repeat(5000));
        let lines = Lines::new(&text);
        let (excerpt, cut) = lines.excerpt(&text, 1, 10_001);
        assert_eq!(cut, 10_000 - WINDOW);
        assert!(excerpt.len() <= 2 * WINDOW + 4 && excerpt.contains('x'), "{excerpt}");
    }

    #[test]
    fn problems_come_in_the_order_of_the_text_and_end_with_how_many_there_are() {
        let text = "x".repeat(3000);
        let mut problems = Problems::default();
        (0..2000).rev().for_each(|at| problems.add(Spot::new(at, at + 1), "no"));
        assert!(problems.is_full());
        let all = problems.finish(&text, &Lines::new(&text));
        assert_eq!(all.len(), PROBLEMS_MAX + 1);
        assert!(all[..PROBLEMS_MAX].is_sorted_by_key(|problem| problem.column()));
        assert!(all[PROBLEMS_MAX].message().contains("more than 1000"), "{}", all[PROBLEMS_MAX]);
    }
}
