//! The backends that the library can be forced to use.
//!
//! A seccomp filter holds for one thread and for what it spawns, so each run has a thread of its own.

use std::collections::BTreeMap;
use std::sync::{PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use caplink::{Abilities, Enforcement, Root};
use rustix::io::Errno;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

use super::support::table::{SKIPPED, aloud};

/// The bound of one case: a handful of operations, none of which waits for a lock.
const BOUND: Duration = Duration::from_secs(20);

/// A call that a filter refuses, and the error that it returns.
pub(crate) type Refused = (i64, Errno);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Backend {
    pub(crate) name: &'static str,
    pub(crate) abilities: Abilities,
    pub(crate) refused: &'static [Refused],
    /// Edits run under Landlock, if the kernel has it.
    pub(crate) confined: bool,
}

impl Backend {
    /// The root on this backend.
    pub(crate) fn take(self, root: Root) -> Root {
        let root = root.with_abilities(self.abilities);
        if self.confined { root.confined(Enforcement::Auto).expect("the thread can be started") } else { root }
    }
}

const ALL: Abilities = Abilities::ALL;
const NO_OPENAT2: Abilities = Abilities { confined_open: false, ..ALL };
const NO_RENAMEAT2: Abilities = Abilities { exchange: false, no_replace: false, ..ALL };
const NEITHER: Abilities = Abilities { confined_open: false, ..NO_RENAMEAT2 };

const fn asked(name: &'static str, abilities: Abilities) -> Backend {
    Backend { name, abilities, refused: &[], confined: false }
}

const fn filtered(name: &'static str, abilities: Abilities, refused: &'static [Refused]) -> Backend {
    Backend { name, abilities, refused, confined: false }
}

const fn confined(name: &'static str, abilities: Abilities) -> Backend {
    Backend { confined: true, ..asked(name, abilities) }
}

/// Every backend; a root then has these `abilities` on a file system that supports exchange.
pub(crate) const BACKENDS: &[Backend] = &[
    asked("native", ALL),
    asked("no openat2", NO_OPENAT2),
    asked("no exchange", Abilities { exchange: false, ..ALL }),
    asked("no renameat2", NO_RENAMEAT2),
    asked("neither", NEITHER),
    confined("confined", ALL),
    confined("confined, neither", NEITHER),
    filtered("openat2: ENOSYS", NO_OPENAT2, &[(libc::SYS_openat2, Errno::NOSYS)]),
    filtered("openat2: EPERM", NO_OPENAT2, &[(libc::SYS_openat2, Errno::PERM)]),
    filtered("renameat2: ENOSYS", NO_RENAMEAT2, &[(libc::SYS_renameat2, Errno::NOSYS)]),
    filtered("renameat2: EPERM", NO_RENAMEAT2, &[(libc::SYS_renameat2, Errno::PERM)]),
    filtered("renameat2: EINVAL", NO_RENAMEAT2, &[(libc::SYS_renameat2, Errno::INVAL)]),
    filtered("both: ENOSYS", NEITHER, &[(libc::SYS_openat2, Errno::NOSYS), (libc::SYS_renameat2, Errno::NOSYS)]),
];

/// What this kernel supports, nothing masked.
pub(crate) const NATIVE: &[Backend] = &[BACKENDS[0]];

/// Runs `case` on its own thread. A panic there is a panic here; so is a hang.
pub(crate) fn run<T: Send + 'static>(case: impl FnOnce() -> T + Send + 'static) -> T {
    run_within(BOUND, case)
}

pub(crate) fn run_within<T: Send + 'static>(bound: Duration, case: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, finished) = mpsc::channel();
    let running = thread::spawn(move || {
        let result = case();
        let _ = done.send(());
        result
    });
    if finished.recv_timeout(bound) == Err(mpsc::RecvTimeoutError::Timeout) {
        panic!("the case hangs");
    }
    match running.join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Refuses these calls on this thread from now on.
pub(crate) fn refuse(refused: &[Refused]) {
    for (call, answer) in refused {
        let errno = u32::try_from(answer.raw_os_error()).expect("error numbers are positive");
        let filter = SeccompFilter::new(
            BTreeMap::from([(*call, Vec::new())]),
            SeccompAction::Allow,
            SeccompAction::Errno(errno),
            std::env::consts::ARCH.try_into().expect("the filter knows this machine"),
        );
        let program: BpfProgram = filter.and_then(TryInto::try_into).expect("the filter compiles");
        seccompiler::apply_filter(&program).expect("the filter is installed");
    }
}

/// Prints that the running case is incomplete, and why.
pub(crate) fn skipped(id: &str, reason: &str) {
    aloud(id, reason);
    *SKIPPED.lock().unwrap_or_else(PoisonError::into_inner) = Some(format!("skipped: {reason}"));
}
