//! Processes that are run one after the other, and what of their times is printed.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Result;

/// The program in a directory.
pub(super) fn caplink<S: AsRef<OsStr>>(dir: &Path, arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_caplink"));
    command.current_dir(dir).env_remove("CAPLINK_ROOT").env_remove("CAPLINK_STATE").args(arguments);
    command
}

/// How long a process takes in seconds.
pub(super) fn time(command: &mut Command) -> Result<f64> {
    let began = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    let took = began.elapsed().as_secs_f64();
    if status.success() { Ok(took) } else { Err(format!("{command:?}: {status}").into()) }
}

/// How long a process takes in seconds, and the most memory that it had in KiB, as far as that was seen.
pub(super) fn weigh(command: &mut Command) -> Result<(f64, u64)> {
    let began = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let mut peak = 0;
    loop {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let told = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = told.and_then(|told| told.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(peak).max(peak);
        if let Some(status) = child.try_wait()? {
            let took = began.elapsed().as_secs_f64();
            return if status.success() { Ok((took, peak)) } else { Err(format!("{command:?}: {status}").into()) };
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub(super) fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// Prints a way beside another that took turns with it.
pub(super) fn compared(what: &str, base: &[f64], with: &[f64], goal: Option<f64>) {
    let ratio = median(base.iter().zip(with).map(|(base, with)| with / base).collect());
    let verdict = match goal {
        Some(goal) if ratio <= goal => format!(", goal {goal}x reached"),
        Some(goal) => format!(", goal {goal}x MISSED"),
        None => String::new(),
    };
    let (base, with) = (median(base.to_vec()) * 1e3, median(with.to_vec()) * 1e3);
    println!("  {what:<66} {base:9.2} {with:9.2} ms {ratio:6.2}x{verdict}");
}
