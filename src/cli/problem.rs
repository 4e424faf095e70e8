//! An error as it is reported: as it stands in a document, and what is told beside it.

use caplink::wire::{self, Text};
use caplink::{Error, Kind};
use serde::Serialize;

use super::hint;

/// One error of a report.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    #[serde(flatten)]
    pub(crate) told: wire::Problem,
    /// What the system said, for whoever wants more detail.
    #[serde(skip)]
    pub(crate) cause: Option<String>,
}

impl Problem {
    /// An error of the command line's own.
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Problem {
        Problem { told: wire::Problem::new(kind, message), cause: None }.hinted(hint::plain(kind).map(str::to_owned))
    }

    /// The same with another way out.
    pub(crate) fn hinted(mut self, hint: Option<String>) -> Problem {
        self.told.hint = hint;
        self
    }

    /// An error about the root as a whole, not about a link.
    pub(crate) fn of_root(error: &Error) -> Problem {
        let cause = error.io_error().map(ToString::to_string);
        let mut problem = Problem::new(error.kind(), message(error));
        let told = wire::Problem::from(error);
        (problem.told.seq, problem.told.group, problem.told.holder) = (told.seq, told.group, told.holder);
        Problem { cause, ..problem }
    }

    /// An error of an operation on one link, and what it leaves as an error of its own.
    pub(crate) fn of(error: &Error, hint: Option<String>) -> Vec<Problem> {
        let cause = error.io_error().map(ToString::to_string);
        let mut told = wire::Problem::from(error);
        told.message = message(error);
        // A dry run foresees the kind, not the number.
        told.os_error = None;
        Problem { told, cause }.hinted(hint).leaving()
    }

    /// How much memory it takes, about.
    pub(crate) fn bytes(&self) -> usize {
        let told = &self.told;
        let text = |text: &Text| text.0.len() + 32;
        let texts = |texts: &[Text]| texts.iter().map(text).sum::<usize>();
        let own = [&told.link, &told.component, &told.via].into_iter().flatten().map(text).sum::<usize>();
        let said = told.message.len() + told.hint.as_ref().map_or(0, String::len);
        let listed = texts(&told.preserved) + texts(&told.made) + told.left.as_deref().map_or(0, texts);
        own + said + listed + 256
    }

    /// Where something of this program's own, or something of others, could not go back where it was, a second
    /// error of kind `residue` lists it: the first alone would promise that nothing was changed.
    fn leaving(mut self) -> Vec<Problem> {
        let left: Vec<Text> =
            self.told.left.take().unwrap_or_default().into_iter().chain(self.told.preserved.iter().cloned()).collect();
        let listed: Vec<String> = left.iter().map(|name| format!("`{name}`")).collect();
        let listed = listed.join(", ");
        if self.told.kind == Kind::Residue {
            self.told.message = format!("{}: {listed}", self.told.message);
            self.told.left = Some(left);
            return vec![self];
        }
        if left.is_empty() {
            return vec![self];
        }
        let message = format!("something could not go back where it was: {listed}");
        let mut residue = Problem::new(Kind::Residue, message);
        residue.told.link.clone_from(&self.told.link);
        residue.told.left = Some(left);
        vec![self, residue]
    }
}

/// The message of an error; where the kind says little, with what the system said.
fn message(error: &Error) -> String {
    match (error.kind(), error.io_error()) {
        (Kind::Io, Some(source)) => format!("{error}: {source}"),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: Kind, left: &[&str], preserved: &[&str]) -> Vec<(Kind, Option<Vec<String>>)> {
        let texts = |names: &[&str]| names.iter().map(Text::new).collect::<Vec<_>>();
        let mut first = Problem::new(kind, "it failed");
        first.told.preserved = texts(preserved);
        first.told.left = Some(texts(left)).filter(|left| !left.is_empty());
        let shown = |left: Vec<Text>| left.iter().map(ToString::to_string).collect();
        first.leaving().into_iter().map(|problem| (problem.told.kind, problem.told.left.map(shown))).collect()
    }

    #[test]
    fn what_could_not_go_back_is_an_error_of_its_own() {
        let all = || Some(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(told(Kind::Mismatch, &[], &[]), [(Kind::Mismatch, None)]);
        assert_eq!(told(Kind::ParentMoved, &["a", "b"], &[]), [(Kind::ParentMoved, None), (Kind::Residue, all())]);
        assert_eq!(told(Kind::Contended, &["a"], &["b"]), [(Kind::Contended, None), (Kind::Residue, all())]);
        assert_eq!(told(Kind::Contended, &[], &["a", "b"]), [(Kind::Contended, None), (Kind::Residue, all())]);
        assert_eq!(told(Kind::Residue, &["a", "b"], &[]), [(Kind::Residue, all())]);
    }
}
