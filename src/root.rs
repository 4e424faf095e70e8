//! The capability: an opened directory, with the policy of its holder.
//!
//! Everything starts from the descriptor. The path that a root was opened by is used once, and kept only as the text
//! that absolute links begin with.

mod batch;
mod confined;
mod guard;
mod refused;
mod waiting;

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cap_std::AmbientAuthority;
use cap_std::fs::Dir;

use crate::confine::Threads;
use crate::error::{Error, FileKind, Kind, Result};
use crate::model::{Anchor, LinkPath, ObjectId, Policy};
use crate::recorder::Recorder;
use crate::state::{StateAccess, StateCheck, StatePlace};
use crate::sys::{self, Abilities, Access, Calls, Fault, Handle, LinkRules, Stat};

use batch::Batch;
use guard::Guard;
use refused::root_error;
use waiting::{Interrupt, LOCK_WAIT};

pub(crate) use batch::Changed;

/// The name of the state directory below the root, unless another place is given.
pub(crate) const STATE_NAME: &str = ".caplink";

/// An opened directory: the authority over the links below it.
///
/// A root is `Send + Sync` and cheap to clone. What is reached through it is below the directory that was opened,
/// wherever that directory is moved and whatever takes its path.
///
/// # Security
///
/// Whoever holds a root can do what its [`Policy`] allows. Give away a [`narrow`](Root::narrow)er one, or a
/// [`subroot`](Root::subroot). So it does not hand out its `Dir`, with which anything could be done: who needs that as well
/// opens it first, and makes the root [from a clone](Root::from_dir).
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
/// use caplink::{Policy, Root, Target};
///
/// let root = Root::from_dir(dir.try_clone()?, caplink::Policy::default())?;
/// let outcome = root.create("current", Target::verbatim("releases/1"));
/// assert_eq!(outcome.unwrap_err().kind(), caplink::Kind::Dangling);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Root {
    shared: Arc<Shared>,
    policy: Policy,
    recorders: Arc<[Arc<dyn Recorder>]>,
    side: Context,
    batch: Option<Arc<Batch>>,
    lock_wait: Duration,
    interrupt: Option<Interrupt>,
    guard: Option<Guard>,
}

/// Where a root is used: by its holder, or on a thread that the kernel confines to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Context {
    Holder,
    /// The state directory is used as it is there; one that is not below the root only if it is this one.
    Thread(Option<ObjectId>),
    /// The state directory is unavailable.
    ThreadWithoutState,
}

struct Shared {
    handle: Arc<Handle>,
    calls: Arc<dyn Calls>,
    physical: Option<PathBuf>,
    /// Where it is below the root that was opened, as an absolute path.
    image: PathBuf,
    id: ObjectId,
    state: Arc<StatePlace>,
    rules: OnceLock<LinkRules>,
    threads: Option<Threads>,
}

impl Root {
    /// Opens the directory at `path`, with the authority of the process.
    ///
    /// This is the only place where a path is looked up outside a root.
    ///
    /// # Errors
    ///
    /// `root_gone` where nothing is there, `usage` where it is no directory, `permission`, `io`.
    pub fn open_ambient(path: impl AsRef<Path>, policy: Policy, authority: AmbientAuthority) -> Result<Root> {
        let path = path.as_ref();
        let dir = Dir::open_ambient_dir(path, authority).map_err(|source| root_error(path, source))?;
        let mut root = Root::from_dir(dir, policy)?;
        root.learn_path(path);
        Ok(root)
    }

    /// Takes a directory that was opened elsewhere. Its physical path is not known, so absolute texts are outside.
    ///
    /// # Errors
    ///
    /// `usage` where it is no directory; `io` where its descriptor cannot be duplicated.
    pub fn from_dir(dir: Dir, policy: Policy) -> Result<Root> {
        let open = || -> io::Result<Root> {
            let handle = sys::root_handle(&dir)?;
            let calls = sys::calls(&handle)?;
            Root::assemble(handle, calls, policy)
        };
        open().map_err(|source| root_error(Path::new("."), source))
    }

