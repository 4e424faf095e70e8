//! One link, looked at by its path.

use std::path::Path;

use crate::entry::Opened;
use crate::error::{Found, Kind};
use crate::model::{Finding, LinkPath, Status, Traits};
use crate::root::Root;
use crate::scan::look_at;

/// What was seen under a name.
pub(super) enum Sight {
    Link(Finding),
    /// No link.
    Gone,
    /// The caller may not see what it is.
    Denied,
    /// The system did not say: nothing of it is known.
    Unknown,
}

/// Looks at a name; a directory on the way that is a link, or none, holds no link.
pub(super) fn sight(root: &Root, link: &Path) -> Sight {
    let Ok(path) = LinkPath::new(link) else { return Sight::Gone };
    let entry = match Opened::open(root, &path) {
        Ok(entry) => entry,
        Err(error) if error.kind() == Kind::Permission => return Sight::Denied,
        Err(error) if passes(error.kind()) => return Sight::Unknown,
        Err(_) => return Sight::Gone,
    };
    match look_at(&entry) {
        Ok(Ok(finding)) => Sight::Link(finding),
        Ok(Err(_)) => Sight::Unknown,
        // Something else was under the name, or nothing.
        Err(_) => match entry.look() {
            Ok(Found::Missing | Found::Other(_)) => Sight::Gone,
            _ => Sight::Unknown,
        },
    }
}

/// Whether what fails so may succeed later, though nothing changes that hints tell of.
pub(super) fn passes(kind: Kind) -> bool {
    kind == Kind::Contended || kind.tells_nothing()
}

/// A link of which nothing can be known but its text, perhaps.
pub(super) fn denied(root: &Root, link: &Path) -> Finding {
    let text = || Opened::open(root, &LinkPath::new(link).ok()?).ok()?.look().ok()?.into_text();
    Finding {
        link: link.to_path_buf(),
        target: text(),
        status: Status::Denied,
        traits: Traits::default(),
        hops: 1,
        resolved: None,
        clamped: false,
        not_a_directory: false,
    }
}
