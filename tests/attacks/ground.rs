//! The tree of a case: a root, a canary beside it, and the invariants around every operation.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use caplink::{Effect, Error, Kind, Outcome, Policy, Root};
use tempfile::TempDir;

use super::backend::{BACKENDS, Backend, refuse, run};
use super::privileges::as_nobody;
use super::support::environment::word;
use super::support::file_systems::{is_root, own_mounts};
use super::support::ground::ground;
use super::support::snapshot::{Tree, residue, tree, without_directory_times};
use super::support::table::{Row, left_out};

/// The bound of one operation on a handful of entries, whatever they are.
const BOUND: Duration = Duration::from_secs(2);

/// Descriptors are counted, so one case runs at a time.
static TURN: Mutex<()> = Mutex::new(());

pub(crate) fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs the case on every backend, each on a new tree.
pub(crate) fn on_every_backend(id: &'static str, case: fn(&Case)) {
    on_backends(id, BACKENDS, case);
}

pub(crate) fn on_backends(id: &'static str, backends: &'static [Backend], case: fn(&Case)) {
    let _turn = turn();
    for backend in backends.iter().filter(|backend| is_asked_for(backend)) {
        let row = Row::begin(id, backend.name);
        run(move || {
            refuse(backend.refused);
            case(&Case::new(*backend));
        });
        row.held("");
    }
}

/// `CAPLINK_BACKENDS=few` leaves out what does not depend on the file system.
fn is_asked_for(backend: &Backend) -> bool {
    word("CAPLINK_BACKENDS", &["few"]).is_none() || ["native", "neither"].contains(&backend.name)
}

/// Runs the case as root on each of these backends, on a thread with its own mount namespace.
pub(crate) fn with_mounts(id: &'static str, backends: &'static [Backend], case: fn(&Case)) {
    if !is_root() {
        return left_out(id, "only root mounts");
    }
    let _turn = turn();
    for backend in backends {
        let row = Row::begin(id, backend.name);
        run(move || {
            own_mounts();
            refuse(backend.refused);
            case(&Case::new(*backend));
        });
        row.held("");
    }
}

/// Runs the case as root on every backend, in a tree that other users may enter.
pub(crate) fn with_users(id: &'static str, case: fn(&Case)) {
    if !is_root() {
        return left_out(id, "only root becomes another user");
    }
    on_every_backend(id, case);
}

/// Who opens the root and acts: the caller or another user, with a policy.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Holder {
    pub(crate) policy: Policy,
    pub(crate) nobody: bool,
}

impl From<Policy> for Holder {
    fn from(policy: Policy) -> Holder {
        Holder { policy, nobody: false }
    }
}

pub(crate) struct Case {
    pub(crate) backend: Backend,
    base: PathBuf,
    _dir: TempDir,
}

impl Case {
    pub(super) fn new(backend: Backend) -> Case {
        let dir = tempfile::Builder::new()
            .prefix("attack-")
            .permissions(fs::Permissions::from_mode(0o755))
            .tempdir_in(ground())
            .expect("the ground is writable");
        let base = dir.path().canonicalize().expect("the ground is there");
        for path in ["root", "canary", "canary/sub"] {
            fs::create_dir(base.join(path)).expect("a new directory");
        }
        for path in ["canary/secret", "canary/x", "canary/sub/x"] {
            fs::write(base.join(path), format!("the secret of {path}")).expect("a new file");
        }
        symlink("secret", base.join("canary/current")).expect("a new link");
        symlink("/nowhere", base.join("canary/broken")).expect("a new link");
        Case { backend, base, _dir: dir }
    }

    /// A path on the ground: `root`, `canary` and what a case adds beside them.
    pub(crate) fn on_ground(&self, path: impl AsRef<Path>) -> PathBuf {
        self.base.join(path)
    }

    pub(crate) fn canary(&self) -> PathBuf {
        self.base.join("canary")
    }

