//! Errors of manifests, each with the policy that would do.

use caplink::manage::{ManifestStep, Remedy, Trouble, Unplanned};
use caplink::{Error, Kind};

use super::read::invalid;
use crate::cli::problem::Problem;
use crate::cli::report::Report;

/// The way out where the target is of another kind than the entry asks for.
const OF_KIND: &str = "`kind = \"any\"` in the entry, and no `/` at the end of `to`, take a target of whichever kind";

/// Why there is no plan; `shown` is the name of the manifest's file.
pub(crate) fn unplanned(report: &mut Report, shown: &str, unplanned: &Unplanned) {
    let troubles = match unplanned {
        Unplanned::Manifest(troubles) => troubles,
        Unplanned::Root(error) => return report.root_error(error),
        _ => return,
    };
    for trouble in troubles {
        match trouble {
            Trouble::Problem(problem) => report.errors.push(invalid(shown, problem)),
            Trouble::Unread { error, at } => {
                let mut problems = Problem::of(error, None, None);
                for problem in &mut problems {
                    problem.reported.message = format!("{shown}:{}:{}: {error}", at.line, at.column);
                    problem.reported.line = Some(at.line.into());
                    problem.reported.column = Some(at.column.into());
                }
                report.errors.extend(problems);
            }
        }
    }
}

/// Adds the error that a conflict is.
pub(crate) fn conflict(report: &mut Report, step: &ManifestStep, error: &Error) {
    let remedy = step.conflict.as_ref().and_then(|conflict| conflict.remedy);
    let is_other_kind = error.kind() == Kind::InvalidTarget && error.found().is_some();
    let hint = remedy.map(hint).or_else(|| is_other_kind.then(|| OF_KIND.to_owned()));
    let Some(hint) = hint else { return report.error(error) };
    report.errors.extend(Problem::of(error, Some(hint), None));
}

/// What would let an entry be carried out.
pub(crate) fn hint(remedy: Remedy) -> String {
    let policy = remedy.as_str();
    match remedy {
        Remedy::Replace => format!("`{policy}` in the entry replaces it; its text is kept in the records"),
        Remedy::Backup => format!("`{policy}` in the entry, or `apply --backup`, renames it beside"),
        Remedy::Skip => format!("`{policy}` in the entry leaves it alone"),
        Remedy::Parents => format!("`{policy}` in the entry makes the directories"),
        Remedy::AllowDangling => format!("`{policy}` in the entry makes the link all the same"),
        Remedy::AllowOutside => format!("`{policy}` in the entry lets it lead outside"),
        Remedy::Absent => "an `[[absent]]` for the parent that is a link has it removed first".to_owned(),
        Remedy::OneManifest => "declare the link in one of the manifests only".to_owned(),
    }
}
