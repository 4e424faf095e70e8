//! One link, looked at by its path.

use std::path::Path;

use crate::entry::Opened;
use crate::error::Kind;
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
    /// The system did not say.
    Unknown,
}

/// Looks at a name; a directory on the way that is a link, or none, holds no link.
pub(super) fn sight(root: &Root, link: &Path) -> Sight {
    let Ok(path) = LinkPath::new(link) else { return Sight::Gone };
    let seen = Opened::open(root, &path).and_then(|entry| look_at(&entry));
    match seen {
        Ok(Ok(finding)) => Sight::Link(finding),
        Ok(Err(_)) => Sight::Unknown,
        Err(error) => match error.kind() {
            Kind::Permission => Sight::Denied,
            Kind::FdExhausted | Kind::Io => Sight::Unknown,
            _ => Sight::Gone,
        },
    }
}

/// A link that cannot be seen any more.
pub(super) fn denied(link: &Path) -> Finding {
    Finding {
        link: link.to_path_buf(),
        target: None,
        status: Status::Denied,
        traits: Traits::default(),
        hops: 1,
        resolved: None,
        clamped: false,
        not_a_directory: false,
    }
}
