//! What releases cost, beside what shell scripts do in their place.
//!
//!     cargo bench --bench release [-- OPTION…]
//!
//!     --small     a tree of 10,000 files is removed instead of one of 100,000
//!     --here      the other file system is that of the temporary files, not a loop image
//!
//! One run measures on a tmpfs (`/dev/shm`) and on ext4, whole processes. What is compared takes turns in rounds; what is printed
//! is the median, and the median of each round's ratio to what it is compared with. A missed goal is no failure.

#[cfg(target_os = "linux")]
mod looking;
#[cfg(target_os = "linux")]
#[path = "../place/mod.rs"]
mod place;
#[cfg(target_os = "linux")]
mod removing;
#[cfg(target_os = "linux")]
mod switching;
#[cfg(target_os = "linux")]
mod timed;

/// On the disk: what a sync costs is what is measured.
#[cfg(target_os = "linux")]
const IMAGE: place::Image = place::on_disk(&["-i", "4096"]);

/// Failures end the run.
#[cfg(target_os = "linux")]
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[cfg(target_os = "linux")]
fn main() -> Result<()> {
    let asked = place::Asked::read();
    if let [word, release] = &asked.0[..]
        && word == switching::AS_A_PROGRAM
    {
        return switching::bare(release);
    }
    for place in asked.places(&IMAGE)? {
        println!("\n{}{}", place.name, if place.can_be_cold() { ", on a disk" } else { "" });
        switching::measure(&place.room("switch")?)?;
        looking::measure(&place.room("look")?)?;
        removing::measure(&place.room("remove")?, if asked.for_option("--small") { 10_000 } else { 100_000 })?;
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() {
    // Releases are measured where processes and syncs are those of Linux.
}
