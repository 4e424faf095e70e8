//! The lines of a batch: NDJSON, read whole before the first edit.

use std::path::Path;

use caplink::Kind;
use caplink::records::{Actor, Author};
use caplink::wire::Line;

use super::files;
use super::problem::Problem;

/// How many lines a batch may have, empty ones counted.
const LINES_MAX: usize = 1_000_000;

/// How long a line may be, in bytes.
const LINE_MAX: usize = 64 << 10;

/// How long a batch may be, in bytes.
const BATCH_MAX: u64 = 1 << 30;

/// The verbs that a batch may have.
const VERBS: &[&str] = &["create", "ensure", "swap", "remove", "exchange"];

/// Keys that a serialised edit may have and a line of a batch may not: they are no options of a verb.
const NO_OPTIONS: &[&str] = &["directory", "durability", "fix", "unjudged"];

/// A line with its number, counted from 1.
pub(crate) struct Numbered {
    pub(crate) number: u64,
    pub(crate) line: Line,
}

/// Reads the lines of a file, or of standard input where there is none; all that is wrong with them is reported together.
pub(crate) fn read(file: Option<&Path>) -> Result<Vec<Numbered>, Vec<Problem>> {
    let path = file.unwrap_or(Path::new("-"));
    let bytes = files::read(path, BATCH_MAX).map_err(|source| {
        let name = caplink::printable(path);
        let message = format!("cannot read the batch `{name}`: {source}");
        // The file is the caller's own: no verb that looks below the root shows it.
        vec![Problem::new(Kind::from(&source), message).hinted(None)]
    })?;
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Result<Vec<Numbered>, Vec<Problem>> {
    let (mut lines, mut problems) = (Vec::new(), Vec::new());
    for (number, bytes) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        if bytes.is_empty() {
            continue;
        }
        if number > LINES_MAX as u64 {
            problems.push(problem(number, format!("a batch has at most {LINES_MAX} lines")));
            break;
        }
        match parse_line(bytes) {
            Ok(line) => lines.push(Numbered { number, line }),
            Err(reason) => problems.push(problem(number, reason)),
        }
    }
    if problems.is_empty() { Ok(lines) } else { Err(problems) }
}

fn parse_line(bytes: &[u8]) -> Result<Line, String> {
    if bytes.len() > LINE_MAX {
        return Err(format!("it has {} bytes, a line has at most {LINE_MAX}", bytes.len()));
    }
    if bytes.starts_with("\u{feff}".as_bytes()) {
        return Err("it begins with a byte order mark".to_owned());
    }
    if bytes.contains(&b'\r') {
        return Err("it has a carriage return; lines end with a line feed alone".to_owned());
    }
    let line: Line = serde_json::from_slice(bytes).map_err(|error| without_place(&error))?;
    if !VERBS.contains(&line.verb()) {
        return Err(format!("a batch has no verb `{}`", line.verb()));
    }
    if let Some(Err(error)) = line.reason().map(|reason| Author::new(Actor::default(), Some(reason))) {
        return Err(error.to_string());
    }
    match line.keys().into_iter().find(|key| NO_OPTIONS.contains(key)) {
        Some(key) => Err(format!("`{}` has no key `{key}`", line.verb())),
        None => Ok(line),
    }
}

/// The parser counts the lines of one line.
fn without_place(error: &serde_json::Error) -> String {
    let reported = error.to_string();
    let no_json = if error.is_data() { "" } else { "it is not JSON: " };
    match reported.rsplit_once(" at line 1 column ") {
        Some((reason, column)) => format!("{no_json}{reason}, at byte {column}"),
        None => format!("{no_json}{reported}"),
    }
}

fn problem(number: u64, reason: impl std::fmt::Display) -> Problem {
    let mut problem = Problem::new(Kind::Usage, format!("line {number}: {reason}")).hinted(None);
    problem.reported.line = Some(number);
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(bytes: &[u8]) -> Vec<(u64, String)> {
        let problems = parse(bytes).err().unwrap_or_default();
        problems.into_iter().map(|problem| (problem.reported.line.unwrap(), problem.reported.message)).collect()
    }

    #[test]
    fn lines_count_from_one_and_empty_ones_are_passed_over() {
        let lines =
            parse(b"\n{\"verb\":\"remove\",\"link\":\"a\"}\n\n{\"verb\":\"remove\",\"link\":\"b\"}").ok().unwrap();
        assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [2, 4]);
        assert!(parse(b"").ok().unwrap().is_empty());
        assert!(parse(b"\n\n").ok().unwrap().is_empty());
    }

    #[test]
    fn everything_that_is_wrong_is_reported_with_its_line() {
        let remove = "{\"verb\":\"remove\",\"link\":\"a\"}";
        let text = [
            format!("\u{feff}{remove}"),
            format!("{remove}\r"),
            "nonsense".to_owned(),
            "[]".to_owned(),
            r#"{"verb":"remove","link":"a","link":"b"}"#.to_owned(),
            r#"{"verb":"remove","link":"a","to":"b"}"#.to_owned(),
            r#"{"verb":"remove"}"#.to_owned(),
            r#"{"verb":"remove","link":{"base64":"?"}}"#.to_owned(),
            r#"{"verb":"remove","link":"a","missing_ok":"yes"}"#.to_owned(),
            r#"{"verb":"repair","link":"a","expect":"t","fix":"remove_dangling"}"#.to_owned(),
            r#"{"verb":"create","link":"a","to":"t","unjudged":true}"#.to_owned(),
            r#"{"verb":"remove","link":"a","durability":"fs"}"#.to_owned(),
            format!("{remove}{}", " ".repeat(LINE_MAX)),
            remove.to_owned(),
        ];
        let wrong = wrong(text.join("\n").as_bytes());
        assert_eq!(wrong.iter().map(|(line, _)| *line).collect::<Vec<_>>(), (1..=13).collect::<Vec<_>>(), "{wrong:?}");
        assert_eq!(wrong[2].1, "line 3: it is not JSON: expected ident, at byte 2");
        let has = "it has `verb`, `link`, `expect`, `missing_ok`, `reason`";
        assert_eq!(wrong[5].1, format!("line 6: `remove` has no key `to`; {has}"));
        assert_eq!(wrong[11].1, "line 12: `remove` has no key `durability`");
    }

    #[test]
    fn a_batch_of_too_many_lines_is_refused() {
        let text = "{\"verb\":\"remove\",\"link\":\"a\"}\n".repeat(LINES_MAX + 1);
        assert_eq!(wrong(text.as_bytes()), [(1_000_001, "line 1000001: a batch has at most 1000000 lines".to_owned())]);
    }
}
