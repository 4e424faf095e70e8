//! An error as it is reported: as it stands in a document, and what is shown beside it.

use caplink::wire::{self, Text};
use caplink::{Error, Kind};
use serde::Serialize;

use super::hint;

/// One error of a report.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    #[serde(flatten)]
    pub(crate) reported: wire::Problem,
    /// What the system said, for whoever wants more detail.
    #[serde(skip)]
    pub(crate) cause: Option<String>,
    /// The line of a file that it is about, for people.
    #[serde(skip)]
    pub(crate) excerpt: Option<String>,
}

impl Problem {
    /// An error of the command line's own.
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Problem {
        Problem { reported: wire::Problem::new(kind, message), cause: None, excerpt: None }
            .hinted(hint::plain(kind).map(str::to_owned))
    }

    /// Options or arguments that a verb does not take, or not together.
    pub(crate) fn usage(verb: &str, message: impl Into<String>) -> Problem {
        Problem::new(Kind::Usage, message).hinted(Some(hint::usage(verb)))
    }

    /// The same with another way out.
    pub(crate) fn hinted(mut self, hint: Option<String>) -> Problem {
        self.reported.hint = hint;
        self
    }

    /// An error about the root as a whole, not about a link.
    pub(crate) fn of_root(error: &Error) -> Problem {
        let cause = error.io_error().map(ToString::to_string);
        let mut problem = Problem::new(error.kind(), message(error));
        if let Some(hint) = hint::of_records(error) {
            problem = problem.hinted(Some(hint.to_owned()));
        }
        let reported = wire::Problem::from(error);
        (problem.reported.seq, problem.reported.group, problem.reported.holder) =
            (reported.seq, reported.group, reported.holder);
        Problem { cause, ..problem }
    }

    /// An error of an operation on one link, and what it leaves as an error of its own, each with its way out.
    pub(crate) fn of(error: &Error, hint: Option<String>, of_residue: Option<String>) -> Vec<Problem> {
        let cause = error.io_error().map(ToString::to_string);
        let mut reported = wire::Problem::from(error);
        reported.message = message(error);
        // A dry run foresees the kind, not the number.
        reported.os_error = None;
        Problem { reported, cause, excerpt: None }.hinted(hint).leaving(of_residue)
    }

    /// How much memory it takes, about.
    pub(crate) fn bytes(&self) -> usize {
        let reported = &self.reported;
        let text = |text: &Text| text.0.len() + 32;
        let texts = |texts: &[Text]| texts.iter().map(text).sum::<usize>();
        let own = [&reported.link, &reported.component, &reported.via].into_iter().flatten().map(text).sum::<usize>();
        let said = reported.message.len() + reported.hint.as_ref().map_or(0, String::len);
        let listed = texts(&reported.preserved) + texts(&reported.made) + reported.left.as_deref().map_or(0, texts);
        own + said + listed + 256
    }

    /// Where something of this program's own, or something of others, could not go back where it was, a second
    /// error of kind `residue` lists it: the first alone would promise that nothing was changed.
    fn leaving(mut self, hint: Option<String>) -> Vec<Problem> {
        let left: Vec<Text> = self
            .reported
            .left
            .take()
            .unwrap_or_default()
            .into_iter()
            .chain(self.reported.preserved.iter().cloned())
            .collect();
        let listed: Vec<String> = left.iter().map(|name| format!("`{name}`")).collect();
        let listed = listed.join(", ");
        if self.reported.kind == Kind::Residue {
            self.reported.message = format!("{}: {listed}", self.reported.message);
            self.reported.left = Some(left);
            return vec![self.hinted(hint)];
        }
        if left.is_empty() {
            return vec![self];
        }
        let message = format!("something could not go back where it was: {listed}");
        let mut residue = Problem::new(Kind::Residue, message).hinted(hint);
        residue.reported.link.clone_from(&self.reported.link);
        residue.reported.left = Some(left);
        vec![self, residue]
    }
}

/// The message of an error; where the kind says little, with what the system said.
fn message(error: &Error) -> String {
    match (error.kind(), error.io_error()) {
        (Kind::Corrupt | Kind::Io, Some(source)) => format!("{error}: {source}"),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(kind: Kind, left: &[&str], preserved: &[&str]) -> Vec<(Kind, Option<Vec<String>>)> {
        let texts = |names: &[&str]| names.iter().map(Text::new).collect::<Vec<_>>();
        let mut first = Problem::new(kind, "it failed");
        first.reported.preserved = texts(preserved);
        first.reported.left = Some(texts(left)).filter(|left| !left.is_empty());
        let shown = |left: Vec<Text>| left.iter().map(ToString::to_string).collect();
        first
            .leaving(None)
            .into_iter()
            .map(|problem| (problem.reported.kind, problem.reported.left.map(shown)))
            .collect()
    }

    #[test]
    fn the_schema_describes_every_key_of_an_error() {
        let sample = serde_json::json!({
            "kind": "io", "link": "l", "component": "l", "index": 0, "via": "t", "message": "it failed", "hint": "wait",
            "left": ["a"], "preserved": ["b"], "made": ["c"], "found": { "kind": "missing", "target": null }, "seq": 1,
            "group": "g", "holder": { "pid": 1, "program": null, "since": null }, "release": "r", "check": {}, "line": 1,
            "column": 1, "operation": "create", "os_error": 5,
        });
        let problem: wire::Problem = serde_json::from_value(sample.clone()).unwrap();
        assert_eq!(serde_json::to_value(problem).unwrap(), sample, "each is a key that there is");
        let schema: serde_json::Value = serde_json::from_str(include_str!("schema.json")).unwrap();
        let described = schema["$defs"]["error"]["properties"].as_object().unwrap();
        let keys: Vec<&String> = sample.as_object().unwrap().keys().collect();
        assert_eq!(described.keys().filter(|key| !keys.contains(key)).count(), 0);
        assert!(keys.iter().all(|key| described.contains_key(*key)), "{keys:?}");
    }

    #[test]
    fn what_could_not_go_back_is_an_error_of_its_own() {
        let all = || Some(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(reported(Kind::Mismatch, &[], &[]), [(Kind::Mismatch, None)]);
        assert_eq!(reported(Kind::ParentMoved, &["a", "b"], &[]), [(Kind::ParentMoved, None), (Kind::Residue, all())]);
        assert_eq!(reported(Kind::Contended, &["a"], &["b"]), [(Kind::Contended, None), (Kind::Residue, all())]);
        assert_eq!(reported(Kind::Contended, &[], &["a", "b"]), [(Kind::Contended, None), (Kind::Residue, all())]);
        assert_eq!(reported(Kind::Residue, &["a", "b"], &[]), [(Kind::Residue, all())]);
    }
}
