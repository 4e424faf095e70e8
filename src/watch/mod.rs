//! Watching a root: what one look came to as numbers, and a stream of what changes.

mod declared;
mod event;
mod gauges;
mod hearing;
mod held;
mod judging;
mod later;
mod look;
mod looking;
mod options;
mod picture;
mod seen;
mod standing;
mod stream;
#[cfg(all(test, unix, feature = "adversary"))]
mod tests;
mod todo;
mod watches;
mod ways;

pub use event::{Event, Lost, What};
pub use gauges::{AppGauges, Gauges, ManifestGauges, RecordsGauges};
pub use options::{Hints, WatchOptions};
pub use standing::{Judge, Judged};
pub use stream::{Waker, Watch};
