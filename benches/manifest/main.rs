//! What applying a manifest costs, beside other ways to make the same links and beside the bare calls.
//!
//!     cargo bench --bench manifest [-- OPTION…]
//!
//!     --small          1,000 links only
//!     --here           the other file system is that of the temporary files, not a loop image
//!     --no-peers       no other programs
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

/// On the disk, as the records sync what they write.
#[cfg(target_os = "linux")]
const IMAGE: place::Image =
    place::Image { dir: env!("CARGO_TARGET_TMPDIR"), bytes: 4 << 30, mkfs: &["-i", "4096"], mount: "loop,noatime" };

/// Failures end the run.
#[cfg(target_os = "linux")]
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[cfg(target_os = "linux")]
fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.first().is_some_and(|first| first == memory::CHILD) {
        return memory::child(&arguments[1..]);
    }
    let asked = |option: &str| arguments.iter().any(|argument| argument == option);
    if !asked("--here") && place::reenter(&arguments)? {
        return Ok(());
    }
    let sizes: &[usize] = if asked("--small") { &[1_000] } else { &[1_000, 100_000] };
    for place in place::all(&arguments, &IMAGE)? {
        println!("\n== {} ==", place.name);
        for links in sizes {
            let rounds = if *links > 1_000 { 3 } else { 11 };
            calls::measure(&place, *links, rounds)?;
            if !asked("--no-peers") {
                phases::measure(&place, *links, &peers::all())?;
            }
        }
        if !asked("--no-peers") {
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
