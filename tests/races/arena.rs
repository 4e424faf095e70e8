//! The tree of a race, its backends, its number of rounds, and its deadline.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use caplink::{Abilities, Enforcement, Policy, Root};
use tempfile::TempDir;

use super::support::ground::temp_dir;
use super::support::rounds::Rounds;
use super::support::snapshot::{Tree, tree};

/// Races run one at a time: two at once would compete for the processors.
static TURN: Mutex<()> = Mutex::new(());

pub(crate) fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A backend: its name, its abilities, and its number of rounds at full size.
pub(crate) type Way = (&'static str, Abilities, usize);

pub(crate) const NATIVE: Way = ("native", Abilities::ALL, 20_000);
pub(crate) const NO_OPENAT2: Way = ("no openat2", Abilities { confined_open: false, ..Abilities::ALL }, 1_000);
pub(crate) const NO_EXCHANGE: Way =
    ("no exchange", Abilities { exchange: false, no_replace: false, ..Abilities::ALL }, 1_000);
pub(crate) const NEITHER: Way =
    ("neither", Abilities { confined_open: false, exchange: false, no_replace: false }, 1_000);

/// With a root that is [confined](Arena::confined).
pub(crate) const CONFINED: Way = ("confined", Abilities::ALL, 1_000);

pub(crate) const WAYS: &[Way] = &[NATIVE, NO_OPENAT2, NO_EXCHANGE, NEITHER];

/// Set in a process whose roots are all confined by the kernel.
pub(crate) const ALL_CONFINED: &str = "CAPLINK_CONFINED";

/// The number of rounds of this run, given that of a full one.
pub(crate) fn rounds(full: usize) -> usize {
    match Rounds::asked_for() {
        Rounds::Full => full,
        Rounds::Usual => full / 10,
        Rounds::Few => full / 50,
    }
}

/// The deadline of one race: one that takes longer hangs.
pub(crate) fn patience() -> Duration {
    Duration::from_secs(if Rounds::asked_for() == Rounds::Full { 900 } else { 180 })
}

/// Runs one race alone, on its own thread. A panic there is a panic here; so is a missed deadline.
pub(crate) fn race(run: impl FnOnce() + Send + 'static) {
    race_within(patience(), run);
}

pub(crate) fn race_within(deadline: Duration, run: impl FnOnce() + Send + 'static) {
    let _turn = turn();
    let (done, finished) = mpsc::channel();
    let running = thread::spawn(move || {
        run();
        let _ = done.send(());
    });
    if finished.recv_timeout(deadline) == Err(mpsc::RecvTimeoutError::Timeout) {
        panic!("the race does not end");
    }
    if let Err(panic) = running.join() {
        std::panic::resume_unwind(panic);
    }
}

/// A root with a canary beside it.
pub(crate) struct Arena {
    base: PathBuf,
    _dir: TempDir,
}

impl Arena {
    pub(crate) fn new() -> Arena {
        let dir = temp_dir();
        let arena = Arena { base: dir.path().canonicalize().unwrap(), _dir: dir };
        for dir in ["root/a/b", "canary/sub"] {
            fs::create_dir_all(arena.at(dir)).unwrap();
        }
        for file in ["root/t", "root/u", "canary/secret", "canary/sub/x"] {
            fs::write(arena.at(file), file).unwrap();
        }
        symlink("secret", arena.at("canary/l")).unwrap();
        arena
    }

    pub(crate) fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.base.join(path)
    }

    pub(crate) fn root(&self, abilities: Abilities) -> Root {
        self.root_as(abilities, Policy::default())
    }

    /// The root with its edits confined by Landlock; `None` if the kernel cannot.
    pub(crate) fn confined(&self) -> Option<Root> {
        self.root(Abilities::ALL).confined(Enforcement::Require).ok()
    }

    pub(crate) fn root_as(&self, abilities: Abilities, policy: Policy) -> Root {
        let authority = cap_std::ambient_authority();
        let root = Root::open_ambient(self.at("root"), policy, authority).unwrap().with_abilities(abilities);
        if std::env::var_os(ALL_CONFINED).is_some() { root.confined(Enforcement::Require).unwrap() } else { root }
    }

    pub(crate) fn canary(&self) -> Tree {
        tree(&self.at("canary"))
    }
}

/// Prints a line past the capture of the test harness; a short run leaves it to the table.
pub(crate) fn report(line: &str) {
    if Rounds::asked_for() != Rounds::Few {
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}

/// Runs the path-based implementation until the attack succeeds against it, as it must.
pub(crate) fn naive(id: &str, mut succeeded: impl FnMut() -> usize) {
    let row = super::support::table::Row::begin(id, "plain paths");
    for tries in 1..=500 {
        let count = succeeded();
        if count > 0 {
            let counted = format!("the attack succeeds, {count} times in try {tries}");
            report(&format!("{id}, plain paths: {counted}"));
            return row.held(&counted);
        }
    }
    panic!("{id}: the attack does not work against plain paths either");
}
