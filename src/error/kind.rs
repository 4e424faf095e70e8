//! Why an operation failed: the stable kinds, the sentence each has, and what an error number alone says.

use std::io;

use super::words::words;

words! {
    "kind of error":
    /// Why an operation failed. All are in the order of the command line's exit codes.
    #[derive(PartialOrd, Ord)]
    #[non_exhaustive]
    pub enum Kind {
        /// The call itself makes no sense: for instance a root that is no directory.
        Usage = "usage",
        /// The spelling of a path is not one of a link below the root.
        InvalidPath = "invalid_path",
        /// The spelling of a target is not one that can be stored or found.
        InvalidTarget = "invalid_target",
        /// A component is longer than 255 bytes, or a text longer than the file system takes.
        TooLong = "too_long",
        /// A manifest cannot be read.
        InvalidManifest = "invalid_manifest",
        /// A saved plan cannot be read, or is one of another root.
        InvalidPlan = "invalid_plan",
        /// The name is taken.
        Exists = "exists",
        /// The name belongs to something that is no symbolic link.
        NotALink = "not_a_link",
        /// The link is not the one that was expected.
        Mismatch = "mismatch",
        /// Another program kept changing the same name, or the kernel kept asking for another try.
        Contended = "contended",
        /// What a saved plan was made from is not as it was.
        StalePlan = "stale_plan",
        /// The path leads out of the root.
        Escape = "escape",
        /// A directory on the way to the link is itself a link, and parents are not followed.
        SymlinkInPath = "symlink_in_path",
        /// The path goes through a link of `/proc` that names a kernel object.
        MagicLink = "magic_link",
        /// The path crosses a mount point.
        CrossMount = "cross_mount",
        /// The file system is mounted so that links are not followed.
        MountPolicy = "mount_policy",
        /// The policy of this root forbids it.
        Policy = "policy",
        /// The target does not exist, and that was not allowed.
        Dangling = "dangling",
        /// The directory of the link was moved during the operation; what was made there was taken back.
        ParentMoved = "parent_moved",
        /// The private directory for staging could be written or was owned by somebody else.
        UnsafeState = "unsafe_state",
        /// Others can write the manifest, or a program that it runs.
        UnsafeManifest = "unsafe_manifest",
        /// The directory of the release is not the one that was entered.
        ReplacedRelease = "replaced_release",
        /// The release is marked bad.
        BadRelease = "bad_release",
        /// What is to be a release is no directory.
        NotADirectory = "not_a_directory",
        /// There is nothing of this name.
        NotFound = "not_found",
        /// The links lead in a circle, or over more than 40 hops.
        Loop = "loop",
        /// The root has no records.
        NoRecords = "no_records",
        /// The release was never entered.
        UnknownRelease = "unknown_release",
        /// The root directory is gone.
        RootGone = "root_gone",
        /// Another holder had the lock for longer than the bounded wait.
        Busy = "busy",
        /// A batch stopped half-way.
        Partial = "partial",
        /// A health check failed.
        CheckFailed = "check_failed",
        /// Records are damaged.
        Integrity = "integrity",
        /// The caller may not do this.
        Permission = "permission",
        /// The file system is mounted read-only.
        ReadOnly = "read_only",
        /// The file system or the quota is full.
        NoSpace = "no_space",
        /// The process or the system has no descriptors left.
        FdExhausted = "fd_exhausted",
        /// This host cannot do what was required.
        Unsupported = "unsupported",
        /// Something of this program's own could not be taken back; [`Error::left`](crate::Error::left) names it.
        Residue = "residue",
        /// The file system finds an entry damaged, as a crash can leave it.
        Corrupt = "corrupt",
        /// Any other error of the system.
        Io = "io",
    }
}

/// The sentence for a kind where the place of the failure has none of its own.
pub(super) fn default_reason(kind: Kind) -> &'static str {
    match kind {
        Kind::Usage => "the call makes no sense",
        Kind::InvalidPath => "the path does not name a link below the root",
        Kind::InvalidTarget => "the target cannot be stored",
        Kind::TooLong => "a name or text is too long",
        Kind::InvalidManifest => "the manifest cannot be read",
        Kind::InvalidPlan => "it is no plan for this root",
        Kind::Exists => "the name is taken",
        Kind::NotALink => "it is not a symbolic link",
        Kind::Mismatch => "it is not what was expected",
        Kind::Contended => "another program kept changing it",
        Kind::StalePlan => "the tree or the records changed after the plan was made",
        Kind::Escape => "it leads out of the root",
        Kind::SymlinkInPath => "a parent directory is a symbolic link",
        Kind::MagicLink => "it goes through a link to a kernel object",
        Kind::CrossMount => "it crosses a mount point",
        Kind::MountPolicy => "the mount does not let links be followed",
        Kind::Policy => "the policy of this root forbids it",
        Kind::Dangling => "the target does not exist",
        Kind::ParentMoved => "its directory was moved meanwhile",
        Kind::UnsafeState => "the state directory is not private to the caller",
        Kind::UnsafeManifest => "others can write it",
        Kind::ReplacedRelease => "it is not the directory that was entered",
        Kind::BadRelease => "the release is marked bad",
        Kind::NotADirectory => "it is no directory",
        Kind::NotFound => "there is no such entry",
        Kind::Loop => "the links lead in a circle or over more than 40 hops",
        Kind::NoRecords => "the root has no records",
        Kind::UnknownRelease => "there is no such release in the ledger",
        Kind::RootGone => "the root directory is gone",
        Kind::Busy => "another holder has the lock",
        Kind::Partial => "it stopped half-way",
        Kind::CheckFailed => "the health check failed",
        Kind::Integrity => "the records are damaged",
        Kind::Permission => "permission denied",
        Kind::ReadOnly => "the file system is read-only",
        Kind::NoSpace => "no space is left",
        Kind::FdExhausted => "no file descriptors are left",
        Kind::Unsupported => "this host cannot do it",
        Kind::Residue => "something could not be taken back",
        Kind::Corrupt => "the file system finds it damaged",
        Kind::Io => "the system reported an error",
    }
}

