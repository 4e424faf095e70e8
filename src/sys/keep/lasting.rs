//! What tells a directory or a process from others for longer than it is open, as far as the platform says.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

#[cfg(target_os = "linux")]
use rustix::fs::{AtFlags, StatxFlags};
use rustix::fs::{Mode, OFlags};

use super::Lasting;
use crate::sys::{Stat, posix};

/// The depth that is looked up from a state directory; no path is deeper that a caller can name.
const DEPTH: usize = 4096;

#[cfg(target_os = "linux")]
pub(super) fn lasting(of: BorrowedFd<'_>) -> io::Result<Lasting> {
    let stat = posix::stat(of)?;
    let birth = match rustix::fs::statx(of, "", AtFlags::EMPTY_PATH, StatxFlags::BTIME) {
        Ok(told) if told.stx_mask & StatxFlags::BTIME.bits() != 0 => {
            Some((told.stx_btime.tv_sec, told.stx_btime.tv_nsec))
        }
        _ => None,
    };
    // XFS and others put the number of the device there, which another order of disks changes.
    let encoded = |(major, minor): (u32, u32)| u64::from(minor & 0xff | major << 8 | (minor & !0xff) << 12);
    let file_system = rustix::fs::fstatvfs(of).ok().map(|told| told.f_fsid);
    let file_system = file_system.filter(|id| *id != 0 && *id != encoded(posix::device_numbers(stat.id.device)));
    Ok(Lasting { file_system, inode: stat.id.inode, birth })
}

/// The inode alone: what else these systems tell has other names.
#[cfg(not(target_os = "linux"))]
pub(super) fn lasting(of: BorrowedFd<'_>) -> io::Result<Lasting> {
    let stat = posix::stat(of)?;
    let file_system = rustix::fs::fstatvfs(of).ok().map(|told| told.f_fsid).filter(|id| *id != 0);
    Ok(Lasting { file_system, inode: stat.id.inode, birth: None })
}

/// Shows each directory above `dir`, up to the one that is its own parent.
///
/// The only place that goes up: from a directory that the caller named, to look at who may change the way to it.
pub(super) fn above(dir: BorrowedFd<'_>, look: &mut dyn FnMut(&Stat)) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    let access = OFlags::PATH;
    #[cfg(not(target_os = "linux"))]
    let access = OFlags::RDONLY;
    let mut at: Option<OwnedFd> = None;
    let mut below = posix::stat(dir)?;
    for _ in 0..DEPTH {
        let from = at.as_ref().map_or(dir, |at| at.as_fd());
        let up = rustix::fs::openat(from, "..", access | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let stat = posix::stat(up.as_fd())?;
        if stat.id == below.id {
            return Ok(());
        }
        look(&stat);
        below = stat;
        at = Some(up);
    }
    Err(io::ErrorKind::InvalidInput.into())
}

/// When a process was started, in ticks of the system's clock since it was booted; `None` if there is none, or it is not
/// told.
#[cfg(target_os = "linux")]
pub(crate) fn process_start(process: u32) -> Option<u64> {
    let told = read_small(&format!("/proc/{process}/stat"))?;
    // The name of the program stands in parentheses, and can hold any of the characters around it.
    let after = told.rsplit_once(')')?.1;
    after.split_ascii_whitespace().nth(19)?.parse().ok()
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn process_start(_process: u32) -> Option<u64> {
    None
}

/// Who holds the lock of a file, where the kernel tells.
#[cfg(target_os = "linux")]
pub(crate) fn lock_holder(of: &Stat) -> Option<(u32, Option<String>)> {
    let (major, minor) = posix::device_numbers(of.id.device);
    // The blank behind it: another inode's number may begin with this one.
    let file = format!("{major:02x}:{minor:02x}:{} ", of.id.inode);
    let locks = read_small("/proc/locks")?;
    let held = |line: &&str| line.contains(" FLOCK ") && !line.contains("->") && line.contains(&file);
    let process: u32 = locks.lines().find(held)?.split_ascii_whitespace().nth(4)?.parse().ok()?;
    let program = read_small(&format!("/proc/{process}/comm")).map(|name| name.trim_end().to_owned());
    Some((process, program))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn lock_holder(_of: &Stat) -> Option<(u32, Option<String>)> {
    None
}

/// This process: its number, and the name of its program where that is told.
pub(crate) fn this_process() -> (u32, Option<String>) {
    let process = std::process::id();
    (process, read_small(&format!("/proc/{process}/comm")).map(|name| name.trim_end().to_owned()))
}

/// What stands in a file that the system keeps, up to as much as is used here.
pub(super) fn read_small(path: &str) -> Option<String> {
    const MOST: usize = 256 * 1024;
    let file = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY, Mode::empty()).ok()?;
    let mut told = Vec::new();
    let mut buffer = [0; 4096];
    while told.len() < MOST {
        match rustix::io::read(&file, &mut buffer).ok()? {
            0 => break,
            count => told.extend_from_slice(buffer.get(..count)?),
        }
    }
    Some(String::from_utf8_lossy(&told).into_owned())
}
