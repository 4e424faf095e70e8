//! Paths as the records have them: below their own root, whichever narrower one a change is made through.

use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};
use crate::root::Root;

/// The path below the root of the records at which a root is: its `image` tells where it is below the root that was opened.
pub(super) fn below(records: &Root, image: &Path) -> Result<PathBuf> {
    image.strip_prefix(records.image()).map(Path::to_path_buf).map_err(|_| {
        let reason = "the records are those of a root below this one";
        Error::new(Kind::Integrity).during("record").because(reason).at_entry(0)
    })
}
