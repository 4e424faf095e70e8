//! `caplink remove`: removes a link, and only a link.

use std::ffi::OsString;

use caplink::Edit;
use clap::{Args, value_parser};

use super::change;
use crate::cli::context::Context;
use crate::cli::report::Report;

/// Remove LINK, and only a link
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// The link, below the root
    #[arg(value_name = "LINK", value_parser = value_parser!(OsString))]
    pub(crate) link: OsString,
    /// The text that LINK must have now
    #[arg(long, value_name = "OLD", allow_hyphen_values = true, value_parser = value_parser!(OsString))]
    pub(crate) expect: Option<OsString>,
    /// The link or its directory may be absent already
    #[arg(long)]
    pub(crate) missing_ok: bool,
}

impl Remove {
    pub(crate) fn run(&self, context: &Context) -> Report {
        change::run("remove", &self.link, context, |path| {
            let edit = Edit::remove(path).missing_ok(self.missing_ok);
            match &self.expect {
                Some(text) => edit.expect(text),
                None => edit,
            }
        })
    }
}
