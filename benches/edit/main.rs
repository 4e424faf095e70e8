//! What an edit costs, beside the bare system calls and beside other ways to do it.
//!
//!     cargo bench --bench edit [-- OPERATION…]
//!
//! One run measures on a tmpfs (`/dev/shm`) and on a journaled ext4: as root on a loop image that is mounted in a
//! mount namespace of its own, otherwise in the directory for temporary files, which the report then names. The
//! measuring thread is pinned to one processor; as root the run goes before all other programs. The ways of one
//! operation take turns in rounds; what is printed is the median over the rounds, and the median of each round's ratio
//! to the first way of that operation. The system calls are those that `strace` counts in a child that repeats the
//! same code.
//!
//! Operations are chosen by a part of their name. The last part of the report says which goals were reached; a
//! missed goal is no failure, a lost update is.

#[cfg(target_os = "linux")]
mod bare;
#[cfg(target_os = "linux")]
mod batches;
#[cfg(target_os = "linux")]
mod cases;
#[cfg(target_os = "linux")]
mod clock;
#[cfg(target_os = "linux")]
#[path = "../place/mod.rs"]
#[expect(dead_code, reason = "an edit has no cold rounds")]
mod place;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod trace;
#[cfg(target_os = "linux")]
mod writers;

/// In memory, so that no disk is waited for.
#[cfg(target_os = "linux")]
const IMAGE: place::Image = place::Image { dir: "/dev/shm", bytes: 1 << 30, mkfs: &["-i", "4096"], mount: "loop" };

/// Failures end the run.
#[cfg(target_os = "linux")]
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[cfg(target_os = "linux")]
fn main() -> Result<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.first().is_some_and(|first| first == trace::CHILD) {
        return trace::child(&arguments[1..]);
    }
    if place::reenter(&arguments)? {
        return Ok(());
    }
    if place::has_own_mounts(&arguments) {
        clock::before_others();
    }
    let places = place::all(&arguments, &IMAGE)?;
    arguments.retain(|argument| !argument.starts_with("--"));
    let chosen = |name: &str| arguments.is_empty() || arguments.iter().any(|part| name.contains(part.as_str()));
    let mut report = report::Report::begin()?;
    for place in places {
        report.place(&place)?;
        clock::alone()?;
        let room = place.room("edit")?;
        for group in &mut cases::groups(&room)? {
            if chosen(group.operation) {
                let measured = clock::measure(group, &room)?;
                let calls = trace::calls(group, &place)?;
                report.group(&place, group, &measured, &calls)?;
            }
        }
        if chosen(batches::OPERATION) {
            report.batches(&place, &batches::measure(&place)?)?;
        }
        clock::shared()?;
        if chosen(writers::OPERATION) {
            report.writers(&place, &writers::measure(&place)?)?;
        }
        if chosen(process::OPERATION) {
            report.processes(&place, process::measure(&place)?.as_ref())?;
        }
    }
    report.goals()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    // The bare calls that are compared with are those of Linux.
}
