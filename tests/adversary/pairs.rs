//! Pairs of deeds: the second before any call from the first one on.
//!
//! There are some hundred million. A run plays a part of them, chosen by a seed that it prints, or all.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::explore::{Findings, pairs, singles};
use crate::scene::{Scenario, Scene};

/// Of how many pairs one is played, where nothing else is asked for.
const ONE_OF: u64 = 40;

/// Numbers from a seed.
struct Draw(u64);

impl Draw {
    fn one_of(&mut self, many: u64) -> bool {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33).is_multiple_of(many)
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
#[ignore = "known to fail: a creation undone round two exchanges of its directory, and two deeds round the undo of an exchange"]
fn two_deeds_before_any_calls_break_no_law() {
    let all = std::env::var("CAPLINK_SCHEDULES").is_ok_and(|which| which == "all");
    let one_of = if all { 1 } else { number("CAPLINK_ONE_OF").unwrap_or(ONE_OF) };
    let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs();
    let seed = number("CAPLINK_SEED").unwrap_or(now);
    println!("CAPLINK_SEED={seed} CAPLINK_ONE_OF={one_of}");
    let only = std::env::var("CAPLINK_ONLY").unwrap_or_default();
    let scenarios: Vec<Scenario> = Scenario::all().into_iter().filter(|s| s.name().contains(&only)).collect();
    let (next, findings) = (AtomicUsize::new(0), Mutex::new(Findings::default()));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let scene = Scene::new(*scenario);
                    let mut draw = Draw(seed ^ scenario.name().bytes().fold(0, |sum, byte| sum * 31 + u64::from(byte)));
                    let mut found = Findings::default();
                    for first in singles(&scene, &mut found) {
                        pairs(&scene, &mut found, first, || draw.one_of(one_of));
                    }
                    findings.lock().unwrap().add(found);
                }
            });
        }
    });
    let findings = findings.into_inner().unwrap();
    println!("{} schedules of one or two deeds", findings.schedules);
    findings.assert_none();
}
