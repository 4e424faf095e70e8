//! Rounds in which the ways of one operation take turns, and their medians.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::Result;
use crate::cases::{Group, LINKS, clear};

/// Rounds that count; an odd number, so that a median is one of them.
const ROUNDS: usize = 101;

/// Rounds before them, which do not.
const WARM_UP: usize = 5;

/// How one way did.
pub(super) struct Measured {
    pub(super) median: Duration,
    /// The median of its ratio to the first way, round by round.
    pub(super) ratio: f64,
}

/// Measures every way of an operation; the first one is the base of the ratios.
pub(super) fn measure(group: &mut Group, room: &Path) -> Result<Vec<Measured>> {
    let ways = group.ways.len();
    let mut samples = vec![Vec::with_capacity(ROUNDS); ways];
    for round in 0..WARM_UP + ROUNDS {
        // Whoever comes first in a round finds colder caches: each way does in turn.
        for turn in 0..ways {
            let way = (round + turn) % ways;
            let run = &mut group.ways[way].run;
            let began = Instant::now();
            for index in 0..LINKS {
                run(index)?;
            }
            let took = began.elapsed();
            if round >= WARM_UP {
                samples[way].push(took.as_secs_f64() / LINKS as f64);
            }
            if group.leaves_links {
                clear(room)?;
            }
        }
    }
    let base = samples[0].clone();
    Ok(samples
        .into_iter()
        .map(|sample| {
            let ratios = sample.iter().zip(&base).map(|(one, base)| one / base).collect();
            Measured { median: Duration::from_secs_f64(median(sample)), ratio: median(ratios) }
        })
        .collect())
}

pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Keeps the calling thread on one processor, counted among those that the process was given.
pub(super) fn pin(index: usize) -> Result<()> {
    let given = given()?;
    let mut one = CpuSet::new();
    one.set(given[index % given.len()]);
    Ok(sched_setaffinity(None, &one)?)
}

/// Lets this process, and what it starts, go before other programs where it may.
pub(super) fn before_others() {
    // A session is scheduled as one (sched_autogroup), whatever the priorities of its processes.
    let _leader = rustix::process::setsid();
    let _priority = std::fs::write("/proc/self/autogroup", "-20");
}

/// Pins the calling thread, and lets it go before all other programs where that is allowed. Nothing is to be started
/// meanwhile but what ends at once.
pub(super) fn alone() -> Result<()> {
    pin(0)?;
    schedule("--fifo", "1");
    Ok(())
}

/// Gives the calling thread all processors again, and lets others have their turn.
pub(super) fn shared() -> Result<()> {
    schedule("--other", "0");
    let mut all = CpuSet::new();
    given()?.into_iter().for_each(|processor| all.set(processor));
    Ok(sched_setaffinity(None, &all)?)
}

fn schedule(policy: &str, priority: &str) {
    let thread = rustix::thread::gettid().as_raw_nonzero().to_string();
    // Without the right to it the numbers are only less steady.
    let _output = Command::new("chrt").args([policy, "--pid", priority, &thread]).output();
}

/// The processors of the process, as they were at its first question.
pub(super) fn given() -> Result<Vec<usize>> {
    static GIVEN: std::sync::OnceLock<Vec<usize>> = std::sync::OnceLock::new();
    if let Some(given) = GIVEN.get() {
        return Ok(given.clone());
    }
    let set = sched_getaffinity(None)?;
    let found = (0..CpuSet::MAX_CPU).filter(|processor| set.is_set(*processor)).collect();
    Ok(GIVEN.get_or_init(|| found).clone())
}
