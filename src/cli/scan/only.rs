//! A status or a trait that is asked for.

use caplink::{Finding, Status, Trait};
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// A status or a trait that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Only {
    Status(Status),
    Trait(Trait),
}

impl Only {
    fn all() -> impl Iterator<Item = Only> {
        Status::ALL.iter().copied().map(Only::Status).chain(Trait::ALL.iter().copied().map(Only::Trait))
    }

    fn name(self) -> &'static str {
        match self {
            Only::Status(status) => status.as_str(),
            Only::Trait(of) => of.as_str(),
        }
    }

    /// Whether a link has it.
    pub(crate) fn is(self, finding: &Finding) -> bool {
        match self {
            Only::Status(status) => finding.status == status,
            Only::Trait(of) => finding.traits.contains(of),
        }
    }
}

/// Reads one by its name.
pub(crate) fn only_parser() -> impl TypedValueParser<Value = Only> {
    PossibleValuesParser::new(Only::all().map(Only::name))
        .map(|name| Only::all().find(|only| only.name() == name).expect("BUG: only these names are taken"))
}
