//! The ground of a race, its rounds, and its end.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use caplink::{Abilities, Enforcement, Policy, Root};
use tempfile::TempDir;

use super::site::ground;
use super::snapshot::{Tree, tree};

/// Two races at once would only take the processors from each other.
static TURN: Mutex<()> = Mutex::new(());

pub(crate) fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A backend by its name, and how many rounds it is due at full size.
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

/// Set where every root is confined by the kernel.
pub(crate) const ALL_CONFINED: &str = "CAPLINK_CONFINED";

/// How many rounds are run of so many at full size.
pub(crate) fn rounds(full: usize) -> usize {
    let size = std::env::var("CAPLINK_ROUNDS").unwrap_or_default();
    match size.as_str() {
        "full" => full,
        "few" => full / 50,
        _ => full / 10,
    }
}

/// How long one race may take before it counts as hanging.
pub(crate) fn patience() -> Duration {
    let full = std::env::var("CAPLINK_ROUNDS").is_ok_and(|size| size == "full");
    Duration::from_secs(if full { 900 } else { 180 })
}

/// Runs one race alone, in a thread of its own. A panic there is one here; so is a race that does not end.
pub(crate) fn race(run: impl FnOnce() + Send + 'static) {
    let _turn = turn();
    let (done, finished) = mpsc::channel();
    let running = thread::spawn(move || {
        run();
        let _ = done.send(());
    });
    if finished.recv_timeout(patience()) == Err(mpsc::RecvTimeoutError::Timeout) {
        panic!("the race does not end");
    }
    if let Err(panic) = running.join() {
        std::panic::resume_unwind(panic);
    }
}

/// A root, and a canary beside it.
pub(crate) struct Arena {
    base: PathBuf,
    _dir: TempDir,
}

impl Arena {
    pub(crate) fn new() -> Arena {
        let dir = tempfile::tempdir_in(ground()).unwrap();
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

    /// The root as the kernel holds changes of it to what is below it; none where it cannot.
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

/// Past the capture of the test harness, so that it is always seen; on other file systems the table is enough.
pub(crate) fn told(line: &str) {
    if std::env::var("CAPLINK_ROUNDS").is_ok_and(|size| size == "few") {
        return;
    }
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Runs the naive way until the attack has succeeded there; it must.
pub(crate) fn naive(id: &str, mut succeeded: impl FnMut() -> usize) {
    let row = super::table::Row::begin(id, "plain paths");
    for tries in 1..=500 {
        let count = succeeded();
        if count > 0 {
            let counted = format!("the attack succeeds, {count} times in try {tries}");
            told(&format!("{id}, plain paths: {counted}"));
            return row.held(&counted);
        }
    }
    panic!("{id}: the attack does not work against plain paths either");
}
