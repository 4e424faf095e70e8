//! What stands over links, for the page: the apps that the records know, with what is wrong with them, and the entries of the
//! manifest that are not as they are declared.

use std::fmt::Write as _;
use std::path::PathBuf;

use caplink::manage::{AppView, Releases};
use caplink::watch::Judged;

use super::page::Escaped;
use crate::cli::context::Context;
use crate::cli::manifests::read as read_manifest;

/// How many entries are shown.
const DRIFT_MAX: usize = 1000;

/// What stands over the links of a root.
#[derive(Default)]
pub(crate) struct Standing {
    apps: Vec<AppView>,
    /// The manifest, with its entries.
    judged: Option<Judged>,
    /// What cannot be said, and why.
    unread: Vec<String>,
}

impl Standing {
    /// Looks at it. What is wrong with the records is said on the page, and hides no link.
    pub(crate) fn of(context: &Context) -> Standing {
        let mut standing = Standing::default();
        let root = match context.look_with_state() {
            Ok(root) => root,
            Err(problem) => {
                standing.unread.push(problem.reported.message);
                return standing;
            }
        };
        let look = |app: String| Releases::open(&root, &app)?.look();
        match Releases::apps(&root).and_then(|apps| apps.into_iter().map(look).collect()) {
            Ok(apps) => standing.apps = apps,
            Err(error) => standing.unread.push(error.to_string()),
        }
        match read_manifest(context, &root, None) {
            Ok(None) => {}
            Ok(Some(read)) => match Judged::of(&root, &read.manifest) {
                Ok(judged) => standing.judged = Some(judged),
                Err(error) => standing.unread.push(error.to_string()),
            },
            Err(problems) => standing.unread.extend(problems.into_iter().map(|problem| problem.reported.message)),
        }
        standing
    }

    /// The sections; nothing where there is nothing.
    pub(super) fn section(&self) -> String {
        let unread =
            self.unread.iter().map(|why| format!("<p class=\"bad\">{}</p>\n", Escaped(caplink::printable(why))));
        let (unread, apps): (String, String) = (unread.collect(), self.apps.iter().map(row).collect());
        let mut sections = String::new();
        if !unread.is_empty() {
            sections += &format!("<section class=\"standing\">\n{unread}</section>\n");
        }
        if !apps.is_empty() {
            let head = "<th>App</th><th>Link</th><th>Release</th><th>Since</th><th>Alarm</th><th>Releases</th>";
            sections += &table("Releases", head, &apps);
        }
        if let Some(judged) = &self.judged {
            sections += &drift(judged);
        }
        sections
    }
}

fn table(title: &str, head: &str, rows: &str) -> String {
    format!("<section class=\"standing\">\n<h2>{title}</h2>\n<table>\n<tr>{head}</tr>\n{rows}</table>\n</section>\n")
}

/// The entries of a manifest that are not as they are declared.
fn drift(judged: &Judged) -> String {
    let drifted = || judged.entries.iter().filter(|(_, status)| !matches!(*status, "ok" | "skipped"));
    let row = |(link, status): &(PathBuf, &str)| {
        format!("<tr><td>{}</td><td class=\"bad\">{status}</td></tr>\n", Escaped(caplink::printable(link)))
    };
    let mut rows: String = drifted().take(DRIFT_MAX).map(row).collect();
    let (count, more) = (drifted().count(), drifted().count().saturating_sub(DRIFT_MAX));
    if more > 0 {
        rows += &format!("<tr><td>and {more} more</td><td></td></tr>\n");
    }
    let title = format!("Manifest {}: {count} of {} not as declared", Escaped(&judged.manifest), judged.entries.len());
    table(&title, "<th>Link</th><th>Status</th>", &rows)
}

fn row(app: &AppView) -> String {
    let since = app.since.map(|since| since.to_string()).unwrap_or_default();
    let (alarm, class) = app.alarm.map_or(("none", ""), |alarm| (alarm.as_str(), " class=\"bad\""));
    let mut counts = String::new();
    for (state, count) in &app.counts {
        // A string takes what is written.
        let _always = write!(counts, "{}{count} {}", if counts.is_empty() { "" } else { ", " }, state.as_str());
    }
    format!(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td{class}>{alarm}</td><td>{}</td></tr>\n",
        Escaped(&app.app),
        Escaped(caplink::printable(app.link.as_path())),
        Escaped(caplink::printable(app.release.as_deref().unwrap_or_default())),
        Escaped(since),
        Escaped(counts),
    )
}
