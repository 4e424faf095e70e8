//! An error as it is reported: what programs decide on, the message, and the way out.

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
            cause: None,
        }
    }

    /// An error about the root as a whole, not about a link.
    pub(crate) fn of_root(error: &Error) -> Problem {
        let cause = error.io_error().map(ToString::to_string);
        Problem { cause, ..Problem::new(error.kind(), message(error)) }
    }

    /// An error of an operation on one link.
    ///
    /// Where something of this program's own, or something of others, could not go back where it was, a second
    /// error of kind `residue` lists it: the first alone would promise that nothing was changed.
    pub(crate) fn of(error: &Error, hint: Option<String>) -> Vec<Problem> {
        let names = |paths: &[std::path::PathBuf]| paths.iter().map(|path| Text::path(path)).collect::<Vec<_>>();
        let mut left = names(error.left());
        let mut first = Problem {
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
        left.extend(first.preserved.iter().cloned());
        if left.is_empty() && first.kind != Kind::Residue {
            return vec![first];
        }
        let listed: Vec<String> = left.iter().map(|name| format!("`{name}`")).collect();
        let listed = listed.join(", ");
        if first.kind == Kind::Residue {
            first.message = format!("{}: {listed}", first.message);
            first.left = Some(left);
            return vec![first];
        }
        let message = format!("something could not go back where it was: {listed}");
        let residue = Problem { link: first.link.clone(), left: Some(left), ..Problem::new(Kind::Residue, message) };
        vec![first, residue]
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
