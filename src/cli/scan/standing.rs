//! What stands over links, for the page: the apps that the records know, with what is wrong with them.

use std::fmt::Write as _;

use caplink::manage::{AppView, Releases};

use super::page::Escaped;
use crate::cli::context::Context;

/// What stands over the links of a root.
#[derive(Default)]
pub(crate) struct Standing {
    apps: Vec<AppView>,
    /// Why it cannot be said.
    unread: Option<String>,
}

impl Standing {
    /// Looks at it. What is wrong with the records is said on the page, and hides no link.
    pub(crate) fn of(context: &Context) -> Standing {
        let looked = || {
            let root = context.look_with_state().map_err(|problem| problem.reported.message)?;
            let look = |app: String| Releases::open(&root, &app)?.look();
            let apps = Releases::apps(&root).and_then(|apps| apps.into_iter().map(look).collect());
            apps.map_err(|error: caplink::Error| error.to_string())
        };
        match looked() {
            Ok(apps) => Standing { apps, unread: None },
            Err(why) => Standing { apps: Vec::new(), unread: Some(why) },
        }
    }

    /// The section; nothing where there is nothing.
    pub(super) fn section(&self) -> String {
        let unread = self.unread.as_ref();
        let unread =
            unread.map(|why| format!("<p class=\"bad\">{}</p>", Escaped(caplink::printable(why)))).unwrap_or_default();
        if self.apps.is_empty() && unread.is_empty() {
            return String::new();
        }
        let mut section = format!("<section class=\"standing\">\n<h2>Releases</h2>\n{unread}");
        if !self.apps.is_empty() {
            section += "<table>\n<tr><th>App</th><th>Link</th><th>Release</th><th>Since</th><th>Alarm</th><th>Releases</th></tr>\n";
            self.apps.iter().for_each(|app| section += &row(app));
            section += "</table>\n";
        }
        section + "</section>\n"
    }
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
