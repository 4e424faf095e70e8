//! What goes over a pipe: the JSON of contract `caplink/1`.
//!
//! [`Edit`](crate::Edit), [`Plan`](crate::Plan), [`Outcome`](crate::Outcome), [`Error`](crate::Error), findings and what was
//! inspected have one serialised form, which is that of the command line's documents. The values can be read back.
//! Names and texts are strings, or `{"base64": …}` where they are not UTF-8. The words are those that `as_str` returns.
//!
//! Two things stand beside an outcome in a document and not in it: its shortfalls, which are errors, and the outcome of the
//! other link of an exchange, which is an item of its own.

mod edit;
mod error;
mod finding;
mod line;
mod outcome;
mod seen;
mod text;
mod words;

pub use error::{LockHolder, Problem, What};
pub use line::Line;
pub use text::Text;
