//! A plan: edits in order, and how they are carried out together.

use super::{Durability, Edit};
use crate::error::words;

words! {
    "what an error means":
    /// What an edit that fails means for those after it.
    #[derive(Default)]
    #[non_exhaustive]
    pub enum OnError {
        /// They are skipped.
        #[default]
        Stop = "stop",
        /// They are carried out all the same.
        KeepGoing = "keep_going",
    }
}

/// Edits in order, and how they are carried out together.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
/// # dir.create_dir("v1")?;
/// use caplink::{Durability, Edit, Effect, LinkPath, OnError, Plan, Policy, Root, Target};
///
/// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
/// let ensure = |name| LinkPath::new(name).map(|path| Edit::ensure(path, Target::relative("v1")));
/// let plan = Plan::new([ensure("current")?, ensure("stable")?]).on_error(OnError::Stop).durability(Durability::Dir);
/// for result in root.apply_plan(&plan, &()) {
///     assert_eq!(result?.effect, Effect::Created);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[must_use = "a plan changes nothing until it is applied"]
pub struct Plan {
    pub(crate) edits: Vec<Edit>,
    pub(crate) on_error: OnError,
    pub(crate) durability: Durability,
}

impl Plan {
    /// These edits, of which the first that fails stops the rest.
    pub fn new<E: Into<Edit>>(edits: impl IntoIterator<Item = E>) -> Plan {
        Plan { edits: edits.into_iter().map(Into::into).collect(), ..Plan::default() }
    }

    /// Says what an edit that fails means for those after it.
    pub fn on_error(self, on_error: OnError) -> Plan {
        Plan { on_error, ..self }
    }

    /// Says what is to survive a power cut once the plan has been carried out: each changed directory is synced once, at
    /// the end. It is beside what an edit asks for itself.
    pub fn durability(self, durability: Durability) -> Plan {
        Plan { durability, ..self }
    }

    /// Returns the edits.
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }
}
