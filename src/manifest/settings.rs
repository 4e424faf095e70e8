//! What `[defaults]` may say, and every entry for itself.

use super::document::Table;
use super::read::Reader;
use crate::model::Style;
use crate::plan::{OnConflict, TargetKind};

/// The keys of `[defaults]`.
pub(super) const SETTINGS: &[&str] = &["style", "on_conflict", "parents", "allow_dangling", "allow_outside"];

/// The words for what a target has to be.
pub(super) const KINDS: &[(&str, TargetKind)] =
    &[("file", TargetKind::File), ("dir", TargetKind::Dir), ("any", TargetKind::Any)];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) style: Style,
    /// What the entry itself says, not the defaults: an option of the command line comes in between.
    pub(super) on_conflict: Option<OnConflict>,
    pub(super) parents: bool,
    pub(super) allow_dangling: bool,
    pub(super) allow_outside: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            style: Style::Relative,
            on_conflict: None,
            parents: true,
            allow_dangling: false,
            allow_outside: false,
        }
    }
}

impl Settings {
    /// What a table says, and these settings where it says nothing.
    pub(super) fn read(self, reader: &mut Reader<'_>, table: &Table<'_>) -> Settings {
        let styles = [("relative", Style::Relative), ("absolute", Style::Absolute), ("verbatim", Style::Verbatim)];
        let policies: Vec<(&str, OnConflict)> =
            OnConflict::ALL.iter().map(|policy| (policy.as_str(), *policy)).collect();
        let mut flag =
            |key: &str, otherwise: bool| table.get(key).and_then(|value| reader.flag(value)).unwrap_or(otherwise);
        let (parents, allow_dangling, allow_outside) = (
            flag("parents", self.parents),
            flag("allow_dangling", self.allow_dangling),
            flag("allow_outside", self.allow_outside),
        );
        Settings {
            style: table.get("style").and_then(|value| reader.word(value, &styles)).unwrap_or(self.style),
            on_conflict: table.get("on_conflict").and_then(|value| reader.word(value, &policies)),
            parents,
            allow_dangling,
            allow_outside,
        }
    }
}
