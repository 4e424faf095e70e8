//! The command line: arguments in, one report out.
//!
//! In order: what a parent left open is closed; the arguments are parsed; what `exec` could gain is given up, unless the
//! verb starts programs, which may need it; the verb runs and fills a [`report::Report`]; the report is printed as text or as one JSON document; its errors decide
//! the exit code. A scan prints while it goes on. Nothing here touches the file system but through a [`caplink::Root`].

mod args;
mod batch_lines;
mod context;
mod duration;
mod ending;
mod errors;
mod exit;
mod files;
mod global;
mod here;
mod hint;
#[cfg(unix)]
mod inherited;
mod items;
mod line;
mod linking;
mod manifests;
mod manual;
mod output;
mod parse;
mod problem;
mod recording;
mod release;
mod report;
mod scan;
mod service;
mod settled;
mod text;
mod topic;
mod usage;
mod verbs;
mod words;

use std::ffi::OsString;
use std::process::ExitCode;

use context::Context;

pub(crate) fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    #[cfg(unix)]
    inherited::close(&arguments);
    match parse::parse(&arguments).and_then(parse::checked) {
        Ok(cli) => {
            if !cli.verb.starts_programs() {
                // Where the platform has nothing of the kind there is nothing to give up.
                let _renounced = caplink::renounce_privileges();
            }
            let context = Context::new(cli.global);
            cli.verb.run(&context)
        }
        Err(error) => usage::answer(&error, &arguments),
    }
}
