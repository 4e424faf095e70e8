//! Watching a root: what one look came to as numbers, and a stream of what changes.

mod gauges;
mod look;

pub use gauges::{AppGauges, Gauges, ManifestGauges, RecordsGauges};
