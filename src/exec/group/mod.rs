//! Carries out a group: all of it, or nothing.
//!
//! In order: everything is judged ([`judge`]); what is to be published is staged in a directory of the group's own, in the
//! state directory ([`Work`]); the caller writes down what will be done; each part is published ([`publish`]), and what it
//! displaces takes its place in the staging directory; the caller writes down what became of it; what was displaced is
//! dropped. What fails takes back those before it. So whoever finds the directory after a stop, and what was written down,
//! knows of each part how far it came, by what is at its two names ([`part`]).
//!
//! Between the first part and the last readers see some of them.

mod exchange;
mod home;
mod judge;
mod part;
mod publish;
mod senseless;
mod staging_dir;
mod told;
mod work;

pub(crate) use home::leftover;
pub(crate) use judge::{Judged, judge, judge_each};
pub(crate) use part::{Part, There, Thing};
pub(crate) use staging_dir::{Back, Published};
pub(crate) use work::{Settled, Work};

#[cfg(all(test, unix, feature = "adversary"))]
mod tests;
