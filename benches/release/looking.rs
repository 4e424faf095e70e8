//! Looking at an app of many releases.

use std::fs;
use std::path::Path;

use crate::Result;
use crate::timed::{caplink, median, time};

/// Rounds; an odd number.
const ROUNDS: usize = 51;

/// How many releases the ledger has.
const RELEASES: usize = 1000;

/// What a look may take, in milliseconds.
const GOAL: f64 = 3.0;

pub(super) fn measure(room: &Path) -> Result<()> {
    let names: Vec<String> = (1..=RELEASES).map(|number| format!("r{number}")).collect();
    for name in &names {
        fs::create_dir_all(room.join("releases").join(name))?;
    }
    time(&mut caplink(room, ["release", "add"].into_iter().chain(names.iter().map(String::as_str))))?;
    time(&mut caplink(room, ["release", "switch", "r1000"]))?;
    let (mut starts, mut looks) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        starts.push(time(&mut caplink(room, ["--version"]))?);
        looks.push(time(&mut caplink(room, ["release", "status"]))?);
    }
    let (start, look) = (median(starts) * 1e3, median(looks) * 1e3);
    let verdict = if look <= GOAL { "reached" } else { "MISSED" };
    println!(
        "  release status of {RELEASES} releases: {look:.2} ms, goal {GOAL} ms {verdict}; --version alone {start:.2} ms"
    );
    Ok(())
}
