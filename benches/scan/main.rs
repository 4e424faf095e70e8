//! What a scan costs, beside the bare system calls and beside other programs.
//!
//!     cargo bench --bench scan [-- OPTION…]
//!
//!     --small          only trees of 70,000 entries
//!     --warm, --cold   only these
//!     --here           the other file system is that of the temporary files, not a loop image
//!
//! One run measures on a tmpfs (`/dev/shm`) and on ext4, trees of 70,000 and of 1,000,000 entries of which a tenth are
//! links: 90 % lead to something, 5 % to nothing, 3 % outside, 2 % over another link. Each way is a process of its own,
//! pinned to as many processors as it has threads; the ways take turns in rounds, and what is printed is the median over
//! the rounds, with the median of each round's ratio to the first way. Cold rounds drop the caches before each way, for
//! which root is needed. System calls are counted by `strace`.
//!
//! Every way must come to the same counts, or the run fails. A missed goal is no failure.

#[cfg(target_os = "linux")]
mod bare;
#[cfg(target_os = "linux")]
#[path = "../place/mod.rs"]
mod place;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod rounds;
#[cfg(target_os = "linux")]
mod tree;
#[cfg(target_os = "linux")]
mod ways;

/// On the disk, so that a cold scan reads from there, and with an inode for every file.
#[cfg(target_os = "linux")]
const IMAGE: place::Image = place::on_disk(&["-i", "2048"]);

/// Failures end the run.
#[cfg(target_os = "linux")]
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[cfg(target_os = "linux")]
fn main() -> Result<()> {
    let asked = place::Asked::read();
    if asked.0.first().is_some_and(|first| first == ways::CHILD) {
        return ways::child(&asked.0[1..]);
    }
    let sizes: &[usize] = if asked.for_option("--small") { &[70_000] } else { &[70_000, 1_000_000] };
    let places = asked.places(&IMAGE)?;
    if places.is_empty() {
        return Ok(());
    }
    let mut report = report::Report::begin();
    for place in places {
        for entries in sizes {
            let grown = tree::grow(&place.room("scan")?, *entries)?;
            if !asked.for_option("--cold") {
                report.warm(&place.name, &grown, &rounds::warm(&grown)?)?;
            }
            if !asked.for_option("--warm") && place.can_be_cold() {
                report.cold(&place.name, &grown, &rounds::cold(&grown)?);
            }
            std::fs::remove_dir_all(&grown.dir)?;
        }
    }
    report.goals();
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() {
    // The bare calls that are compared with are those of Linux.
}
