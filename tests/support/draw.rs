//! Which schedules are played: all that there are, or a sample by a seed.

use std::sync::OnceLock;

use super::environment::{value, word};

/// `CAPLINK_SCHEDULES`: `all`, or `pairs` for every pair of actions against one edit in memory.
pub(crate) fn schedules() -> Option<&'static str> {
    word("CAPLINK_SCHEDULES", &["all", "pairs"])
}

/// One of so many schedules is played: `CAPLINK_ONE_OF`, or all where all are asked for, or else `usually`.
pub(crate) fn one_of(usually: u64) -> u64 {
    let all = if schedules() == Some("all") { 1 } else { usually };
    number("CAPLINK_ONE_OF").unwrap_or(all).max(1)
}

/// The seed of every sample: `CAPLINK_SEED`, or 1, so that a change fails by what it does.
///
/// `CAPLINK_SEED=draw` takes the time.
pub(crate) fn seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    *SEED.get_or_init(|| match value("CAPLINK_SEED").as_deref() {
        Some("draw") => std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs(),
        _ => number("CAPLINK_SEED").unwrap_or(1),
    })
}

/// Whether a scenario is played: its name contains `CAPLINK_ONLY`, if that is set.
pub(crate) fn is_asked_for(name: &str) -> bool {
    value("CAPLINK_ONLY").is_none_or(|only| name.contains(&only))
}

/// Numbers from the seed.
pub(crate) struct Draw(u64);

impl Draw {
    /// The numbers for what has this name.
    pub(crate) fn new(name: &str) -> Draw {
        Draw(name.bytes().fold(seed(), |sum, byte| sum.wrapping_mul(31) ^ u64::from(byte)))
    }

    /// Whether this one of so many is drawn.
    pub(crate) fn one_of(&mut self, many: u64) -> bool {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33).is_multiple_of(many)
    }
}

fn number(name: &str) -> Option<u64> {
    let value = value(name)?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name}={value}: expected a number")))
}