    fn assemble(handle: Handle, calls: Arc<dyn Calls>, policy: Policy) -> io::Result<Root> {
        let Stat { id, kind, .. } = calls.stat(&handle)?;
        if kind != FileKind::Dir {
            // A `Dir` can be made of any open file.
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let handle = Arc::new(handle);
        let state = StatePlace::default_of(Arc::clone(&handle), STATE_NAME);
        let shared = Shared {
            handle,
            calls,
            physical: None,
            image: PathBuf::from("/"),
            id,
            state: Arc::new(state),
            rules: OnceLock::new(),
            threads: None,
        };
        Ok(Root {
            shared: Arc::new(shared),
            policy,
            recorders: Arc::from([]),
            side: Context::Holder,
            batch: None,
            lock_wait: LOCK_WAIT,
            interrupt: None,
            guard: None,
        })
    }

    /// A root in memory, at the absolute `path`, with the permissions of the user `uid`.
    #[cfg(all(unix, feature = "adversary"))]
    #[doc(hidden)]
    pub fn in_memory(
        world: &sys::memory::World,
        path: &str,
        uid: u32,
        abilities: Abilities,
        policy: Policy,
    ) -> io::Result<Root> {
        let (handle, calls) = sys::memory::Memory::open(world, path.trim_start_matches('/'), uid, abilities)?;
        let mut root = Root::assemble(handle, calls, policy)?;
        let shared = Arc::get_mut(&mut root.shared).expect("BUG: a root that was just made is shared");
        shared.physical = Some(path.into());
        Ok(root)
    }

    /// Keeps the physical path of the root if it still names the directory that was opened.
    fn learn_path(&mut self, path: &Path) {
        let physical = sys::physical_path(self.handle()).or_else(|| {
            let physical = path.canonicalize().ok()?;
            let named = Dir::open_ambient_dir(&physical, cap_std::ambient_authority()).ok()?;
            let same = sys::root_handle(&named).and_then(|handle| self.calls().stat(&handle));
            same.is_ok_and(|stat| stat.id == self.id()).then_some(physical)
        });
        let shared = Arc::get_mut(&mut self.shared).expect("BUG: a root that was just made is shared");
        shared.physical = physical;
    }

    /// Returns this root with what both policies allow.
    #[must_use]
    pub fn narrow(&self, policy: Policy) -> Root {
        Root { policy: self.policy.narrow(policy), ..self.clone() }
    }

    /// Returns this root with fewer abilities, to do as a weaker host would.
    #[must_use]
    pub fn with_abilities(&self, abilities: Abilities) -> Root {
        let calls = self.shared.calls.narrowed(abilities);
        self.rebuilt(|shared| shared.calls = calls)
    }

    /// Returns this root with its state directory at `name` in `parent`, made there when it is first needed.
    ///
    /// # Security
    ///
    /// Links are staged in it where others can write the link's directory. The lock is that of the link's own directory
    /// whatever the state directory is, so that all who share a link exclude each other: whoever can open that for
    /// reading can hold its lock, and edits there are `busy`.
    ///
    /// # Errors
    ///
    /// `invalid_path` where `name` is not one normal component; `io`.
    pub fn with_state(&self, parent: &Dir, name: impl AsRef<OsStr>) -> Result<Root> {
        let named = LinkPath::new(&name)?;
        if !named.parent().as_os_str().is_empty() {
            return Err(Error::new(Kind::InvalidPath).on("use", named).because("a state directory is one name"));
        }
        let io = |source| Error::from_io(source).on("open", &named);
        let base = sys::root_handle(parent).map_err(io)?;
        let below = self.path_of(&base).map_err(io)?.map(|parent| parent.join(named.as_path()));
        let state = StatePlace::new(Arc::new(base), named.name().into(), below);
        Ok(self.rebuilt(|shared| shared.state = Arc::new(state)))
    }

    /// The path below this root of an opened directory; none where it is not below, or nothing tells.
    fn path_of(&self, dir: &Handle) -> io::Result<Option<PathBuf>> {
        let id = self.calls().stat(dir)?.id;
        if id == self.id() {
            return Ok(Some(PathBuf::new()));
        }
        let physical = self.physical_path().zip(sys::physical_path(dir));
        let Some(path) = physical.and_then(|(root, dir)| Some(dir.strip_prefix(root).ok()?.to_path_buf())) else {
            return Ok(None);
        };
        // The root may have been moved, and something else has its path.
        let there = self.calls().open_dir(self.handle(), &path, false, Access::Search);
        let is_it = there.and_then(|there| self.calls().stat(&there)).is_ok_and(|there| there.id == id);
        Ok(is_it.then_some(path))
    }

    fn rebuilt(&self, change: impl FnOnce(&mut Shared)) -> Root {
        let old = &self.shared;
        let mut shared = Shared {
            handle: Arc::clone(&old.handle),
            calls: Arc::clone(&old.calls),
            physical: old.physical.clone(),
            image: old.image.clone(),
            id: old.id,
            state: Arc::clone(&old.state),
            rules: OnceLock::new(),
            threads: old.threads.as_ref().map(Threads::for_another),
        };
        change(&mut shared);
        Root { shared: Arc::new(shared), ..self.clone() }
    }

    /// Returns this root with one more recorder, which is asked and informed about every change made through it.
    ///
    /// # Security
    ///
    /// A recorder cannot be removed again: whoever is handed the root is recorded by it.
    #[must_use]
    pub fn recorded_by(&self, recorder: Arc<dyn Recorder>) -> Root {
        let recorders = self.recorders.iter().cloned().chain([recorder]).collect();
        Root { recorders, ..self.clone() }
    }

    /// Returns the policy of this holder.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// Returns what this host lets be done here; found by trying, at the first need.
    pub fn abilities(&self) -> Abilities {
        self.calls().abilities(self.handle())
    }

    /// Returns device and inode of the opened directory.
    pub fn id(&self) -> ObjectId {
        self.shared.id
    }

    /// Returns the physical path at the time of opening, where the root was opened by path.
    pub fn physical_path(&self) -> Option<&Path> {
        self.shared.physical.as_deref()
    }

    /// Returns the path that an absolute text begins with if it leads below this root: the physical path, where that is
    /// known; of a root that is meant as a root directory ([`Policy::rooted`]) `/`, and below it the path from there.
    pub fn text_root(&self) -> Option<&Path> {
        self.anchor().path
    }

    /// What texts are read by.
    pub(crate) fn anchor(&self) -> Anchor<'_> {
        match self.policy.rooted {
            true => Anchor { path: Some(&self.shared.image), is_top: self.shared.image.parent().is_none() },
            false => Anchor::physical(self.physical_path()),
        }
    }