    /// A path below the root as the test sees it.
    pub(crate) fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.base.join("root").join(path)
    }

    pub(crate) fn dir(&self, path: impl AsRef<Path>) {
        fs::create_dir_all(self.at(path)).expect("a new directory");
    }

    pub(crate) fn file(&self, path: impl AsRef<Path>) {
        let path = self.at(path);
        fs::write(&path, format!("what is in {}", path.display())).expect("a new file");
    }

    pub(crate) fn link(&self, path: impl AsRef<Path>, text: impl AsRef<Path>) {
        symlink(text, self.at(path)).expect("a new link");
    }

    pub(crate) fn text(&self, path: impl AsRef<Path>) -> Option<PathBuf> {
        fs::read_link(self.at(path)).ok()
    }

    /// Every name below the root.
    pub(crate) fn names(&self) -> Vec<String> {
        let names = tree(&self.at("")).into_keys().map(|path| path.display().to_string());
        names.filter(|name| !name.is_empty()).collect()
    }

    pub(crate) fn open(&self, policy: Policy) -> Root {
        let authority = cap_std::ambient_authority();
        let root = Root::open_ambient(self.at(""), policy, authority).expect("the root is opened");
        self.backend.take(root)
    }

    /// Runs one operation on a root with the default policy, and checks the invariants around it.
    pub(crate) fn watch<T: Send>(&self, op: impl FnOnce(&Root) -> T + Send) -> T {
        self.watch_as(Policy::default(), op)
    }

    pub(crate) fn watch_as<T: Send>(&self, holder: impl Into<Holder>, op: impl FnOnce(&Root) -> T + Send) -> T {
        let holder = holder.into();
        let name = self.backend.name;
        let (root_before, canary_before) = (tree(&self.at("")), tree(&self.canary()));
        let open_before = descriptors();
        let act = || {
            let root = self.open(holder.policy);
            let begun = Instant::now();
            let result = op(&root);
            let took = begun.elapsed();
            assert!(took < BOUND, "{name}: it took {took:?}");
            result
        };
        let result = if holder.nobody { as_nobody(act) } else { act() };
        assert_eq!(open_before, descriptors(), "{name}: leaked");
        assert_eq!(tree(&self.canary()), canary_before, "{name}: the canary was touched");
        let root_after = tree(&self.at(""));
        assert!(residue(&root_after).is_empty(), "{name}: residue: {:?}", residue(&root_after));
        let (had, has) = (inventory(&root_before), inventory(&root_after));
        for (id, was) in had {
            assert_eq!(has.get(&id), Some(&was), "{name}: what is no link was lost or changed");
        }
        result
    }

    /// An operation that must fail with this kind and change nothing at all.
    pub(crate) fn refused<T: Send>(&self, kind: Kind, op: impl FnOnce(&Root) -> Result<T, Error> + Send) -> Error {
        self.refused_as(Policy::default(), kind, op)
    }

    pub(crate) fn refused_as<T: Send>(
        &self,
        holder: impl Into<Holder>,
        kind: Kind,
        op: impl FnOnce(&Root) -> Result<T, Error> + Send,
    ) -> Error {
        let before = without_directory_times(tree(&self.at("")));
        let error = match self.watch_as(holder, op) {
            Ok(_) => panic!("{}: it succeeded, expected {kind}", self.backend.name),
            Err(error) => error,
        };
        assert_eq!(error.kind(), kind, "{}: {error}", self.backend.name);
        assert!(error.left().is_empty() && error.preserved().is_empty(), "{error:?}");
        assert_eq!(without_directory_times(tree(&self.at(""))), before, "{}: {error}", self.backend.name);
        error
    }

    /// An operation that must succeed; its report is compared with the disk.
    pub(crate) fn done(&self, op: impl FnOnce(&Root) -> Result<Outcome, Error> + Send) -> Outcome {
        self.done_as(Policy::default(), op)
    }

    pub(crate) fn done_as(
        &self,
        holder: impl Into<Holder>,
        op: impl FnOnce(&Root) -> Result<Outcome, Error> + Send,
    ) -> Outcome {
        self.done_beside(holder.into(), &[], op)
    }

    /// The same where the link has these other names as well, whose count changes with it.
    pub(crate) fn done_names(
        &self,
        others: &[&str],
        op: impl FnOnce(&Root) -> Result<Outcome, Error> + Send,
    ) -> Outcome {
        self.done_beside(Policy::default().into(), others, op)
    }

    fn done_beside(
        &self,
        holder: Holder,
        others: &[&str],
        op: impl FnOnce(&Root) -> Result<Outcome, Error> + Send,
    ) -> Outcome {
        let before = tree(&self.at(""));
        let outcome = match self.watch_as(holder, op) {
            Ok(outcome) => outcome,
            Err(error) => panic!("{}: {error} ({error:?})", self.backend.name),
        };
        self.is_true(&outcome, &before, others);
        outcome
    }

    /// What was reported is on disk, and nothing else changed.
    fn is_true(&self, outcome: &Outcome, before: &Tree, others: &[&str]) {
        let name = self.backend.name;
        assert!(outcome.verified && outcome.shortfalls.is_empty(), "{name}: {outcome:?}");
        let after = tree(&self.at(""));
        let at = outcome.physical.as_deref().unwrap_or(outcome.link.as_path());
        let node = |tree: &Tree| tree.get(at).cloned();
        let text = |tree: &Tree| node(tree).and_then(|node| node.text);
        let (had, has) = (text(before), text(&after));
        match outcome.effect {
            Effect::Created => assert_eq!((&had, &has), (&None, &outcome.target), "{name}: {outcome:?}"),
            Effect::Replaced | Effect::Exchanged => {
                assert_eq!((&had, &has), (&outcome.previous, &outcome.target), "{name}: {outcome:?}");
                assert_ne!(node(before).map(|n| n.id), node(&after).map(|n| n.id), "{name}: {outcome:?}");
            }
            Effect::Unchanged => assert_eq!(node(before), node(&after), "{name}: {outcome:?}"),
            Effect::Removed => assert_eq!((&had, &has), (&outcome.previous, &None), "{name}: {outcome:?}"),
            _ => panic!("{name}: {outcome:?}"),
        }
        let mut touched: Vec<&Path> = vec![at];
        touched.extend(outcome.backup.iter().chain(&outcome.made).map(PathBuf::as_path));
        touched.extend(others.iter().map(Path::new));
        let (before, after) = (without_directory_times(before.clone()), without_directory_times(after));
        for path in before.keys().chain(after.keys()) {
            let same = before.get(path) == after.get(path);
            let moved = outcome.backup.as_ref().is_some_and(|to| path.starts_with(to));
            let moved = moved || (outcome.backup.is_some() && path.starts_with(at));
            assert!(touched.contains(&path.as_path()) || moved || same, "{name}: {path:?} changed: {outcome:?}");
        }
    }
}

