//! Removing a release of many files.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::timed::{caplink, compared, time, weigh};

/// Rounds; an odd number.
const ROUNDS: usize = 3;

/// Files in one directory.
const EACH: usize = 100;

/// How much longer than `rm -rf` it may take.
const GOAL: f64 = 1.3;

pub(super) fn measure(room: &Path, files: usize) -> Result<()> {
    let (mut base, mut with, mut peaks) = (Vec::new(), Vec::new(), [0, 0]);
    for round in 0..ROUNDS {
        let (ours, theirs) = (room.join(format!("{round}")), room.join(format!("rm-{round}")));
        plant(&ours.join("releases/1"), files)?;
        plant(&theirs, files)?;
        for release in ["2", "3"] {
            fs::create_dir(ours.join("releases").join(release))?;
        }
        for release in ["1", "2", "3"] {
            time(&mut caplink(&ours, ["release", "deploy", release]))?;
        }
        let (took, peak) = weigh(Command::new("rm").arg("-rf").arg(&theirs))?;
        base.push(took);
        peaks[0] = peak.max(peaks[0]);
        let (took, peak) = weigh(&mut caplink(&ours, ["release", "prune", "--keep", "0", "--grace", "0s"]))?;
        with.push(took);
        peaks[1] = peak.max(peaks[1]);
        if ours.join("releases/1").exists() {
            return Err("the release is still there".into());
        }
    }
    compared(&format!("rm -rf of {files} files, release prune"), &base, &with, Some(GOAL));
    println!("  memory at most: {} KiB and {} KiB", peaks[0], peaks[1]);
    Ok(())
}

fn plant(dir: &Path, files: usize) -> Result<()> {
    for number in 0..files {
        let below = dir.join(format!("d{}", number / EACH));
        if number % EACH == 0 {
            fs::create_dir_all(&below)?;
        }
        fs::write(below.join(format!("f{number}")), [b'x'; 100])?;
    }
    Ok(())
}
