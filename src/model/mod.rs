//! Values without input or output: what a path, a target, an edit, a policy and an outcome are.

mod backup_name;
pub(crate) mod change;
mod decision;
mod edit;
mod finding;
#[cfg(feature = "records")]
mod group;
mod outcome;
mod path;
mod plan;
mod policy;
mod reserved;
mod staged_name;
mod status;
mod target;
mod text;

pub use change::Change;
pub use edit::{AsEdit, Edit, MakesLink};
pub use finding::{Finding, Summary};
#[cfg(feature = "records")]
pub use group::{Group, GroupStep};
pub use outcome::{Confinement, Durability, Effect, Guarantee, ObjectId, Outcome, Staging};
pub use path::LinkPath;
pub use plan::{OnError, Plan};
pub use policy::Policy;
pub use status::{Status, Trait, Traits};
pub use target::{Style, Target};

pub(crate) use backup_name::{BACKUPS_MAX, backup_names};
pub(crate) use decision::{Decision, decide, fits};
pub(crate) use path::Place;
pub(crate) use staged_name::{STAGED_PREFIX, is_checked_name, is_staged_name, staged_name};
#[cfg(feature = "manage")]
pub(crate) use target::is_relative_text;
pub(crate) use target::{TargetPath, relative_text};
pub(crate) use text::{Anchor, Spelling, Start};
