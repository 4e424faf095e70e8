//! `caplink swap`: replaces a link if its text is what the caller expects.

use std::ffi::OsString;

use caplink::Edit;
use clap::{Args, value_parser};

use super::change;
use crate::cli::args::Linking;
use crate::cli::context::Context;
use crate::cli::report::Report;

/// Replace LINK if its stored text is exactly OLD
#[derive(Debug, Args)]
pub(crate) struct Swap {
    #[command(flatten)]
    pub(crate) linking: Linking,
    /// The text that LINK must have now
    #[arg(long, value_name = "OLD", allow_hyphen_values = true, value_parser = value_parser!(OsString))]
    pub(crate) expect: OsString,
}

impl Swap {
    pub(crate) fn run(&self, context: &Context) -> Report {
        change::run("swap", &self.linking.link, context, |path| {
            self.linking.allowed(Edit::swap(path, self.linking.target(), &self.expect))
        })
    }
}
