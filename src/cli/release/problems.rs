//! Errors about releases: which release, which check, and the way out.

use caplink::manage::{CheckReport, Failed};
use caplink::{Error, Kind};

use crate::cli::hint;
use crate::cli::problem::Problem;
use crate::cli::report::Report;

/// Adds an error about a release.
pub(crate) fn problem(report: &mut Report, app: &str, release: Option<&str>, error: &Error) {
    add(report, app, release, error, None);
}

/// Adds why a switch, deploy or rollback failed.
pub(crate) fn failed(report: &mut Report, app: &str, failed: &Failed) {
    add(report, app, failed.until.release.as_deref(), failed.error(), failed.until.check.as_ref());
}

fn add(report: &mut Report, app: &str, release: Option<&str>, error: &Error, check: Option<&CheckReport>) {
    let hint = hint_of(report, app, error);
    let about_release = error.link().is_none_or(|link| release.is_some_and(|name| link.as_os_str() == name));
    let mut problems = if about_release && error.kind() != Kind::Residue {
        vec![Problem::of_root(error).hinted(hint)]
    } else {
        let residue = hint.clone();
        Problem::of(error, hint, residue)
    };
    for problem in &mut problems {
        problem.reported.release = release.map(str::to_owned);
        if error.kind() == Kind::CheckFailed {
            problem.reported.check = check.and_then(|check| serde_json::to_value(check).ok());
        }
    }
    report.errors.extend(problems);
}

/// The way out of an error about a release.
fn hint_of(report: &Report, app: &str, error: &Error) -> Option<String> {
    let of_app = |verb: &str| match app {
        "default" => format!("release {verb}"),
        app => format!("release --app {app} {verb}"),
    };
    let shown =
        |verb: &str, what: &str| report.here().command(verb, &[], None).map(|command| format!("`{command}` {what}"));
    match error.kind() {
        // A link in a release to what all releases share.
        Kind::Dangling if error.operation() == "link" => Some(
            "make what it leads to first; `kind = \"dir\"` in the manifest's `shared` has a missing directory made"
                .to_owned(),
        ),
        Kind::Exists | Kind::NotALink if error.operation() == "link" => Some(
            "`seed = \"aside\"` in the manifest's `shared` renames what the release brought and keeps it".to_owned(),
        ),
        Kind::NotFound if error.operation() == "start" => {
            Some("a program without a `/` in its name is looked for in $PATH".to_owned())
        }
        Kind::UnknownRelease | Kind::NotFound | Kind::NotADirectory => shown(&of_app("list"), "shows the releases"),
        Kind::ReplacedRelease | Kind::CheckFailed => shown(&of_app("status"), "shows where the tree stands"),
        Kind::Mismatch | Kind::NotALink => shown(&of_app("status"), "shows where the link leads"),
        Kind::BadRelease => {
            Some("`--even-bad` takes it all the same; `release mark --good` clears the mark".to_owned())
        }
        Kind::Partial | Kind::Residue => shown("recover", "goes on with it"),
        Kind::NoRecords => Some("`release add` makes them with the first release".to_owned()),
        Kind::Busy => Some("`--lock-timeout DURATION` waits longer".to_owned()),
        Kind::InvalidPath => shown(&of_app("list"), "shows the names of the releases"),
        _ => hint::of_root(error, report.here()),
    }
}
