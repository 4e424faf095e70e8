//! `caplink create`: makes a link where nothing is.

use caplink::Edit;

use super::change;
use crate::cli::context::Context;
use crate::cli::line::options;
use crate::cli::linking::Linking;
use crate::cli::report::Report;

options! {
    /// Make LINK; if anything has the name, nothing changes
    pub(crate) struct Create {
        ..linking: Linking;
    }
}

impl Create {
    pub(crate) fn run(&self, context: &Context) -> Report {
        change::run("create", &self.linking.link, context, |path| {
            self.linking.allowed(Edit::create(path, self.linking.target())).parents(self.linking.parents)
        })
    }
}