    /// Looks at the state directory, without making it.
    pub fn check_state(&self) -> StateCheck {
        self.state().check(self.calls())
    }

    /// A root at a directory below this one, with the same policy and recorders.
    ///
    /// The state directory stays that of this root, out of the reach of whoever writes below the narrower one.
    pub(crate) fn at(&self, handle: Handle, physical: &Path) -> io::Result<Root> {
        let shared = Shared {
            id: self.calls().stat(&handle)?.id,
            handle: Arc::new(handle),
            calls: Arc::clone(&self.shared.calls),
            physical: self.physical_path().map(|root| root.join(physical)),
            image: self.shared.image.join(physical),
            state: Arc::new(self.state().elsewhere()),
            rules: OnceLock::new(),
            threads: self.shared.threads.as_ref().map(Threads::for_another),
        };
        Ok(Root { shared: Arc::new(shared), ..self.clone() })
    }

    /// Returns whether anybody is asked before changes are made through this root, or informed after them.
    pub fn is_recorded(&self) -> bool {
        !self.recorders.is_empty()
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.shared.handle
    }

    pub(crate) fn shared_handle(&self) -> Arc<Handle> {
        Arc::clone(&self.shared.handle)
    }

    pub(crate) fn calls(&self) -> &dyn Calls {
        &*self.shared.calls
    }

    pub(crate) fn state(&self) -> &StatePlace {
        &self.shared.state
    }

    pub(crate) fn recorders(&self) -> &[Arc<dyn Recorder>] {
        &self.recorders
    }

    /// Opens the state directory for an edit; creates it if permitted.
    pub(crate) fn open_state(&self) -> Result<StateAccess> {
        match self.side {
            Context::Holder => Ok(self.state().open(self.calls())?.map_or(StateAccess::Unavailable, StateAccess::Open)),
            Context::Thread(within) => self.state().open_within(self.calls(), within),
            Context::ThreadWithoutState => Ok(StateAccess::Unavailable),
        }
    }

    /// The rules for links on the root's own mount.
    pub(crate) fn link_rules(&self) -> LinkRules {
        *self.shared.rules.get_or_init(|| self.calls().link_rules(self.handle()).unwrap_or_default())
    }

    /// Turns "not there" into `root_gone` where the root itself was removed; a target below it is missing as well.
    pub(crate) fn or_gone(&self, error: Error) -> Error {
        if !matches!(error.kind(), Kind::NotFound | Kind::Dangling) {
            return error;
        }
        if self.is_gone() { error.with_kind(Kind::RootGone).because("the root directory was removed") } else { error }
    }

    /// Whether the root itself was removed.
    pub(crate) fn is_gone(&self) -> bool {
        match self.calls().stat(self.handle()) {
            Ok(stat) => stat.links == 0,
            Err(source) => sys::fault(&source) == Fault::Missing,
        }
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Root")
            .field("id", &self.shared.id)
            .field("path", &self.shared.physical)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// The state directory and what is in it are no links of the caller's.
pub(crate) fn not_state(root: &Root, physical: &Path) -> Result<()> {
    if is_state(root, physical) {
        return Err(Error::new(Kind::Policy).because("this name belongs to the state directory"));
    }
    Ok(())
}

/// Whether a path of this root leads into its own state directory.
fn is_state(root: &Root, path: &Path) -> bool {
    root.state().holds(path)
}
