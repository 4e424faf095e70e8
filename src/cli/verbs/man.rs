//! `caplink man`: the manual page, in the language of `man`.

use std::fmt;
use std::io;

use clap::{Args, CommandFactory as _};
use clap_mangen::Man as Page;
use serde::Serialize;

use crate::cli::args::Cli;
use crate::cli::context::Context;
use crate::cli::report::Report;

/// Print the manual page
#[derive(Debug, Args)]
pub(crate) struct Man {}

impl Man {
    #[expect(clippy::unused_self, reason = "every verb is run the same way")]
    pub(crate) fn run(&self, context: &Context) -> Report {
        let mut page = Vec::new();
        render(&mut page).expect("BUG: a vector takes what is written");
        let mut report = Report::new("man", context);
        report.answer(&Manual { page: String::from_utf8_lossy(&page).into_owned() });
        report
    }
}

fn render(page: &mut Vec<u8>) -> io::Result<()> {
    Page::new(Cli::command()).render(page)
}

#[derive(Serialize)]
struct Manual {
    page: String,
}

impl fmt::Display for Manual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.page)
    }
}
