//! What the program says it did: its exit code and its JSON document.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::tracee::End;

#[derive(Clone, Debug, Default)]
pub(crate) struct Item {
    pub(crate) link: String,
    pub(crate) outcome: String,
    pub(crate) target: Option<String>,
    pub(crate) previous: Option<String>,
    pub(crate) confinement: String,
    pub(crate) verified: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) items: Vec<Item>,
    pub(crate) kinds: Vec<String>,
    pub(crate) changed: bool,
    /// What is reported as staying, whosever it is.
    pub(crate) left: Vec<PathBuf>,
    /// Of these, what is of others.
    pub(crate) preserved: Vec<PathBuf>,
    pub(crate) backups: Vec<PathBuf>,
    pub(crate) made: Vec<PathBuf>,
}

fn texts(value: &Value) -> Vec<PathBuf> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(PathBuf::from).collect()
}

impl Answer {
    /// Reads the answer; an error says what is not as it should be.
    pub(crate) fn of(end: &End) -> Result<Answer, String> {
        let code = end.code.ok_or_else(|| "a signal ended it".to_owned())?;
        if end.stderr.contains("panicked") {
            return Err(format!("it panicked: {}", end.stderr));
        }
        let document: Value =
            serde_json::from_str(&end.stdout).map_err(|error| format!("no document ({error}): {}", end.stdout))?;
        let mut answer =
            Answer { code, changed: document["changed"].as_bool().unwrap_or_default(), ..Answer::default() };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        for item in document["items"].as_array().into_iter().flatten() {
            answer.items.push(Item {
                link: text(&item["link"]).unwrap_or_default(),
                outcome: text(&item["outcome"]).unwrap_or_default(),
                target: text(&item["target"]),
                previous: text(&item["previous"]),
                confinement: text(&item["confinement"]).unwrap_or_default(),
                verified: item["verified"].as_bool().unwrap_or_default(),
            });
            answer.backups.extend(text(&item["backup"]).map(PathBuf::from));
            answer.made.extend(texts(&item["made"]));
        }
        for error in document["errors"].as_array().into_iter().flatten() {
            answer.kinds.extend(text(&error["kind"]));
            answer.left.extend(texts(&error["left"]));
            answer.preserved.extend(texts(&error["preserved"]));
            answer.left.extend(texts(&error["preserved"]));
            answer.made.extend(texts(&error["made"]));
        }
        Ok(answer)
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
        let met: Vec<i32> = self.kinds.iter().map(|kind| class(kind)).collect();
        [9, 7, 10, 4, 3, 5, 2, 8, 6].into_iter().find(|code| met.contains(code)).unwrap_or(0)
    }

    /// What is reported as this program's own.
    pub(crate) fn own_left(&self) -> impl Iterator<Item = &Path> {
        self.left.iter().filter(|path| !self.preserved.contains(path)).map(PathBuf::as_path)
    }
}
