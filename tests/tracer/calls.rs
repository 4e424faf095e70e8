//! The calls that concern the file system: their names, what they name, and how they can fail.

use nix::errno::Errno;

use crate::tracee::{Call, Memory};

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    Open,
    Look,
    /// Makes, moves or removes names.
    Change,
    Lock,
    Sync,
    Landlock,
}

struct Known {
    number: i64,
    name: &'static str,
    sort: Sort,
    /// The arguments that point to a path or a text.
    texts: &'static [usize],
}

const fn known(number: i64, name: &'static str, sort: Sort, texts: &'static [usize]) -> Known {
    Known { number, name, sort, texts }
}

const KNOWN: &[Known] = &[
    known(libc::SYS_openat, "openat", Sort::Open, &[1]),
    known(libc::SYS_openat2, "openat2", Sort::Open, &[1]),
    known(libc::SYS_newfstatat, "newfstatat", Sort::Look, &[1]),
    known(libc::SYS_fstat, "fstat", Sort::Look, &[]),
    known(libc::SYS_statx, "statx", Sort::Look, &[1]),
    known(libc::SYS_fstatfs, "fstatfs", Sort::Look, &[]),
    known(libc::SYS_faccessat, "faccessat", Sort::Look, &[1]),
    known(libc::SYS_faccessat2, "faccessat2", Sort::Look, &[1]),
    known(libc::SYS_readlinkat, "readlinkat", Sort::Look, &[1]),
    known(libc::SYS_getdents64, "getdents64", Sort::Look, &[]),
    known(libc::SYS_symlinkat, "symlinkat", Sort::Change, &[0, 2]),
    known(libc::SYS_linkat, "linkat", Sort::Change, &[1, 3]),
    known(libc::SYS_unlinkat, "unlinkat", Sort::Change, &[1]),
    known(libc::SYS_mkdirat, "mkdirat", Sort::Change, &[1]),
    known(libc::SYS_renameat, "renameat", Sort::Change, &[1, 3]),
    known(libc::SYS_renameat2, "renameat2", Sort::Change, &[1, 3]),
    known(libc::SYS_flock, "flock", Sort::Lock, &[]),
    known(libc::SYS_fsync, "fsync", Sort::Sync, &[]),
    known(libc::SYS_fdatasync, "fdatasync", Sort::Sync, &[]),
    known(libc::SYS_syncfs, "syncfs", Sort::Sync, &[]),
    known(libc::SYS_landlock_create_ruleset, "landlock_create_ruleset", Sort::Landlock, &[]),
    known(libc::SYS_landlock_add_rule, "landlock_add_rule", Sort::Landlock, &[]),
    known(libc::SYS_landlock_restrict_self, "landlock_restrict_self", Sort::Landlock, &[]),
];

/// The calls of older programs, which take a path alone.
#[cfg(target_arch = "x86_64")]
const OLD: &[Known] = &[
    known(libc::SYS_open, "open", Sort::Open, &[0]),
    known(libc::SYS_creat, "creat", Sort::Open, &[0]),
    known(libc::SYS_stat, "stat", Sort::Look, &[0]),
    known(libc::SYS_lstat, "lstat", Sort::Look, &[0]),
    known(libc::SYS_access, "access", Sort::Look, &[0]),
    known(libc::SYS_readlink, "readlink", Sort::Look, &[0]),
    known(libc::SYS_symlink, "symlink", Sort::Change, &[0, 1]),
    known(libc::SYS_link, "link", Sort::Change, &[0, 1]),
    known(libc::SYS_unlink, "unlink", Sort::Change, &[0]),
    known(libc::SYS_rmdir, "rmdir", Sort::Change, &[0]),
    known(libc::SYS_mkdir, "mkdir", Sort::Change, &[0]),
    known(libc::SYS_rename, "rename", Sort::Change, &[0, 1]),
];

#[cfg(not(target_arch = "x86_64"))]
const OLD: &[Known] = &[];

/// A call that concerns the file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) name: &'static str,
    pub(crate) sort: Sort,
    pub(crate) texts: Vec<String>,
    /// The flags that an opening was given, and its `RESOLVE_` flags.
    pub(crate) flags: u64,
    pub(crate) resolve: u64,
    /// The first argument, where that is a descriptor.
    pub(crate) descriptor: u64,
}

/// What a call is; none where it does not concern the file system.
pub(crate) fn named(call: &Call, memory: &Memory) -> Option<Named> {
    let known = KNOWN.iter().chain(OLD).find(|known| known.number == call.number)?;
    let texts = known.texts.iter().map(|index| memory.text(call.args[*index])).collect();
    let (flags, resolve) = match known.name {
        "openat" => (call.args[2], 0),
        "open" => (call.args[1], 0),
        "creat" => ((libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC).unsigned_abs().into(), 0),
        // struct open_how: flags, mode, resolve.
        "openat2" => {
            let how = memory.bytes(call.args[2], 24);
            let word = |at: usize| how.get(at..at + 8).map_or(0, |b| u64::from_ne_bytes(b.try_into().expect("eight")));
            (word(0), word(16))
        }
        "renameat2" => (call.args[4], 0),
        "unlinkat" => (call.args[2], 0),
        _ => (0, 0),
    };
    Some(Named { name: known.name, sort: known.sort, texts, flags, resolve, descriptor: call.args[0] })
}

impl Named {
    /// The errors that a file system, a filter or a limit can give for it.
    pub(crate) fn errors(&self) -> &'static [Errno] {
        use Errno::{EACCES, EAGAIN, EINTR, EIO, EMFILE, ENOLCK, ENOSPC, ENOSYS, EPERM};
        match (self.sort, self.name) {
            (Sort::Open, "openat2") => &[EACCES, EAGAIN, EINTR, EIO, EMFILE, ENOSYS, EPERM],
            (Sort::Open, _) => &[EACCES, EINTR, EIO, EMFILE, EPERM],
            (Sort::Look, "statx") => &[EACCES, EIO, ENOSYS, EPERM],
            (Sort::Look, _) => &[EACCES, EIO],
            (Sort::Change, "renameat2") => &[EACCES, EIO, ENOSPC, ENOSYS, EPERM],
            (Sort::Change, "unlinkat") => &[EACCES, EIO, EPERM],
            (Sort::Change, _) => &[EACCES, EIO, ENOSPC, EPERM],
            (Sort::Lock, _) => &[EINTR, ENOLCK],
            (Sort::Sync, _) => &[EIO, ENOSPC],
            (Sort::Landlock, _) => &[EMFILE, ENOSYS, EPERM],
        }
    }

    /// The call in words, without what is random.
    pub(crate) fn words(&self) -> String {
        let plain = |text: &String| match text.find(".caplink-") {
            Some(at) => format!("{}.caplink-…", &text[..at]),
            None => text.clone(),
        };
        format!("{}({})", self.name, self.texts.iter().map(plain).collect::<Vec<_>>().join(", "))
    }
}

/// The name of a call that concerns the file system, and what it does.
pub(crate) fn name_of(number: i64) -> Option<(&'static str, Sort)> {
    let known = KNOWN.iter().chain(OLD).find(|known| known.number == number);
    known.map(|known| (known.name, known.sort))
}
