//! Whether the place of the records is one that nobody else can change.

use crate::error::{Error, Kind, Result};
use crate::root::Root;
use crate::sys::{Handle, Stat};

/// The superuser, who can change everything anyway.
const SUPERUSER: u32 = 0;

/// Checks that every directory above the state directory belongs to the caller or to the superuser, and that others can
/// rename nothing in it.
///
/// Where a directory has an access control list, the group bits of its mode are the most that the list gives to anybody.
pub(super) fn check_way(root: &Root, state: &Handle) -> Result<()> {
    check(root, state, None)
}

/// The same of a state directory that is yet to be made in a directory.
pub(super) fn check_way_to(root: &Root, base: &Handle) -> Result<()> {
    let stat = root.calls().stat(base).map_err(|source| Error::from_io(source).during("use the records"))?;
    check(root, base, Some(&stat))
}

fn check(root: &Root, below: &Handle, first: Option<&Stat>) -> Result<()> {
    let user = root.calls().user();
    let mut unsafe_above = None;
    let mut depth = 0;
    let mut look = |stat: &Stat| {
        depth += 1;
        if unsafe_above.is_none() && !is_safe(stat, user) {
            unsafe_above = Some(depth);
        }
    };
    first.into_iter().for_each(&mut look);
    root.calls().above(below, &mut look).map_err(|source| Error::from_io(source).during("use the records"))?;
    match unsafe_above {
        None => Ok(()),
        Some(above) => Err(Error::new(Kind::UnsafeState).during("use the records").because(format!(
            "others can write the directory {above} above the state directory; give one outside with `--state`"
        ))),
    }
}

fn is_safe(stat: &Stat, user: u32) -> bool {
    (stat.uid == user || stat.uid == SUPERUSER) && (stat.mode & 0o022 == 0 || stat.mode & 0o1000 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::FileKind;
    use crate::model::ObjectId;

    #[test]
    fn only_a_sticky_directory_may_be_written_by_others() {
        let stat = |uid, mode| Stat {
            id: ObjectId { device: 1, inode: 1 },
            kind: FileKind::Dir,
            mode,
            uid,
            gid: 0,
            links: 2,
            size: 0,
            changed: 0,
        };
        for (uid, mode, safe) in [
            (1000, 0o755, true),
            (0, 0o755, true),
            (0, 0o1777, true),
            (1000, 0o775, false),
            (1000, 0o757, false),
            (1001, 0o755, false),
            (1001, 0o1777, false),
        ] {
            assert_eq!(is_safe(&stat(uid, mode), 1000), safe, "{uid} {mode:o}");
        }
    }
}
