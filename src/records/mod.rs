//! Records: a log of every change below a root, and what follows from it.

mod actor;
mod author;
mod below;
mod checkpoint;
mod entry;
#[cfg(feature = "manage")]
mod facts;
mod follow;
mod foreseen;
mod group;
mod head;
mod held;
mod identity;
mod index;
mod journal;
mod line;
mod lines;
mod log;
mod log_file;
mod many;
mod marker;
mod moved;
mod mutation;
#[cfg(feature = "manage")]
mod named_lock;
mod owned;
mod prefix;
mod private;
mod query;
mod reading;
mod recording;
mod recovered;
mod renew;
mod settle;
mod state;
mod store;
mod time;
mod tree;
mod undo;
mod verify;

pub use crate::model::{Group, GroupStep};
pub use actor::Actor;
pub use author::Author;
pub use checkpoint::Checkpoint;
pub use entry::{Renewed, Settings};
pub use follow::Follow;
pub use group::GroupReport;
pub use identity::{RootIdentity, Strength};
pub use moved::Moved;
pub use mutation::{Mutation, MutationRoot};
pub use owned::{Kept, Owned};
pub use query::Query;
pub use recovered::Recovered;
pub use store::{Made, Records};
pub use time::Time;
pub use tree::{Hash, Tree};
pub use verify::Verified;

#[cfg(feature = "manage")]
pub(crate) use facts::{LogPlace, NewFact};
#[cfg(feature = "manage")]
pub(crate) use held::Held;
#[cfg(feature = "manage")]
pub(crate) use named_lock::NamedLock;
#[cfg(feature = "manage")]
pub(crate) use owned::{CLAIMS, Claims};
