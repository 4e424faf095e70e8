//! Switching and rolling back, as processes.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::timed::{caplink, compared, time};

/// Rounds; an odd number.
const ROUNDS: usize = 51;

/// Has this program do what a careful script does, with no process but itself.
pub(super) const AS_A_PROGRAM: &str = "--as-a-program";

/// The same as a script: a lock, a new link that is renamed over the other, a line in a log that is synced.
const SCRIPT: &str =
    "exec 9>lock; flock 9; ln -s releases/$1 new; mv -T new current; echo switched to $1 >>log; sync -d log";

/// A lock, a new link that is renamed over the other, a line in a log that is synced; in the working directory.
pub(super) fn bare(release: &str) -> Result<()> {
    let lock = OpenOptions::new().create(true).append(true).open("lock")?;
    lock.lock()?;
    symlink(format!("releases/{release}"), "new")?;
    fs::rename("new", "current")?;
    let mut log = OpenOptions::new().create(true).append(true).open("log")?;
    writeln!(log, "switched to {release}")?;
    Ok(log.sync_data()?)
}

pub(super) fn measure(room: &Path) -> Result<()> {
    let dirs = ["ln", "script", "program", "caplink"].map(|name| room.join(name));
    for dir in &dirs {
        for release in ["1", "2"] {
            fs::create_dir_all(dir.join("releases").join(release))?;
        }
        symlink("releases/2", dir.join("current"))?;
    }
    let [ln, script, program, ours] = &dirs;
    time(&mut caplink(ours, ["release", "add", "2", "1"]))?;
    time(&mut caplink(ours, ["release", "switch", "1"]))?;
    let mut samples: [Vec<f64>; 5] = Default::default();
    for round in 0..ROUNDS {
        let release = ["2", "1"][round % 2];
        let mut commands = [
            Command::new("ln"),
            Command::new("bash"),
            Command::new(std::env::current_exe()?),
            caplink(ours, ["release", "switch", release]),
            caplink(ours, ["release", "rollback", "--keep-good", "--to", ["1", "2"][round % 2]]),
        ];
        commands[0].current_dir(ln).args(["-sfn", &format!("releases/{release}"), "current"]);
        commands[1].current_dir(script).args(["-c", SCRIPT, "bash", release]);
        commands[2].current_dir(program).args([AS_A_PROGRAM, release]);
        for (command, samples) in commands.iter_mut().zip(&mut samples) {
            samples.push(time(command)?);
        }
    }
    let [ln, script, program, switch, rollback] = &samples;
    for (what, with) in [("release switch", switch), ("release rollback", rollback)] {
        compared(&format!("ln -sfn, {what}"), ln, with, None);
        compared(&format!("flock, ln -s, mv -T, line, sync as a script, {what}"), script, with, None);
        compared(&format!("the same as one program, {what}"), program, with, None);
    }
    Ok(())
}