/// Everything that is no link, by identity: mode and content.
pub(crate) type Inventory = BTreeMap<(u64, u64), (u32, Option<Vec<u8>>)>;

pub(crate) fn inventory(tree: &Tree) -> Inventory {
    let others = tree.values().filter(|node| node.text.is_none());
    others.map(|node| (node.id, (node.mode, node.content.clone()))).collect()
}

/// The open descriptors.
pub(crate) fn descriptors() -> BTreeMap<String, PathBuf> {
    let mut open = BTreeMap::new();
    for entry in fs::read_dir("/proc/self/fd").expect("proc is mounted").flatten() {
        let fd = entry.file_name().into_string().expect("a number");
        // The listing itself has a descriptor, which is gone by now.
        let Ok(what) = fs::read_link(format!("/proc/self/fd/{fd}")) else { continue };
        if what != Path::new(&format!("/proc/{}/fd", std::process::id())) {
            open.insert(fd, what);
        }
    }
    open
}

/// The component that an error names.
pub(crate) fn component(error: &Error) -> Option<(&OsStr, usize)> {
    error.component().map(|component| (component.name.as_os_str(), component.index))
}

/// The inode of an entry itself.
pub(crate) fn inode(path: impl AsRef<Path>) -> u64 {
    fs::symlink_metadata(path).expect("the entry is there").ino()
}
