//! An error as it is reported: what programs decide on, the message, and the way out.

use std::path::PathBuf;

use caplink::{Error, Found, Kind};
use serde::Serialize;

use super::hint;
use super::text::Text;

/// One error of a report.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    #[serde(serialize_with = "as_name")]
    pub(crate) kind: Kind,
    pub(crate) link: Option<Text>,
    component: Option<Text>,
    index: Option<usize>,
    via: Option<Text>,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<Vec<Text>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    preserved: Vec<Text>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    made: Vec<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<What>,
    /// The entry of the records that is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// Who holds the lock.
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<Holder>,
    /// What the system said, for whoever wants more detail.
    #[serde(skip)]
    pub(crate) cause: Option<String>,
}

/// What had the name instead.
#[derive(Debug, Serialize)]
struct What {
    kind: &'static str,
    target: Option<Text>,
}

/// Who holds a lock; since when is not told by any kernel.
#[derive(Debug, Serialize)]
struct Holder {
    pid: u32,
    program: Option<String>,
    since: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn as_name<S: serde::Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.as_str())
}

impl Problem {
    /// An error of the command line's own.
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Problem {
        Problem {
            kind,
            link: None,
            component: None,
            index: None,
            via: None,
            message: message.into(),
            hint: hint::plain(kind).map(str::to_owned),
            left: None,
            preserved: Vec::new(),
            made: Vec::new(),
            found: None,
            seq: None,
            group: None,
            holder: None,
            cause: None,
        }
    }

    /// An error about the root as a whole, not about a link.
    pub(crate) fn of_root(error: &Error) -> Problem {
        let cause = error.io_error().map(ToString::to_string);
        let holder =
            error.holder().map(|holder| Holder { pid: holder.pid, program: holder.program.clone(), since: None });
        let (seq, group) = (error.seq(), error.group().map(str::to_owned));
        Problem { cause, seq, group, holder, ..Problem::new(error.kind(), message(error)) }
    }

    /// An error of an operation on one link, and what it leaves as an error of its own.
    pub(crate) fn of(error: &Error, hint: Option<String>) -> Vec<Problem> {
        let names = |paths: &[PathBuf]| paths.iter().map(|path| Text::path(path)).collect::<Vec<_>>();
        let problem = Problem {
            link: error.link().map(Text::new),
            component: error.component().map(|component| Text::new(&component.name)),
            index: error.component().map(|component| component.index),
            via: error.via_text().map(Text::new),
            hint,
            preserved: names(error.preserved()),
            made: names(error.made()),
            found: error.found().map(What::of),
            ..Problem::of_root(error)
        };
        problem.leaving(names(error.left()))
    }

    /// How much memory it takes, about.
    pub(crate) fn bytes(&self) -> usize {
        let text = |text: &Text| text.len() + 32;
        let texts = |texts: &[Text]| texts.iter().map(text).sum::<usize>();
        let own = [&self.link, &self.component, &self.via].into_iter().flatten().map(text).sum::<usize>();
        let said = self.message.len() + self.hint.as_ref().map_or(0, String::len);
        let listed = texts(&self.preserved) + texts(&self.made) + self.left.as_deref().map_or(0, texts);
        own + said + listed + 256
    }

    /// Where something of this program's own, or something of others, could not go back where it was, a second
    /// error of kind `residue` lists it: the first alone would promise that nothing was changed.
    fn leaving(mut self, left: Vec<Text>) -> Vec<Problem> {
        let left: Vec<Text> = left.into_iter().chain(self.preserved.iter().cloned()).collect();
        let listed: Vec<String> = left.iter().map(|name| format!("`{name}`")).collect();
        let listed = listed.join(", ");
        if self.kind == Kind::Residue {
            self.message = format!("{}: {listed}", self.message);
            self.left = Some(left);
            return vec![self];
        }
        if left.is_empty() {
            return vec![self];
        }
        let message = format!("something could not go back where it was: {listed}");
        let residue = Problem { link: self.link.clone(), left: Some(left), ..Problem::new(Kind::Residue, message) };
        vec![self, residue]
    }
}

impl What {
    fn of(found: &Found) -> What {
        let kind = match found {
            Found::Missing => "missing",
            Found::Link(_) => "symlink",
            Found::Other(kind) => kind.as_str(),
        };
        What { kind, target: found.text().map(Text::new) }
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
        let first = Problem { preserved: texts(preserved), ..Problem::new(kind, "it failed") };
        let shown = |left: Vec<Text>| left.iter().map(ToString::to_string).collect();
        first.leaving(texts(left)).into_iter().map(|problem| (problem.kind, problem.left.map(shown))).collect()
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
