//! Which directory the records belong to, for longer than it is open.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::root::Root;
use crate::sys::Lasting;

/// What tells a root from other directories, also after the system was started anew.
///
/// The number of a device is no part of it: the order in which disks are found changes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RootIdentity {
    /// The id of its file system, where that has one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_system: Option<String>,
    /// Its inode.
    pub inode: u64,
    /// When the inode was made, in seconds and nanoseconds since 1970, where the file system keeps that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth: Option<(i64, u32)>,
}

/// How sure it is that a directory with the same identity is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// File system, inode and time of birth are known.
    Strong,
    /// One of them is not, and an inode number can be given to another.
    Weak,
}

impl Strength {
    /// Returns the stable name that the command line prints.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Strength::Strong => "strong",
            Strength::Weak => "weak",
        }
    }
}

impl RootIdentity {
    pub(crate) fn of(root: &Root) -> Result<RootIdentity> {
        let Lasting { file_system, inode, birth } = root
            .calls()
            .lasting(root.handle())
            .map_err(|source| Error::from_io(source).during("tell the root from others"))?;
        Ok(RootIdentity { file_system: file_system.map(|id| format!("{id:016x}")), inode, birth })
    }

    /// Returns how sure it is that a directory with the same identity is the same.
    #[must_use]
    pub fn strength(&self) -> Strength {
        if self.file_system.is_some() && self.birth.is_some() { Strength::Strong } else { Strength::Weak }
    }

    /// Whether nothing that both know tells them apart.
    pub(super) fn is_same(&self, other: &RootIdentity) -> bool {
        fn may_be<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
            one.zip(other).is_none_or(|(one, other)| one == other)
        }
        self.inode == other.inode
            && may_be(self.file_system.as_ref(), other.file_system.as_ref())
            && may_be(self.birth.as_ref(), other.birth.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_told_apart_by_whatever_both_know() {
        let known = RootIdentity { file_system: Some("1".into()), inode: 2, birth: Some((3, 4)) };
        let weak = RootIdentity { file_system: None, birth: None, ..known.clone() };
        assert_eq!((known.strength(), weak.strength()), (Strength::Strong, Strength::Weak));
        assert!(known.is_same(&known) && known.is_same(&weak) && weak.is_same(&known));
        for other in [
            RootIdentity { inode: 5, ..known.clone() },
            RootIdentity { file_system: Some("9".into()), ..known.clone() },
            RootIdentity { birth: Some((3, 5)), ..known.clone() },
        ] {
            assert!(!known.is_same(&other), "{other:?}");
        }
    }
}
