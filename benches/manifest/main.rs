//! What applying a manifest costs, beside other ways to make the same links and beside the bare calls.
//!
//!     cargo bench --bench manifest [-- OPTION…]
//!
//!     --small          1,000 links only
//!     --here           the other file system is that of the temporary files, not a loop image
//!     --no-peers       no other programs
//!
//! The second time that nothing is to be done what the first application wrote into the log is in the index already.
//!
//! One run measures on a tmpfs (`/dev/shm`) and on ext4. Every program makes links to the files of one directory, does so
//! again when nothing is to be done, leads all of them to another directory, and takes them away. A program that is not
//! installed, or takes too long, is left out aloud. A missed goal is no failure.

#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod ground;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod peers;
#[cfg(target_os = "linux")]
mod phases;
#[cfg(target_os = "linux")]
#[path = "../place/mod.rs"]
#[expect(dead_code, reason = "a manifest has no cold rounds")]
mod place;

/// On the disk, as the records sync what they write. Its two million inodes are enough for three grounds of 100,000 links at a
/// time: of each link two files, itself, and the one that it displaces.
#[cfg(target_os = "linux")]
const IMAGE: place::Image = place::on_disk(&["-i", "2048"]);

/// Failures end the run.
#[cfg(target_os = "linux")]
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[cfg(target_os = "linux")]
fn main() -> Result<()> {
    let asked = place::Asked::read();
    if asked.0.first().is_some_and(|first| first == memory::CHILD) {
        return memory::child(&asked.0[1..]);
    }
    let sizes: &[usize] = if asked.for_option("--small") { &[1_000] } else { &[1_000, 100_000] };
    for place in asked.places(&IMAGE)? {
        println!("\n== {} ==", place.name);
        for links in sizes {
            let rounds = if *links > 1_000 { 3 } else { 11 };
            calls::measure(&place, *links, rounds)?;
            if !asked.for_option("--no-peers") {
                phases::measure(&place, *links, &peers::all())?;
            }
        }
        if !asked.for_option("--no-peers") {
            phases::measure(&place, 100, &peers::slow())?;
        }
        memory::measure(&place, sizes)?;
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() {
    // The programs and calls that are compared with are those of Linux.
}
