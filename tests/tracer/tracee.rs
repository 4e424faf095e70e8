//! A program that is stopped at each of its system calls, those of its threads and children included.
//!
//! A small shell stops itself before it becomes the program, so that it can be seized from outside: nothing has to run
//! between `fork` and `exec`. A call that is to fail is replaced by none on the way in, and gets its answer on the way
//! out. Whoever traces waits for the tasks of its own thread only, so that tests trace beside each other.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::FileExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};

use crate::registers;

/// However loaded the machine is, no run takes this long.
const WATCHDOG: Duration = Duration::from_secs(20);

/// `PTRACE_EVENT_STOP`: a thread that was just made, or a stop of the whole group.
const EVENT_STOP: i32 = 128;

/// What the kernel tells of a stop at a call (`PTRACE_GETEVENTMSG`, Linux 5.3).
const ON_ENTRY: i64 = 1;
const ON_EXIT: i64 = 2;

/// A system call on its way in.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) thread: Pid,
    pub(crate) number: i64,
    pub(crate) args: [u64; 6],
}

/// What is done with a call on its way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Go,
    /// It is not made, and answers this.
    Fail(Errno),
    /// The program is killed; the call is not made.
    Kill,
}

/// Looks on while the program runs.
pub(crate) trait Watch {
    fn before(&mut self, call: &Call, memory: &Memory) -> Verdict;
    /// `result` is what the call returned: a negative error number where it failed.
    fn after(&mut self, call: &Call, result: i64);
}

/// How a program ended.
#[derive(Debug)]
pub(crate) struct End {
    /// None where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The memory of a program, to read what its arguments point to.
pub(crate) struct Memory(Option<File>);

impl Memory {
    /// Reads bytes; fewer where the mapping ends before.
    pub(crate) fn bytes(&self, at: u64, wanted: usize) -> Vec<u8> {
        let mut bytes = vec![0; wanted];
        let read = self.0.as_ref().and_then(|memory| memory.read_at(&mut bytes, at).ok());
        bytes.truncate(read.unwrap_or(0));
        bytes
    }

