//! `caplink ensure`: makes the name a link to the target, whether nothing or any link was there.

use caplink::Edit;
use clap::Args;

use super::change;
use crate::cli::args::Linking;
use crate::cli::context::Context;
use crate::cli::report::Report;

/// Make LINK point to TARGET, whether nothing or any link was there
#[derive(Debug, Args)]
pub(crate) struct Ensure {
    #[command(flatten)]
    pub(crate) linking: Linking,
    /// Rename a file or directory in the way beside the link, and keep it
    #[arg(long)]
    pub(crate) backup: bool,
}

impl Ensure {
    pub(crate) fn run(&self, context: &Context) -> Report {
        change::run("ensure", &self.linking.link, context, |path| {
            let edit = self.linking.allowed(Edit::ensure(path, self.linking.target()));
            edit.parents(self.linking.parents).backup(self.backup)
        })
    }
}
