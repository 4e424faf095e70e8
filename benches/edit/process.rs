//! One `ensure` as a whole process, from its start to its end, beside `ln -sfn`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Result;
use crate::clock::{self, median};
use crate::place::Place;

pub(super) const OPERATION: &str = "one process";

/// Starts of each program; an odd number.
const ROUNDS: usize = 301;

/// The target of the statically linked build.
const STATIC: &str = "x86_64-unknown-linux-musl";

/// The most that the static program should take where it replaces and where it changes nothing, and the dynamic one, as
/// multiples of `ln -sfn`.
const GOALS: [f64; 3] = [0.52, 0.45, 1.0];

/// How one program did.
pub(super) struct Measured {
    pub(super) name: &'static str,
    pub(super) median: Duration,
    pub(super) ratio: f64,
    /// The most that the ratio should be.
    pub(super) goal: Option<f64>,
}

/// They are not put before all other programs: a process of real-time priority that waits for a child on its only processor
/// can keep the kernel from releasing that child for ever (seen on Linux 6.18: `release_task` spins in `d_walk`).
///
/// None where the static program cannot be built, or does not know the verb.
pub(super) fn measure(place: &Place) -> Result<Option<Vec<Measured>>> {
    let Some(caplink) = program()? else { return Ok(None) };
    let room = place.room("process")?;
    std::fs::create_dir_all(room.join("releases/1"))?;
    std::fs::create_dir_all(room.join("releases/2"))?;
    std::os::unix::fs::symlink("releases/1", room.join("same"))?;
    std::os::unix::fs::symlink("releases/1", room.join("current"))?;
    let run = |program: &Path, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&room).stdout(Stdio::null());
        command
    };
    // The first two undo each other, so that each has something to replace.
    let mut ways: Vec<(&str, &Path, &[&str], Option<f64>)> = vec![
        ("ln -sfn, replaced", Path::new("ln"), &["-sfn", "releases/1", "current"], None),
        ("caplink ensure, replaced", &caplink, &["ensure", "current", "--to", "releases/2"], Some(GOALS[0])),
        ("caplink ensure, unchanged", &caplink, &["ensure", "same", "--to", "releases/1"], Some(GOALS[1])),
    ];
    if let Some(dynamic) = option_env!("CARGO_BIN_EXE_caplink") {
        let ensure: &[&str] = &["ensure", "same", "--to", "releases/1"];
        ways.push(("caplink ensure, unchanged, dynamically linked", Path::new(dynamic), ensure, Some(GOALS[2])));
    }
    let asked = run(&caplink, &["ensure", "current", "--to", "releases/2"]).status()?;
    if !asked.success() || std::fs::read_link(room.join("current"))? != Path::new("releases/2") {
        return Ok(None);
    }
    let mut samples = vec![Vec::new(); ways.len()];
    clock::pin(0)?;
    for _ in 0..ROUNDS {
        for ((name, program, arguments, _), samples) in ways.iter().zip(&mut samples) {
            let began = Instant::now();
            let status = run(program, arguments).status()?;
            samples.push(began.elapsed().as_secs_f64());
            if !status.success() {
                return Err(format!("{name}: {status}").into());
            }
        }
    }
    clock::shared()?;
    let base = samples[0].clone();
    let measured = ways.iter().zip(samples).map(|((name, .., goal), sample)| {
        let ratios = sample.iter().zip(&base).map(|(one, base)| one / base).collect();
        Measured { name, median: Duration::from_secs_f64(median(sample)), ratio: median(ratios), goal: *goal }
    });
    Ok(Some(measured.collect()))
}

/// Builds the static program; none where its target is not installed.
fn program() -> Result<Option<PathBuf>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--release", "--bin", "caplink", "--target", STATIC]).current_dir(manifest);
    if !build.status()?.success() {
        return Ok(None);
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| manifest.join("target"), PathBuf::from);
    Ok(Some(target.join(STATIC).join("release/caplink")))
}
