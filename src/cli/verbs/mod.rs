//! One file a verb: its arguments, and how it fills a report.

pub(super) mod adopt;
pub(super) mod apply;
pub(super) mod batch;
pub(super) mod completions;
pub(super) mod create;
pub(super) mod doctor;
pub(super) mod ensure;
pub(super) mod exchange;
pub(super) mod inspect;
pub(super) mod log;
pub(super) mod man;
pub(super) mod metrics;
pub(super) mod plan;
pub(super) mod records;
pub(super) mod recover;
pub(super) mod release;
pub(super) mod remove;
pub(super) mod repair;
pub(super) mod resolve;
pub(super) mod scan;
pub(super) mod schema;
pub(super) mod status;
pub(super) mod swap;
pub(super) mod unapply;
pub(super) mod undo;
pub(super) mod watch;

pub(super) mod change;
mod follow;
mod group;
mod leftovers;
mod lines;
mod mutation;
