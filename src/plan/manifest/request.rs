//! What a plan is asked for.

use std::path::Path;

use super::declared::{Declared, OnConflict, Unwanted};
use super::seen::{Holdings, Seen};

/// What a plan is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'r> {
    /// What is declared, in the order of a walk.
    pub links: &'r [Declared],
    /// What shall not be there.
    pub unwanted: &'r [Unwanted],
    /// What was seen.
    pub seen: &'r Seen,
    /// What the records say.
    pub holdings: &'r Holdings,
    /// The root's physical path, for absolute texts.
    pub root: Option<&'r Path>,
    /// Only entries with one of these tags; none: all.
    pub tags: &'r [String],
    /// Whether owned links that are not declared any more are removed.
    pub prune: bool,
    /// What is done about something in the way of an entry that says nothing: [`OnConflict::Backup`] with `--backup`, else
    /// what the manifest's defaults say.
    pub on_conflict: OnConflict,
}
