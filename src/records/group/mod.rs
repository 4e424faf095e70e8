//! Groups in the records: announced as a whole before the first change, and settled as a whole.

mod announce;
mod apply;
mod settle;

pub use apply::GroupReport;
