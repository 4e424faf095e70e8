//! One confined thread, and the hand-over of work to it.
//!
//! Work is handed over by a channel and waited for: one wake each way at most, and none where a [side](super::side) is
//! awake. A panic in the work comes out at the one who waits, and so does the end of the thread: nobody waits for ever.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use super::side::Side;
use crate::model::{Confinement, ObjectId};
use crate::sys::{Domain, Rights};

/// An edit needs some ten kilobytes.
const STACK: usize = 512 * 1024;

type Work = Box<dyn FnOnce() + Send>;

/// Those who hand over, and the thread.
#[derive(Debug, Default)]
struct Sides {
    holders: Side,
    thread: Side,
}

/// A thread that has entered a domain and does what it is handed, one after the other, until it is dropped.
#[derive(Debug)]
pub(crate) struct Thread {
    grant: Rights,
    level: Confinement,
    /// The state directory that is not below the root but within the domain. The kernel keeps an inode that a rule is
    /// about, so that its number is not given to another directory meanwhile.
    state: Option<ObjectId>,
    process: u32,
    work: Option<Sender<Work>>,
    sides: Arc<Sides>,
    joined: Option<JoinHandle<()>>,
}

impl Thread {
    /// Starts a thread and lets it enter the domain.
    pub(crate) fn start(domain: Domain, grant: Rights, state: Option<ObjectId>) -> io::Result<Thread> {
        let (work, inbox) = mpsc::channel();
        let (entered, entering) = mpsc::sync_channel(1);
        let sides = Arc::new(Sides::default());
        let on_thread = Arc::clone(&sides);
        let run = move || {
            let level = domain.enter();
            let go_on = level.is_ok();
            if entered.send(level).is_ok() && go_on {
                serve(&inbox, &on_thread);
            }
        };
        let started = thread::Builder::new().name("caplink-confine".into()).stack_size(STACK).spawn(run);
        // The error number for it is that of a call which is to be tried again.
        let joined = started.map_err(|source| io::Error::other(format!("no thread can be started: {source}")))?;
        let level = entering.recv().map_err(|_| io::Error::other("the confined thread ended"))??;
        let level = Confinement::Landlock(level);
        Ok(Thread { grant, level, state, process: std::process::id(), work: Some(work), sides, joined: Some(joined) })
    }

    pub(crate) fn grant(&self) -> Rights {
        self.grant
    }

    pub(crate) fn level(&self) -> Confinement {
        self.level
    }

    pub(crate) fn state(&self) -> Option<ObjectId> {
        self.state
    }

    pub(crate) fn is_of(&self, process: u32) -> bool {
        self.process == process
    }

    /// Does the work on this thread, and waits for it. What the work owns is dropped there before this returns.
    ///
    /// # Panics
    ///
    /// With the panic of the work.
    pub(crate) fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
        let ended = || io::Error::other("the confined thread ended");
        let (reply, answer) = mpsc::sync_channel(1);
        let work: Work = Box::new(move || {
            let done = panic::catch_unwind(AssertUnwindSafe(work));
            // Nobody waits any more where the waiting thread itself was unwound.
            let _unheard = reply.send(done);
        });
        let thread = self.work.as_ref().expect("BUG: the thread works until it is dropped");
        let Sides { holders, thread: other } = &*self.sides;
        holders.works();
        thread.send(work).map_err(|_| ended())?;
        match holders.wait(&answer, other) {
            Some(Ok(done)) => Ok(done),
            Some(Err(panic)) => panic::resume_unwind(panic),
            None => Err(ended()),
        }
    }
}

impl Drop for Thread {
    /// Ends the thread, and waits for its end.
    fn drop(&mut self) {
        let (work, Some(joined)) = (self.work.take(), self.joined.take()) else { return };
        if !self.is_of(std::process::id()) {
            // After a fork there is no thread. It may have held the lock of its inbox at that moment.
            std::mem::forget((work, joined));
            return;
        }
        drop(work);
        // The last handle can be dropped by the work itself, if nobody waits for it.
        if joined.thread().id() != thread::current().id() {
            // Its panics were caught.
            let _ended = joined.join();
        }
    }
}

fn serve(inbox: &Receiver<Work>, sides: &Sides) {
    while let Some(work) = sides.thread.wait(inbox, &sides.holders) {
        sides.thread.works();
        work();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use super::*;

    /// A confined thread; none where the kernel has no Landlock.
    fn thread(test: &str) -> Option<Thread> {
        let dir = cap_tempfile::tempdir(cap_std::ambient_authority()).unwrap();
        let root = crate::sys::root_handle(dir.try_clone().unwrap());
        match crate::sys::calls(&root).unwrap().domain(&root, None, Rights::Links) {
            Ok(domain) => Some(Thread::start(domain, Rights::Links, None).unwrap()),
            Err(error) => {
                io::stderr().write_all(format!("SKIPPED: {test}: {error}\n").as_bytes()).unwrap();
                None
            }
        }
    }

    #[test]
    fn a_panic_in_the_work_comes_out_at_the_one_who_waits() {
        let Some(thread) = thread("a_panic_in_the_work_comes_out_at_the_one_who_waits") else { return };
        let panicked = panic::catch_unwind(AssertUnwindSafe(|| thread.run(|| panic!("in the work"))));
        assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"in the work"));
        assert_eq!(thread.run(|| 7).unwrap(), 7);
    }

    #[test]
    fn work_of_many_is_done_one_after_the_other() {
        let Some(thread) = thread("work_of_many_is_done_one_after_the_other") else { return };
        let busy = Arc::new(AtomicBool::new(false));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for turn in 0..200 {
                        let busy = Arc::clone(&busy);
                        let work = move || {
                            assert!(!busy.swap(true, Ordering::SeqCst), "two at once");
                            busy.store(false, Ordering::SeqCst);
                            turn
                        };
                        assert_eq!(thread.run(work).unwrap(), turn);
                    }
                });
            }
        });
    }

    #[test]
    fn what_the_work_owns_is_dropped_before_the_answer() {
        let Some(thread) = thread("what_the_work_owns_is_dropped_before_the_answer") else { return };
        for _ in 0..200 {
            let owned = Arc::new(());
            let in_work = Arc::clone(&owned);
            thread.run(move || drop(Arc::clone(&in_work))).unwrap();
            assert_eq!(Arc::strong_count(&owned), 1);
        }
    }

    #[test]
    fn the_last_handle_can_be_dropped_by_the_work() {
        let Some(thread) = thread("the_last_handle_can_be_dropped_by_the_work") else { return };
        let thread = Arc::new(thread);
        let (last, (done, finished)) = (Arc::clone(&thread), mpsc::channel());
        let work = thread.work.clone().unwrap();
        drop(thread);
        work.send(Box::new(move || {
            drop(last);
            done.send(()).unwrap();
        }))
        .unwrap();
        finished.recv_timeout(Duration::from_secs(2)).unwrap();
    }
}
