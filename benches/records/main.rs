//! What records cost, beside the same without them and beside bare appends that are synced.
//!
//!     cargo bench --bench records [-- OPTION…]
//!
//!     --small          logs of at most 10,000 entries
//!     --here           the other file system is that of the temporary files, not a loop image
//!
//! One run measures on a tmpfs (`/dev/shm`) and on ext4. What is compared takes turns in rounds; what is printed is the
//! median, and the median of each round's ratio to what it is compared with. A missed goal is no failure.

#[cfg(target_os = "linux")]
mod cases;
#[cfg(target_os = "linux")]
mod logs;
#[cfg(target_os = "linux")]
#[path = "../place/mod.rs"]
mod place;

/// On the disk: what a sync costs is what is measured.
#[cfg(target_os = "linux")]
const IMAGE: place::Image = place::on_disk(&["-i", "4096"]);

/// Failures end the run.
#[cfg(target_os = "linux")]
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[cfg(target_os = "linux")]
fn main() -> Result<()> {
    let asked = place::Asked::read();
    for place in asked.places(&IMAGE)? {
        println!("\n{}{}", place.name, if place.can_be_cold() { ", on a disk" } else { "" });
        cases::one_process(&place.room("process")?)?;
        cases::many(&place.room("batch")?, 1_000, 11)?;
        cases::many(&place.room("batch")?, if asked.for_option("--small") { 10_000 } else { 100_000 }, 3)?;
        let sizes: &[u64] = if asked.for_option("--small") { &[10, 10_000] } else { &[10, 10_000, 1_000_000] };
        for entries in sizes {
            logs::measure(&place.room("log")?, *entries)?;
        }
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() {
    // Records are measured where identity and sync are those of Linux.
}
