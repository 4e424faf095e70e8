//! Who made a change, as far as the system tells.

use serde::{Deserialize, Serialize};

use crate::sys;

/// Who made a change, as far as the system knows it, and who is claimed to have asked for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Actor {
    /// The effective user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The user of the audit session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_uid: Option<u32>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_user: Option<String>,
    /// The process that started the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// The name of that process's program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// The name of the computer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Who asked for the change, as the caller said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claimed: Option<String>,
}

/// An actor that many entries of one append have in common.
pub(super) mod shared {
    use std::sync::Arc;

    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use super::Actor;

    pub(in crate::records) fn serialize<S: Serializer>(actor: &Arc<Actor>, serializer: S) -> Result<S::Ok, S::Error> {
        actor.as_ref().serialize(serializer)
    }

    pub(in crate::records) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Actor>, D::Error> {
        Actor::deserialize(deserializer).map(Arc::new)
    }
}

impl Actor {
    /// Returns what the system tells of this process: its user, that of its audit session, the process that started it,
    /// and the computer.
    ///
    /// # Platform-specific behavior
    ///
    /// Users are named as `/etc/passwd` names them. Without `/proc` only the user and the number of the starting process
    /// are known.
    #[must_use]
    pub fn of_this_process() -> Actor {
        let caller = sys::caller();
        Actor {
            uid: Some(caller.uid),
            user: caller.user,
            login_uid: caller.login_uid,
            login_user: caller.login_user,
            pid: Some(caller.parent),
            program: caller.program,
            host: caller.host,
            claimed: None,
        }
    }
}
