//! Records: a log of every change below a root, and what follows from it.

mod checkpoint;
mod entry;
mod identity;
mod lines;
mod log;
mod mutation;
mod private;
mod query;
mod state;
mod text;
mod tree;
mod verify;

pub use checkpoint::Checkpoint;
pub use entry::{Actor, Renewed, Settings};
pub use identity::{RootIdentity, Strength};
pub use mutation::{Mutation, MutationRoot};
pub use query::Query;
pub use text::{Text, Time};
pub use tree::{Hash, Tree};
pub use verify::Verified;