    /// Reads a text up to its final NUL.
    pub(crate) fn text(&self, at: u64) -> String {
        let mut text = Vec::new();
        while let Some(piece) = Some(self.bytes(at + text.len() as u64, 256)).filter(|piece| !piece.is_empty()) {
            let end = piece.iter().position(|byte| *byte == 0);
            text.extend_from_slice(&piece[..end.unwrap_or(piece.len())]);
            if end.is_some() || text.len() > 8192 {
                break;
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// Why nothing can be traced here; none where it can.
pub(crate) fn denied() -> Option<String> {
    if !registers::KNOWN {
        return Some(format!("the registers of {} are not known here", std::env::consts::ARCH));
    }
    struct Idle(usize);
    impl Watch for Idle {
        fn before(&mut self, _call: &Call, _memory: &Memory) -> Verdict {
            self.0 += 1;
            Verdict::Go
        }
        fn after(&mut self, _call: &Call, _result: i64) {}
    }
    let mut idle = Idle(0);
    match trace(&["true".into()], &mut idle) {
        Ok(_) if idle.0 > 0 => None,
        Ok(_) => Some("no call was seen".into()),
        Err(error) => Some(format!("no program may be traced: {error}")),
    }
}

/// Keeps this thread, and the program that it starts, on one processor: they only ever take turns, and waking one up on
/// another processor takes longer than most calls.
fn stay_on_one_processor() {
    let mut set = rustix::thread::CpuSet::new();
    set.set(rustix::thread::sched_getcpu());
    let _only_slower = rustix::thread::sched_setaffinity(None, &set);
}

/// Runs a program to its end.
#[expect(clippy::zombie_processes, reason = "whoever traces a program waits for it by its stops")]
pub(crate) fn trace(command: &[OsString], watch: &mut dyn Watch) -> Result<End, Errno> {
    stay_on_one_processor();
    let mut child = Command::new("sh")
        .args(["-c", "kill -STOP $$; exec \"$0\" \"$@\""])
        .args(command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("there is a shell");
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process number"));
    let waiting = WaitPidFlag::__WALL | WaitPidFlag::WUNTRACED;
    match waitpid(pid, Some(waiting))? {
        WaitStatus::Stopped(..) => {}
        ended => panic!("the shell did not stop: {ended:?}"),
    }
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_EXITKILL;
    if let Err(error) = ptrace::seize(pid, options) {
        let _ = child.kill();
        let _ = child.wait();
        return Err(error);
    }
    kill(pid, Signal::SIGCONT)?;
    let watchdog = watchdog(&child);
    let mut tracer = Tracer { pid, watch, memory: Memory(None), calls: BTreeMap::new() };
    let code = tracer.run()?;
    drop(watchdog);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    child.stdout.take().expect("it is piped").read_to_end(&mut stdout).expect("a pipe is read");
    child.stderr.take().expect("it is piped").read_to_end(&mut stderr).expect("a pipe is read");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(End { code, stdout: text(stdout), stderr: text(stderr) })
}

/// Kills the program if it hangs. Its descriptor cannot come to mean another process.
fn watchdog(child: &Child) -> mpsc::Sender<()> {
    let pid = rustix::process::Pid::from_child(child);
    let process = pidfd_open(pid, PidfdFlags::empty()).expect("it runs");
    let (ended, ending) = mpsc::channel();
    std::thread::spawn(move || {
        if ending.recv_timeout(WATCHDOG) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _gone = pidfd_send_signal(&process, rustix::process::Signal::KILL);
        }
    });
    ended
}

struct Tracer<'a> {
    pid: Pid,
    watch: &'a mut dyn Watch,
    memory: Memory,
    /// The call that a task is in, and how it is to fail.
    calls: BTreeMap<Pid, (Call, Option<Errno>)>,
}

impl Tracer<'_> {
    /// Goes from stop to stop. Returns the exit code.
    fn run(&mut self) -> Result<Option<i32>, Errno> {
        loop {
            let waited = waitpid(None, Some(WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD));
            let (task, pass) = match waited? {
                WaitStatus::Exited(task, code) if task == self.pid => return Ok(Some(code)),
                WaitStatus::Signaled(task, ..) if task == self.pid => return Ok(None),
                WaitStatus::PtraceSyscall(task) => {
                    self.at_call(task)?;
                    (task, None)
                }
                WaitStatus::PtraceEvent(task, _, event) => {
                    if event == ptrace::Event::PTRACE_EVENT_EXEC as i32 {
                        self.memory = Memory(File::open(format!("/proc/{task}/mem")).ok());
                    } else if event == EVENT_STOP {
                        self.calls.remove(&task);
                    }
                    (task, None)
                }
                WaitStatus::Stopped(task, signal) => (task, Some(signal)),
                _ => continue,
            };
            // Before the program is there nothing is of interest.
            let resumed = match self.memory.0 {
                Some(_) => ptrace::syscall(task, pass),
                None => ptrace::cont(task, pass),
            };
            gone_is_fine(resumed)?;
        }
    }

    fn at_call(&mut self, task: Pid) -> Result<(), Errno> {
        match ptrace::getevent(task) {
            Ok(ON_ENTRY) => gone_is_fine(self.on_entry(task)),
            Ok(ON_EXIT) => gone_is_fine(self.on_exit(task)),
            Ok(_) => Err(Errno::ENOSYS),
            Err(error) => gone_is_fine(Err(error)),
        }
    }

    fn on_entry(&mut self, task: Pid) -> Result<(), Errno> {
        let call = registers::call(task)?;
        let mut fails = None;
        match self.watch.before(&call, &self.memory) {
            Verdict::Go => {}
            Verdict::Fail(errno) => {
                registers::make_none(task)?;
                fails = Some(errno);
            }
            Verdict::Kill => kill(self.pid, Signal::SIGKILL)?,
        }
        self.calls.insert(task, (call, fails));
        Ok(())
    }

    fn on_exit(&mut self, task: Pid) -> Result<(), Errno> {
        let Some((call, fails)) = self.calls.remove(&task) else { return Ok(()) };
        if let Some(errno) = fails {
            registers::answer(task, errno)?;
        }
        self.watch.after(&call, registers::result(task)?);
        Ok(())
    }
}

/// A task that was killed is not there to be told anything.
fn gone_is_fine(result: Result<(), Errno>) -> Result<(), Errno> {
    match result {
        Err(Errno::ESRCH) => Ok(()),
        result => result,
    }
}
