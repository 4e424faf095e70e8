//! From findings to edits, and in which order these are carried out. Pure: equal findings give equal edits.

mod moved;
mod order;
mod repair;
mod text;

pub use repair::Repair;

pub(crate) use order::{Next, Rounds, Step};