/// The kind that follows from an error number alone.
///
/// `EXDEV` and `ELOOP` of a confined open are ambiguous; the walk that names the component decides those.
impl From<&io::Error> for Kind {
    fn from(error: &io::Error) -> Kind {
        use io::ErrorKind as E;
        match error.kind() {
            E::NotFound | E::NotADirectory => Kind::NotFound,
            E::AlreadyExists => Kind::Exists,
            E::PermissionDenied => Kind::Permission,
            E::ReadOnlyFilesystem => Kind::ReadOnly,
            E::StorageFull | E::QuotaExceeded => Kind::NoSpace,
            E::InvalidFilename => Kind::TooLong,
            E::CrossesDevices => Kind::CrossMount,
            E::ResourceBusy => Kind::Busy,
            E::WouldBlock => Kind::Contended,
            E::Unsupported => Kind::Unsupported,
            _ if is_fd_exhaustion(error) => Kind::FdExhausted,
            _ if is_damage(error) => Kind::Corrupt,
            _ => Kind::Io,
        }
    }
}

impl Kind {
    /// Whether the system failed: then nothing is known of what was asked about.
    pub(crate) fn tells_nothing(self) -> bool {
        matches!(self, Kind::FdExhausted | Kind::Corrupt | Kind::Io)
    }

    pub(crate) fn of(error: &io::Error) -> Kind {
        Kind::from(error)
    }
}

/// The kind of the standard library that says most of it.
pub(super) fn io_kind(kind: Kind) -> io::ErrorKind {
    use io::ErrorKind as E;
    match kind {
        Kind::Usage
        | Kind::InvalidPath
        | Kind::InvalidTarget
        | Kind::InvalidManifest
        | Kind::InvalidPlan
        | Kind::NotALink => E::InvalidInput,
        Kind::TooLong => E::InvalidFilename,
        Kind::Exists => E::AlreadyExists,
        Kind::Contended => E::WouldBlock,
        Kind::Escape
        | Kind::SymlinkInPath
        | Kind::MagicLink
        | Kind::MountPolicy
        | Kind::Policy
        | Kind::UnsafeState
        | Kind::UnsafeManifest
        | Kind::BadRelease
        | Kind::Permission => E::PermissionDenied,
        Kind::CrossMount => E::CrossesDevices,
        Kind::Dangling | Kind::NotFound | Kind::NoRecords | Kind::UnknownRelease | Kind::RootGone => E::NotFound,
        Kind::NotADirectory => E::NotADirectory,
        Kind::Busy => E::ResourceBusy,
        Kind::Integrity | Kind::Corrupt => E::InvalidData,
        Kind::ReadOnly => E::ReadOnlyFilesystem,
        Kind::NoSpace => E::StorageFull,
        Kind::Unsupported => E::Unsupported,
        Kind::Mismatch
        | Kind::StalePlan
        | Kind::ReplacedRelease
        | Kind::ParentMoved
        | Kind::Loop
        | Kind::Partial
        | Kind::CheckFailed
        | Kind::FdExhausted
        | Kind::Residue
        | Kind::Io => E::Other,
    }
}

/// `ENFILE` and `EMFILE` have these numbers on every Unix; Windows has `ERROR_TOO_MANY_OPEN_FILES`.
fn is_fd_exhaustion(error: &io::Error) -> bool {
    match error.raw_os_error() {
        Some(23 | 24) => cfg!(unix),
        Some(4) => cfg!(windows),
        _ => false,
    }
}

/// `EUCLEAN`, Linux' word for an inode that makes no sense, has this number on most machines, and no other error has it on
/// macOS and the BSDs.
fn is_damage(error: &io::Error) -> bool {
    cfg!(unix) && error.raw_os_error() == Some(117)
}
