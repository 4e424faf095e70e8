//! Which of the schedules are played: a part that a seed draws, or all.

use std::io::Write as _;

/// Numbers from a seed.
pub(crate) struct Draw {
    state: u64,
    /// None where all are asked for.
    one_of: Option<u64>,
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

impl Draw {
    /// Draws one of so many, unless `CAPLINK_ONE_OF` asks for another part or `CAPLINK_SCHEDULES=all` for all.
    pub(crate) fn new(what: &str, one_of: u64) -> Draw {
        let all = std::env::var("CAPLINK_SCHEDULES").is_ok_and(|which| which == "all");
        // The same in every run, so that a change fails by what it does.
        let seed = match std::env::var("CAPLINK_SEED").as_deref() {
            Ok("draw") => std::time::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_secs()),
            _ => number("CAPLINK_SEED").unwrap_or(1),
        };
        let one_of = number("CAPLINK_ONE_OF").unwrap_or(if all { 1 } else { one_of });
        let _ = writeln!(std::io::stderr(), "{what}: CAPLINK_SEED={seed} CAPLINK_ONE_OF={one_of}");
        let state = what.bytes().fold(seed, |state, byte| state.wrapping_mul(31).wrapping_add(byte.into()));
        Draw { state, one_of: (one_of > 1).then_some(one_of) }
    }

    /// Whether this one is played.
    pub(crate) fn one(&mut self) -> bool {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.one_of.is_none_or(|many| (self.state >> 33).is_multiple_of(many))
    }
}

/// Scenarios whose name contains `CAPLINK_ONLY`, where that is set.
pub(crate) fn is_asked_for(name: &str) -> bool {
    std::env::var("CAPLINK_ONLY").map_or(true, |only| name.contains(&only))
}
