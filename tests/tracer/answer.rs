//! What the program says it did: its exit code and its JSON document.

use std::ffi::OsString;
use std::path::PathBuf;

use caplink::{Effect, Kind};
use serde_json::Value;

use crate::support::report::{Item, Report};
use crate::tracee::End;

const EFFECTS: [Effect; 5] = [Effect::Created, Effect::Unchanged, Effect::Replaced, Effect::Exchanged, Effect::Removed];

#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) changed: bool,
    /// An edit was refused; what a repair could not look at leaves the links that it could look at to be repaired.
    pub(crate) refused: bool,
    pub(crate) report: Report,
}

fn texts(value: &Value) -> Vec<PathBuf> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(PathBuf::from).collect()
}

impl Answer {
    /// Reads the answer to an edit of these links; an error says what is not as it should be.
    pub(crate) fn of(end: &End, links: &[&str]) -> Result<Answer, String> {
        let code = end.code.ok_or_else(|| "a signal ended it".to_owned())?;
        if end.stderr.contains("panicked") {
            return Err(format!("it panicked: {}", end.stderr));
        }
        let document: Value =
            serde_json::from_str(&end.stdout).map_err(|error| format!("no document ({error}): {}", end.stdout))?;
        let mut report = Report::default();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        for item in document["items"].as_array().into_iter().flatten() {
            let link = text(&item["link"]).unwrap_or_default();
            let index = links.iter().position(|path| *path == link);
            let effect = EFFECTS.into_iter().find(|effect| item["outcome"] == effect.as_str());
            report.items.push(Item {
                index: Some(index.ok_or_else(|| format!("it is about `{link}`"))?),
                link: link.into(),
                effect: effect.ok_or_else(|| format!("no outcome: {item}"))?,
                target: text(&item["target"]).map(OsString::from),
                previous: text(&item["previous"]).map(OsString::from),
                verified: item["verified"].as_bool().unwrap_or_default(),
                confined: text(&item["confinement"]).is_some_and(|level| level.starts_with("landlock-")),
            });
            report.backups.extend(text(&item["backup"]).map(PathBuf::from));
            report.made.extend(texts(&item["made"]));
        }
        let mut refused = false;
        for error in document["errors"].as_array().into_iter().flatten() {
            refused |= error["operation"] != "scan";
            let kind = Kind::ALL.iter().find(|kind| error["kind"] == kind.as_str());
            report.kinds.push(*kind.ok_or_else(|| format!("no kind: {error}"))?);
            report.left.extend(texts(&error["left"]));
            report.preserved.extend(texts(&error["preserved"]));
            report.made.extend(texts(&error["made"]));
        }
        // The error of what is left names what is preserved as well.
        let Report { left, preserved, .. } = &mut report;
        left.retain(|path| !preserved.contains(path));
        Ok(Answer { code, changed: document["changed"].as_bool().unwrap_or_default(), refused, report })
    }

    /// The exit code that the kinds of its errors ask for.
    pub(crate) fn code_of_kinds(&self) -> i32 {
        let class = |kind: &str| match kind {
            "usage" | "invalid_path" | "invalid_target" | "too_long" | "invalid_manifest" => 2,
            "exists" | "not_a_link" | "mismatch" | "contended" => 3,
            "escape" | "symlink_in_path" | "magic_link" | "cross_mount" | "mount_policy" | "policy" | "dangling"
            | "parent_moved" | "unsafe_state" => 4,
            "not_found" | "loop" | "root_gone" => 5,
            "busy" => 6,
            "partial" => 7,
            "check_failed" => 8,
            "integrity" => 9,
            _ => 10,
        };
        let met: Vec<i32> = self.report.kinds.iter().map(|kind| class(kind.as_str())).collect();
        [9, 7, 10, 4, 3, 5, 2, 8, 6].into_iter().find(|code| met.contains(code)).unwrap_or(0)
    }
}
