//! Where a machine keeps the number, the arguments and the answer of a system call.

use nix::errno::Errno;
use nix::unistd::Pid;

use crate::tracee::Call;

/// Whether this machine's registers are known.
pub(crate) const KNOWN: bool = cfg!(target_arch = "x86_64");

#[cfg(target_arch = "x86_64")]
mod machine {
    use nix::errno::Errno;
    use nix::sys::ptrace::{getregs, setregs};
    use nix::unistd::Pid;

    use super::Call;

    pub(super) fn call(thread: Pid) -> Result<Call, Errno> {
        let regs = getregs(thread)?;
        let args = [regs.rdi, regs.rsi, regs.rdx, regs.r10, regs.r8, regs.r9];
        Ok(Call { thread, number: regs.orig_rax.cast_signed(), args })
    }

    pub(super) fn make_none(thread: Pid) -> Result<(), Errno> {
        let mut regs = getregs(thread)?;
        regs.orig_rax = u64::MAX;
        setregs(thread, regs)
    }

    pub(super) fn set_result(thread: Pid, result: i64) -> Result<(), Errno> {
        let mut regs = getregs(thread)?;
        regs.rax = result.cast_unsigned();
        setregs(thread, regs)
    }

    pub(super) fn result(thread: Pid) -> Result<i64, Errno> {
        Ok(getregs(thread)?.rax.cast_signed())
    }
}

/// Nothing is traced there.
#[cfg(not(target_arch = "x86_64"))]
mod machine {
    use nix::errno::Errno;
    use nix::unistd::Pid;

    use super::Call;

    pub(super) fn call(_thread: Pid) -> Result<Call, Errno> {
        Err(Errno::ENOSYS)
    }

    pub(super) fn make_none(_thread: Pid) -> Result<(), Errno> {
        Err(Errno::ENOSYS)
    }

    pub(super) fn set_result(_thread: Pid, _result: i64) -> Result<(), Errno> {
        Err(Errno::ENOSYS)
    }

    pub(super) fn result(_thread: Pid) -> Result<i64, Errno> {
        Err(Errno::ENOSYS)
    }
}

/// The call that a thread is about to make.
pub(crate) fn call(thread: Pid) -> Result<Call, Errno> {
    machine::call(thread)
}

/// Lets it make no call.
pub(crate) fn make_none(thread: Pid) -> Result<(), Errno> {
    machine::make_none(thread)
}

/// Gives the answer of the call that was not made.
pub(crate) fn answer(thread: Pid, errno: Errno) -> Result<(), Errno> {
    machine::set_result(thread, -i64::from(errno as i32))
}

pub(crate) fn result(thread: Pid) -> Result<i64, Errno> {
    machine::result(thread)
}
