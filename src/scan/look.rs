//! One link: its text, and where it leads.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::entry::Opened;
use crate::error::{Error, Kind, Result};
use crate::model::{Finding, Spelling, Status, Traits};
use crate::resolve::{Detail, LinkSite, view};
use crate::root::Root;
use crate::sys::{self, Fault};

/// What was found under the name.
pub(super) enum Seen {
    Link(Finding),
    /// A link of which the system did not tell where it leads.
    Unreadable(Finding, Error),
    /// No link.
    Other,
    /// No entry.
    Gone,
}

/// Looks at the link from its directory.
///
/// Fails only where no descriptors are left.
pub(super) fn at(root: &Root, at: LinkSite<'_>) -> Result<Seen> {
    let LinkSite { dir, name, from, .. } = at;
    let link = || {
        let mut link = PathBuf::with_capacity(from.as_os_str().len() + 1 + name.len());
        link.extend([from, Path::new(name)]);
        link
    };
    let unviewed = |status, target| Finding {
        link: link(),
        target,
        status,
        traits: Traits::default(),
        hops: 1,
        resolved: None,
        clamped: false,
        not_a_directory: false,
    };
    let text = match root.calls().read_link(dir, name) {
        Ok(Some(text)) => text,
        Ok(None) => return Ok(Seen::Other),
        Err(source) => match sys::fault(&source) {
            Fault::Missing => return Ok(Seen::Gone),
            Fault::Denied => return Ok(Seen::Link(unviewed(Status::Denied, None))),
            // An empty text, which a crash can leave, is refused by some file systems before it is handed out.
            Fault::Damaged => return Ok(Seen::Link(unviewed(Status::Corrupt, None))),
            _ => return Ok(Seen::Unreadable(unviewed(Status::Denied, None), Error::from_io(source))),
        },
    };
    match view(root, at, text, Detail::Where) {
        Ok(seen) => {
            let not_a_directory = seen.status == Status::Dangling && is_no_directory(root, at, &seen.target);
            Ok(Seen::Link(Finding {
                link: link(),
                target: Some(seen.target),
                status: seen.status,
                traits: seen.traits,
                hops: seen.hops,
                resolved: seen.resolved,
                clamped: seen.clamped,
                not_a_directory,
            }))
        }
        Err(error) if error.kind() == Kind::FdExhausted => Err(error),
        Err(error) => {
            let text = root.calls().read_link(dir, name).ok().flatten();
            Ok(Seen::Unreadable(unviewed(Status::Denied, text), error))
        }
    }
}

/// Looks at the link of an opened entry. The inner error is about where it leads.
pub(crate) fn look_at(entry: &Opened<'_>) -> Result<Result<Finding>> {
    let sticky = entry.root.calls().stat(&entry.parent).map_err(Error::from_io)?.is_sticky_for_all();
    let above = |levels: usize| (levels == 0).then_some(&*entry.parent);
    let site = LinkSite { above: &above, ..LinkSite::new(&entry.parent, entry.name(), entry.dir(), sticky) };
    match at(&entry.root, site)? {
        Seen::Link(finding) => Ok(Ok(finding)),
        Seen::Unreadable(_, error) => Ok(Err(error.on("scan", entry.physical()))),
        Seen::Other | Seen::Gone => Err(Error::new(Kind::Contended)),
    }
}

/// Whether a text that asks for a directory would lead to something if it did not.
fn is_no_directory(root: &Root, at: LinkSite<'_>, text: &OsStr) -> bool {
    let bare: PathBuf = Path::new(text).components().collect();
    let asks = bare.as_os_str().len() < text.len() && Spelling::new(text).wants_directory();
    asks && view(root, at, bare.into_os_string(), Detail::Where).is_ok_and(|seen| seen.status == Status::Ok)
}
