//! Attackers: threads and processes that change names as fast as they can beside the work.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::arena::patience;

pub(crate) fn exchange(a: &Path, b: &Path) -> bool {
    renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).is_ok()
}

/// Renames an entry to a free name.
pub(crate) fn move_to(from: &Path, to: &Path) -> bool {
    renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE).is_ok()
}

/// Ends an attack, also if the work panics.
pub(crate) struct Ends<'a>(pub(crate) &'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs `attack` in a loop beside `work`, and returns how often. The loop ends with the work, however that ends, and at
/// the deadline of the race.
pub(crate) fn beside<T>(mut attack: impl FnMut() -> T + Send, work: impl FnOnce(&AtomicU64)) -> u64 {
    let (done, count) = (AtomicBool::new(false), AtomicU64::new(0));
    let deadline = Instant::now() + patience();
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) && Instant::now() < deadline {
                let _ = attack();
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        let _ends = Ends(&done);
        work(&count);
    });
    count.into_inner()
}

/// A process that exchanges two names until it is dropped.
pub(crate) struct Attacker(Child);

impl Attacker {
    /// Returns when the process is at work.
    pub(crate) fn exchanging(a: &Path, b: &Path) -> Attacker {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "attacker::an_attacker", "--ignored", "--nocapture"])
            .env("ATTACKER_A", a)
            .env("ATTACKER_B", b)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut attacker = Attacker(child);
        let out = BufReader::new(attacker.0.stdout.as_mut().unwrap());
        assert!(out.lines().map_while(Result::ok).any(|line| line.contains("AT WORK")), "the attacker did not begin");
        attacker
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        let (_killed, _reaped) = (self.0.kill(), self.0.wait());
    }
}

#[test]
#[ignore = "is run by another test, as a process that attacks"]
fn an_attacker() {
    let path = |name: &str| PathBuf::from(std::env::var_os(name).unwrap());
    let (a, b) = (path("ATTACKER_A"), path("ATTACKER_B"));
    println!("\nAT WORK");
    std::io::stdout().flush().unwrap();
    // The test that started it may be killed, and then nobody would end this.
    let gone = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ = std::io::stdin().read(&mut [0]);
            gone.store(true, Ordering::Relaxed);
        });
        while !gone.load(Ordering::Relaxed) {
            exchange(&a, &b);
        }
    });
}
