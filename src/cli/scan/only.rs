//! What is asked for: a status, a trait, or whatever is broken.

use caplink::{Finding, Status, Trait};
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// What a link is asked to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Only {
    Status(Status),
    Trait(Trait),
    /// Every status but `ok`.
    Broken,
}

impl Only {
    fn all() -> impl Iterator<Item = Only> {
        let words = Status::ALL.iter().copied().map(Only::Status).chain(Trait::ALL.iter().copied().map(Only::Trait));
        words.chain([Only::Broken])
    }

    fn name(self) -> &'static str {
        match self {
            Only::Status(status) => status.as_str(),
            Only::Trait(of) => of.as_str(),
            Only::Broken => "broken",
        }
    }

    /// Whether a link is so.
    pub(crate) fn is(self, finding: &Finding) -> bool {
        match self {
            Only::Status(status) => finding.status == status,
            Only::Trait(of) => finding.traits.contains(of),
            Only::Broken => finding.status != Status::Ok,
        }
    }
}

/// Reads one by its name.
pub(crate) fn only_parser() -> impl TypedValueParser<Value = Only> {
    PossibleValuesParser::new(Only::all().map(Only::name))
        .map(|name| Only::all().find(|only| only.name() == name).expect("BUG: only these names are taken"))
}
