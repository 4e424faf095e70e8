//! Releases: a link to the active one of several directories, and what becomes of each.
//!
//! What is decided is pure and stands in [`plan`](crate::plan); here is what it is decided from and what follows: the app_ledger
//! that the log comes to, the switch, checks and hooks, and removal.

mod add;
mod app;
mod app_ledger;
mod change;
mod check_report;
mod checks;
mod deploy;
mod effective;
mod in_use;
mod layout;
mod lease;
mod ledgers;
mod look;
mod noted;
mod private_place;
mod progress;
mod prune;
mod recover;
mod removals;
mod report;
mod rollback;
mod running;
mod session;
mod shared;
mod sight;
mod take_down;
mod view;
mod weigh;

pub use app::Releases;
pub use check_report::CheckReport;
pub use checks::{Check, CheckContext, CheckFn};
pub use deploy::{Deploy, Switch};
pub use effective::Effective;
pub use in_use::{Used, User};
pub use lease::Lease;
pub use progress::{Progress, Step};
pub use prune::Prune;
pub use report::{Added, Failed, Pruned, Set, Settled, Settlement, Switched, Unfinished};
pub use rollback::Rollback;
pub use view::{AppView, ReleaseView, Times};
