//! An error as it stands in a document.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::text::Text;
use crate::error::{Component, Error, FileKind, Found, Holder, Kind};

/// An error as it stands in a document, with the way out if there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Problem {
    /// What programs decide on.
    pub kind: Kind,
    /// The link or path that it is about.
    pub link: Option<Text>,
    /// The component at fault.
    pub component: Option<Text>,
    /// Its place, counted from 0.
    pub index: Option<usize>,
    /// The text that led astray.
    pub via: Option<Text>,
    /// The message for people.
    pub message: String,
    /// What can be done.
    pub hint: Option<String>,
    /// Names that could not be taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Vec<Text>>,
    /// Names under which entries of others are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preserved: Vec<Text>,
    /// Directories that were made before the error.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<Text>,
    /// What was under the name instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<What>,
    /// The number of the entry of the records that is at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The group that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Who holds the lock that was waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<LockHolder>,
    /// The release that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// The check or hook that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<serde_json::Value>,
    /// The line of the input, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The byte of that line, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// The operation that failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub operation: String,
    /// The number of the system's error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os_error: Option<i32>,
}

/// What was under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct What {
    /// `missing`, or the kind of the entry.
    pub kind: String,
    /// The text, where it is a link.
    pub target: Option<Text>,
}

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LockHolder {
    /// The process.
    pub pid: u32,
    /// The name of its program, where the system tells.
    pub program: Option<String>,
    /// Since when, where the holder says so; no kernel tells.
    pub since: Option<String>,
}

impl LockHolder {
    fn of(holder: &Holder) -> LockHolder {
        LockHolder { pid: holder.pid, program: holder.program.clone(), since: holder.since.clone() }
    }
}

impl Problem {
    /// A problem with a kind and a message alone.
    pub fn new(kind: Kind, message: impl Into<String>) -> Problem {
        Problem {
            kind,
            link: None,
            component: None,
            index: None,
            via: None,
            message: message.into(),
            hint: None,
            left: None,
            preserved: Vec::new(),
            made: Vec::new(),
            found: None,
            seq: None,
            group: None,
            holder: None,
            release: None,
            check: None,
            line: None,
            column: None,
            operation: String::new(),
            os_error: None,
        }
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Problem {
        let texts = |paths: &[std::path::PathBuf]| paths.iter().map(|path| Text::path(path)).collect::<Vec<_>>();
        Problem {
            link: error.link().map(Text::new),
            component: error.component().map(|component| Text::new(&component.name)),
            index: error.component().map(|component| component.index),
            via: error.via_text().map(Text::new),
            left: Some(texts(error.left())).filter(|left| !left.is_empty()),
            preserved: texts(error.preserved()),
            made: texts(error.made()),
            found: error.found().map(What::of),
            seq: error.seq(),
            group: error.group().map(str::to_owned),
            holder: error.holder().map(LockHolder::of),
            operation: error.operation().to_owned(),
            os_error: error.io_error().and_then(std::io::Error::raw_os_error),
            ..Problem::new(error.kind(), error.to_string())
        }
    }
}

impl TryFrom<Problem> for Error {
    type Error = crate::error::UnknownWord;

    /// The error again; its hint is lost.
    fn try_from(problem: Problem) -> Result<Error, Self::Error> {
        let paths = |texts: Vec<Text>| texts.into_iter().map(Text::into_path).collect();
        let mut error = Error::rebuilt(problem.kind, problem.operation, problem.link.map(|link| link.0.into()));
        if let (Some(name), Some(index)) = (problem.component, problem.index) {
            error = error.at_component(Component { name: name.0, index });
        }
        if let Some(via) = problem.via {
            error = error.via(via.0);
        }
        if let Some(found) = problem.found {
            error = error.found_instead(found.found()?);
        }
        let error = error.leaving(paths(problem.left.unwrap_or_default()), paths(problem.preserved));
        Ok(error.having_made(paths(problem.made)).with_message(&problem.message).with_os_error(problem.os_error))
    }
}

impl What {
    fn of(found: &Found) -> What {
        let kind = match found {
            Found::Missing => "missing",
            Found::Link(_) => FileKind::Symlink.as_str(),
            Found::Other(kind) => kind.as_str(),
        };
        What { kind: kind.to_owned(), target: found.text().map(Text::new) }
    }

    fn found(self) -> Result<Found, crate::error::UnknownWord> {
        match (self.kind.as_str(), self.target) {
            ("missing", _) => Ok(Found::Missing),
            ("symlink", Some(text)) => Ok(Found::Link(text.0)),
            (kind, _) => kind.parse().map(Found::Other),
        }
    }
}

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Problem::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Error {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Error, D::Error> {
        Problem::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn an_error_is_one_of_the_contract_and_comes_back() {
        let error = Error::new(Kind::Escape).at("..", 0).via("../etc").because("it climbs").on("create", "../x");
        let json = serde_json::to_value(&error).unwrap();
        let message = "cannot create `../x`: it climbs, at component `..` (0) via `../etc`";
        let expected = serde_json::json!({
            "kind": "escape", "link": "../x", "component": "..", "index": 0, "via": "../etc", "message": message,
            "hint": null, "operation": "create",
        });
        assert_eq!(json, expected);
        let of_system = Error::from_io(io::Error::from_raw_os_error(13)).on("open", ".").denied_at("a/b".as_ref());
        let mismatch = Error::new(Kind::Mismatch).found_instead(Found::Link("a".into())).on("swap", "l");
        let other = Error::new(Kind::NotALink).found_instead(Found::Other(FileKind::Fifo)).on("ensure", "l");
        let missing = Error::new(Kind::NotFound).found_instead(Found::Missing).during("swap");
        let left = Error::new(Kind::Residue).leaving(vec!["x".into()], vec!["y".into()]).having_made(vec!["z".into()]);
        for error in [error, of_system, mismatch, other, missing, left, Error::new(Kind::Busy)] {
            let json = serde_json::to_string(&error).unwrap();
            let back: Error = serde_json::from_str(&json).unwrap();
            assert_eq!(format!("{back:?}"), format!("{error:?}"));
            assert_eq!((back.to_string(), back.operation()), (error.to_string(), error.operation()));
            assert_eq!(serde_json::to_string(&back).unwrap(), json);
        }
    }

    #[test]
    fn a_message_of_another_program_is_the_reason() {
        let mut problem = Problem::new(Kind::Io, "something odd");
        problem.link = Some(Text::new("l"));
        let error = Error::try_from(problem).unwrap();
        assert_eq!((error.to_string().as_str(), error.kind()), ("cannot proceed `l`: something odd", Kind::Io));
    }
}
