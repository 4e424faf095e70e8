//! A TOML text as tables, with the place of every key and value.
//!
//! The text is split into expressions, each a header or a pair of key and value, and each is put into its table before the
//! next is looked at: beside the tables only one expression is held as tokens. A bad expression is told and left out, and
//! the next one is read, so that every problem is found at once.
//!
//! Values stay where they are in the text until they are asked for.

mod build;
mod expression;
mod value;

pub(super) use build::document;
pub(super) use value::{Key, Scalar, Spot, Table, Value};
