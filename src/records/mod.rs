//! Records: a log of every change below a root, and what follows from it.

mod author;
mod checkpoint;
mod entry;
mod identity;
mod lines;
mod log;
mod marker;
mod mutation;
mod private;
mod query;
mod reading;
mod recording;
mod renew;
mod settle;
mod state;
mod store;
mod text;
mod tree;
mod verify;

pub use author::Author;
pub use checkpoint::Checkpoint;
pub use entry::{Actor, Renewed, Settings};
pub use identity::{RootIdentity, Strength};
pub use mutation::{Mutation, MutationRoot};
pub use query::Query;
pub use reading::Follow;
pub use settle::Recovered;
pub use store::{Made, Records};
pub use text::{Text, Time};
pub use tree::{Hash, Tree};
pub use verify::Verified;

/// The name of the index in the state directory.
const INDEX_NAME: &str = "index.redb";
