//! `caplink create`: makes a link where nothing is.

use caplink::Edit;
use clap::Args;

use super::change;
use crate::cli::args::Linking;
use crate::cli::context::Context;
use crate::cli::report::Report;

/// Make LINK; if anything has the name, nothing changes
#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) linking: Linking,
}

impl Create {
    pub(crate) fn run(&self, context: &Context) -> Report {
        change::run("create", &self.linking.link, context, |path| {
            self.linking.allowed(Edit::create(path, self.linking.target())).parents(self.linking.parents)
        })
    }
}
