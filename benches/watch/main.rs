//! What watching costs: memory and start, from a break to its line, doing nothing, a look at everything beside a scan, and
//! links that are renamed without a pause.
//!
//!     cargo bench --bench watch [-- OPTION…]
//!
//!     --small     trees of 7,000 and 70,000 entries instead of 70,000 and 1,000,000
//!     --idle N    it is left alone for N seconds, 60 unless something else is said
//!
//! On a tmpfs (`/dev/shm`), or where the temporary files are. Processor times are those that the kernel counts of the process, in
//! hundredths of a second. A missed goal is no failure.

#[cfg(target_os = "linux")]
mod watching;

#[cfg(target_os = "linux")]
use std::{fs, path::Path};

/// Failures end the run.
#[cfg(target_os = "linux")]
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Entries of one directory: half files, half links to them.
#[cfg(target_os = "linux")]
const EACH: usize = 100;

#[cfg(target_os = "linux")]
fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_small = arguments.iter().any(|argument| argument == "--small");
    let idle = arguments.iter().position(|argument| argument == "--idle").and_then(|at| arguments.get(at + 1));
    let idle = idle.map_or(Ok(60), |seconds| seconds.parse())?;
    for entries in if is_small { [7_000, 70_000] } else { [70_000, 1_000_000] } {
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())?;
        plant(dir.path(), entries)?;
        println!("\n{entries} entries in directories of {EACH}, half of them links");
        watching::measure(dir.path(), idle)?;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn plant(root: &Path, entries: usize) -> Result<()> {
    for number in 0..entries / EACH {
        let dir = root.join(format!("d{number}"));
        fs::create_dir(&dir)?;
        for number in 0..EACH / 2 {
            fs::write(dir.join(format!("f{number}")), "")?;
            std::os::unix::fs::symlink(format!("f{number}"), dir.join(format!("l{number}")))?;
        }
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() {
    // Watching is measured where hints are those of Linux.
}
