//! Programs that are started in an opened directory, in a process group of their own.
//!
//! A child gets what this process was given, and nothing that it opened: every descriptor of this library is closed when
//! another program takes its place. It is started by the calling thread, and held to nothing that the thread is not.

use std::ffi::OsString;
use std::io::{self, PipeReader};
use std::os::fd::OwnedFd;
#[cfg(target_os = "linux")]
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::AtFlags;
use rustix::io::Errno;
use rustix::process::{Pid, Signal};

use super::Handle;
use super::program_safety::{is_file, unsafe_at};

/// What is read at once of a program's output, in bytes.
const CHUNK: usize = 16 * 1024;

/// What is still read of it once the program has ended, in bytes: what it started may write for ever.
const REST_MAX: usize = 1024 * 1024;

/// Where nothing tells of the end of a child, it is looked for this often.
const LOOK: Duration = Duration::from_millis(10);

/// What is started.
pub(crate) struct Start<'a> {
    pub(crate) argv: &'a [OsString],
    pub(crate) dir: &'a Handle,
    /// The path of the directory, for where it cannot be named by its descriptor.
    pub(crate) path: Option<PathBuf>,
    pub(crate) variables: &'a [(&'static str, OsString)],
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) exit: Option<i32>,
    pub(crate) signal: Option<i32>,
}

/// A program that was started.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    output: Option<PipeReader>,
    /// Readable once the child has ended, where the kernel has it.
    end: Option<OwnedFd>,
}

impl Start<'_> {
    fn command(&self) -> io::Result<Command> {
        let (program, arguments) = self.argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(dir_path(self.dir, self.path.as_deref())?);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }

    /// Starts it, with its output and errors to be read from here.
    pub(crate) fn start(&self) -> io::Result<Running> {
        let (output, writer) = io::pipe()?;
        rustix::io::ioctl_fionbio(&output, true)?;
        let mut command = self.command()?;
        command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer).process_group(0);
        let child = command.spawn()?;
        // With the command goes the last writing end that this process has.
        drop(command);
        let end = end_of(&child);
        Ok(Running { child, output: Some(output), end })
    }

    /// Takes the place of this process. Returns only where that fails.
    pub(crate) fn become_it(&self) -> io::Error {
        match self.command() {
            Ok(mut command) => command.exec(),
            Err(error) => error,
        }
    }
}

/// Lets a descriptor stay open in the program that takes the place of this one.
pub(crate) fn keep_open(handle: &Handle) -> io::Result<()> {
    Ok(rustix::io::fcntl_setfd(handle, rustix::io::FdFlags::empty())?)
}

/// Takes a shared lock of an opened directory, if nobody has it for himself.
pub(crate) fn try_share(dir: &Handle) -> io::Result<bool> {
    match rustix::io::retry_on_intr(|| rustix::fs::flock(dir, rustix::fs::FlockOperation::NonBlockingLockShared)) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// A name for an opened directory that leads to it wherever it was moved.
#[cfg(target_os = "linux")]
fn dir_path(dir: &Handle, _path: Option<&Path>) -> io::Result<PathBuf> {
    Ok(format!("/proc/self/fd/{}", dir.as_fd().as_raw_fd()).into())
}

/// Elsewhere there is none: the path has to do.
#[cfg(not(target_os = "linux"))]
fn dir_path(dir: &Handle, path: Option<&Path>) -> io::Result<PathBuf> {
    let path = path.ok_or(io::ErrorKind::Unsupported)?;
    let (opened, named) = (rustix::fs::fstat(dir)?, rustix::fs::stat(path)?);
    let same = (opened.st_dev, opened.st_ino) == (named.st_dev, named.st_ino);
    if same { Ok(path.to_path_buf()) } else { Err(io::ErrorKind::NotFound.into()) }
}

#[cfg(target_os = "linux")]
fn end_of(child: &Child) -> Option<OwnedFd> {
    rustix::process::pidfd_open(group(child), rustix::process::PidfdFlags::empty()).ok()
}

#[cfg(not(target_os = "linux"))]
fn end_of(_child: &Child) -> Option<OwnedFd> {
    None
}

/// The process group of a child, which has its number.
fn group(child: &Child) -> Pid {
    Pid::from_child(child)
}

impl Running {
    /// Waits for output, which is handed to `sink`, or for the end, at most so long. Returns early where a signal came.
    pub(crate) fn wait(&mut self, time: Duration, sink: &mut dyn FnMut(&[u8])) -> io::Result<Option<Ended>> {
        let time = if self.end.is_some() { time } else { time.min(LOOK) };
        let patience = Timespec { tv_sec: time.as_secs().min(3600) as _, tv_nsec: time.subsec_nanos().into() };
        let mut awaited = Vec::with_capacity(2);
        awaited.extend(self.output.as_ref().map(|output| PollFd::new(output, PollFlags::IN)));
        awaited.extend(self.end.as_ref().map(|end| PollFd::new(end, PollFlags::IN)));
        match rustix::event::poll(&mut awaited, Some(&patience)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        drop(awaited);
        self.read(CHUNK, sink);
        let Some(status) = self.child.try_wait()? else { return Ok(None) };
        self.read(REST_MAX, sink);
        Ok(Some(Ended { exit: status.code(), signal: status.signal() }))
    }

    /// Hands on what is there to be read, up to about so much.
    fn read(&mut self, most: usize, sink: &mut dyn FnMut(&[u8])) {
        let mut buffer = [0; CHUNK];
        let mut done = 0;
        while let Some(output) = &self.output {
            match rustix::io::read(output, &mut buffer) {
                Ok(count) if count > 0 => {
                    sink(&buffer[..count]);
                    done += count;
                    if done >= most {
                        return;
                    }
                }
                Err(Errno::INTR) => {}
                Err(Errno::WOULDBLOCK) => return,
                // Nobody has the other end any more.
                Ok(_) | Err(_) => self.output = None,
            }
        }
    }

    /// Asks everything in the program's group to end, or ends it.
    pub(crate) fn end_group(&self, at_once: bool) {
        let signal = if at_once { Signal::KILL } else { Signal::TERM };
        let _sent = rustix::process::kill_process_group(group(&self.child), signal);
    }

    /// Whether anything is left of the program's group.
    pub(crate) fn has_group(&self) -> bool {
        rustix::process::test_kill_process_group(group(&self.child)).is_ok()
    }
}

/// Why a program is not safe to start: others can change what it is. `None` where they cannot, or there is no such program.
pub(crate) fn unsafe_program(program: &str, dir: &Handle, user: u32) -> Option<String> {
    if program.contains('/') {
        return unsafe_at(dir, Path::new(program), user);
    }
    let path = std::env::var_os("PATH")?;
    // A relative one, and the empty one, is looked up where the program is started.
    let mut there = std::env::split_paths(&path).map(|above| above.join(program)).filter(|path| {
        let executable = rustix::fs::accessat(dir, path, rustix::fs::Access::EXEC_OK, AtFlags::EACCESS).is_ok();
        executable && rustix::fs::statat(dir, path, AtFlags::empty()).is_ok_and(|stat| is_file(&stat))
    });
    unsafe_at(dir, &there.next()?, user)
}
