//! A Landlock domain: what a thread may still do once it has entered it.
//!
//! Everything that the kernel's version of Landlock can forbid is forbidden, and a few rights are given back below the
//! root. Nothing is left to the best effort of the `landlock` crate: the newest version whose every right the kernel
//! has is found by asking, and then each of its rights is required.
//!
//! What no version forbids stays possible: looking (`stat`, `readlink`, `O_PATH`), changing modes, owners and times,
//! and using a descriptor that was opened before.

use std::error::Error as _;
use std::io;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, LandlockStatus, PathBeneath,
    Ruleset, RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope,
    make_bitflags,
};
use rustix::io::Errno;

use super::{Handle, Rights};

/// The versions that count, newest first. Before the second no entry can change its directory under Landlock, so that
/// nothing could be staged in the private state.
const VERSIONS: [ABI; 8] = [ABI::V9, ABI::V8, ABI::V7, ABI::V6, ABI::V5, ABI::V4, ABI::V3, ABI::V2];

/// Rules that no thread is held to yet.
#[derive(Debug)]
pub(crate) struct Domain(Rules);

#[derive(Debug)]
enum Rules {
    Kernel(RulesetCreated),
    #[cfg(feature = "adversary")]
    Memory(super::memory::Rules),
}

/// Forbids everything but what the grant needs below the root, and what links need below the state directory.
///
/// `Unsupported` where the kernel cannot do that; any other error can pass.
pub(super) fn domain(root: &Handle, state: Option<&Handle>, grant: Rights) -> io::Result<Domain> {
    let build = || -> Result<Option<RulesetCreated>, RulesetError> {
        let Some(ruleset) = VERSIONS.into_iter().find_map(|version| forbid_all(version).ok()) else {
            return Ok(None);
        };
        let ruleset = ruleset.create()?.add_rule(PathBeneath::new(root, rights(grant)))?;
        Ok(Some(match state {
            // Nothing but links, and directories that are made or removed, is ever moved there.
            Some(state) => ruleset.add_rule(PathBeneath::new(state, rights(grant.in_state())))?,
            None => ruleset,
        }))
    };
    match build() {
        Ok(Some(ruleset)) => Ok(Domain(Rules::Kernel(ruleset))),
        Ok(None) => Err(unsupported("the kernel has no Landlock of version 2 (Linux 5.19) or newer")),
        Err(error) => Err(sorted(error)),
    }
}

/// Handles, and so forbids, each right that this version knows; fails where the kernel lacks one of them.
fn forbid_all(version: ABI) -> Result<Ruleset, RulesetError> {
    let required = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let mut ruleset = required.handle_access(AccessFs::from_all(version))?;
    let (net, scope) = (AccessNet::from_all(version), Scope::from_all(version));
    if !net.is_empty() {
        ruleset = ruleset.handle_access(net)?;
    }
    if !scope.is_empty() {
        ruleset = ruleset.scope(scope)?;
    }
    Ok(ruleset)
}

/// What is given back below the root.
fn rights(grant: Rights) -> BitFlags<AccessFs> {
    let links = make_bitflags!(AccessFs::{MakeSym | RemoveFile | Refer | ReadDir});
    match grant {
        Rights::Links => links,
        Rights::Parents => links | AccessFs::MakeDir,
        Rights::Directories => links | AccessFs::MakeDir | AccessFs::RemoveDir,
        // Moving a file or a directory takes the rights to make and to remove one.
        Rights::Backups => links | AccessFs::MakeReg | AccessFs::MakeDir | AccessFs::RemoveDir,
    }
}

impl Domain {
    /// Rules for what is done in the memory.
    #[cfg(feature = "adversary")]
    pub(super) fn of_memory(rules: super::memory::Rules) -> Domain {
        Domain(Rules::Memory(rules))
    }

    /// Holds the calling thread, and what it will start, to the rules for ever. Returns the version of Landlock.
    ///
    /// The thread also gains no privileges by `exec` from now on, which Landlock demands.
    pub(crate) fn enter(self) -> io::Result<u32> {
        let ruleset = match self.0 {
            Rules::Kernel(ruleset) => ruleset,
            #[cfg(feature = "adversary")]
            Rules::Memory(rules) => {
                rules.enter();
                return Ok(0);
            }
        };
        let status = ruleset.restrict_self().map_err(sorted)?;
        match status.landlock {
            LandlockStatus::Available { effective_abi, .. }
                if status.ruleset == RulesetStatus::FullyEnforced && status.no_new_privs =>
            {
                Ok(effective_abi as u32)
            }
            _ => Err(unsupported("the kernel enforces its Landlock rules only in part")),
        }
    }
}

/// Whether a domain can have refused a change: `EACCES`, or `EXDEV` where an entry was to change its directory.
pub(crate) fn refused_by_domain(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::ACCESS | Errno::XDEV))
}

/// Lack of memory, threads or descriptors can pass, and so can an error of a device; whatever else the kernel refuses it
/// will refuse again.
fn sorted(error: RulesetError) -> io::Error {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(errno) = cause.downcast_ref::<io::Error>().and_then(Errno::from_io_error)
            && matches!(errno, Errno::NOMEM | Errno::MFILE | Errno::NFILE | Errno::AGAIN | Errno::INTR | Errno::IO)
        {
            return errno.into();
        }
        source = cause.source();
    }
    io::Error::new(io::ErrorKind::Unsupported, error)
}

fn unsupported(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, reason)
}

#[cfg(test)]
mod tests;
