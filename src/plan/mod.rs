//! From findings to edits. Pure: equal findings give equal edits.

mod repair;
mod text;

pub use repair::Repair;
