//! `caplink adopt`: files and directories move below a directory, each replaced by a link to it.

use std::ffi::OsString;
use std::path::Path;

use caplink::manage::Adoption;
use caplink::records::Records;
use caplink::{Durability, Error, Kind, LinkPath};
use clap::{Args, ValueHint};

use super::change;
use crate::cli::context::Context;
use crate::cli::problem::Problem;
use crate::cli::recording::{could_record, refused};
use crate::cli::report::Report;

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink adopt .vimrc .config/nvim --into dotfiles
  caplink -n adopt storage --into shared
  caplink adopt storage --into shared/data -p";

/// Move files and directories below DIR, and put a link in the place of each, all or nothing
///
/// No name is absent for a moment: each is exchanged with its link in one call.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Adopt {
    /// Files or directories, below the root
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    paths: Vec<OsString>,
    /// The directory that they move to, below the root
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    into: OsString,
    /// Make DIR if it is missing
    #[arg(short, long)]
    parents: bool,
}

impl Adopt {
    pub(crate) fn run(&self, context: &Context) -> Report {
        let mut report = Report::new("adopt", context);
        if let Some(root) = report.opened(context.look_with_state())
            && let Err(problem) = self.adopt(&root, context, &mut report)
        {
            report.errors.push(*problem);
        }
        report
    }

    fn adopt(&self, root: &caplink::Root, context: &Context, report: &mut Report) -> Result<(), Box<Problem>> {
        let spelled = |path: &OsString| LinkPath::new(path).map_err(|error| error.during("adopt"));
        let paths: Vec<Result<LinkPath, Error>> = self.paths.iter().map(spelled).collect();
        let into = directory(&self.into);
        if paths.iter().any(Result::is_err) || into.is_err() {
            paths
                .iter()
                .filter_map(|path| path.as_ref().err())
                .chain(into.as_ref().err())
                .for_each(|error| report.error(error));
            return Ok(());
        }
        let root = context.confined(root).map_err(refused)?;
        let author = context.author()?;
        let records = Records::open_for_mutation(&root).map_err(refused)?;
        if let (Some(records), false) = (&records, context.global.dry_run) {
            report.recovered(&records.recover().map_err(refused)?);
        }
        let paths: Vec<LinkPath> = paths.into_iter().flatten().collect();
        let into = into.unwrap_or_default();
        let adoption = Adoption::new(&root, &paths, Path::new(&into), self.parents).map_err(refused)?;
        let durability = context.durability(&root, Durability::Dir);
        let applied = match context.global.dry_run {
            true => adoption.preview(&root, durability),
            false => adoption.apply(&root, &author, durability).map_err(refused)?,
        };
        let changes = applied.results.iter().flatten().any(|of| of.effect.is_change());
        if context.global.dry_run && applied.stands && changes {
            could_record(&root, records.as_ref(), author.reason().is_some())?;
        }
        if !applied.group.is_empty() {
            report.group(&applied.group);
        }
        report.recovered(&applied.recovered);
        if applied.stands {
            report.made(&adoption.made(&applied));
        }
        for result in applied.results {
            match result {
                Ok(outcome) => change::done(report, &root, &[outcome]),
                Err(error) => match self.hint(&error) {
                    Some(hint) => report.errors.extend(Problem::of(&error, Some(hint), None)),
                    None => change::failed(report, &error),
                },
            }
        }
        Ok(())
    }

    /// The way out of what only this verb comes to.
    fn hint(&self, error: &Error) -> Option<String> {
        let leads_elsewhere = error.via_text().is_some() && error.component().is_none();
        match error.kind() {
            Kind::Dangling | Kind::Escape | Kind::Mismatch if leads_elsewhere => {
                Some("give that link an absolute text, or take it away first".to_owned())
            }
            Kind::NotFound if error.component().is_some() && !self.parents => {
                Some("`-p` makes the directory".to_owned())
            }
            Kind::Loop if error.component().is_none() => {
                Some("`--into` names a directory that is not below what is adopted".to_owned())
            }
            _ => None,
        }
    }
}

/// The directory, spelled as a path of a looking verb: `.` and a trailing `/` are fine.
fn directory(into: &OsString) -> Result<OsString, Error> {
    let trimmed = trimmed(into);
    if trimmed.is_empty() {
        return if into.is_empty() { LinkPath::new(into).map(|_| OsString::new()) } else { Ok(OsString::new()) };
    }
    LinkPath::new(trimmed).map(|path| path.as_path().as_os_str().to_os_string()).map_err(|error| error.during("adopt"))
}

/// Without `.` and slashes at its end.
fn trimmed(into: &OsString) -> OsString {
    let mut bytes = into.as_encoded_bytes();
    loop {
        let shorter = match bytes {
            [before @ .., b'/', b'.'] => before,
            [b'.'] | [b'.', b'/'] => &[],
            [before @ .., b'/'] if !before.is_empty() => before,
            _ => break,
        };
        bytes = shorter;
    }
    into.to_str().and_then(|text| text.get(..bytes.len())).map_or_else(|| into.clone(), OsString::from)
}
