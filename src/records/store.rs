//! The records of a root: found, made, shown, bound to another root, and asked.

use std::ffi::OsStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::actor::Actor;
use super::author::Author;
use super::entry::{Body, EntryKind, FORMAT, Founding, Renewed, Settings, Settled};
use super::head::Head;
use super::identity::{RootIdentity, Strength};
use super::index::INDEX_NAME;
use super::log::Log;
use super::log_file::{LOG_NAME, damaged, io};
use super::many::Many;
use super::mutation::MutationRoot;
use super::recovered::Recovered;
use super::state::Pending;
use super::time::Time;
use super::tree::Hash;
use super::{marker, private};
use crate::error::{Error, Kind, Result};
use crate::root::Root;
use crate::sys::{self, Fault, FileUse, Handle, OpenFile};
use crate::wire::Text;

/// How long another holder of the log's lock is waited for, unless something else is said.
pub(super) const WAIT: Duration = Duration::from_secs(1);

/// The records of a root.
///
/// They are cheap to clone, and can be used by several threads.
///
/// # Platform-specific behavior
///
/// A child that was forked can go on with them, as its parent does: it opens the log anew for what it appends. That is so
/// where no other thread of the parent was in one of their calls at the moment of the fork; otherwise they wait for that
/// thread for ever, as every lock does, and the child is to open records of its own.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
/// # dir.create_dir("v1")?;
/// use caplink::records::{Author, Query, Records, Settings};
/// use caplink::{Policy, Root, Target};
///
/// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
/// let author = Author::new(Default::default(), Some("first rollout"))?;
/// let (records, _) = Records::init(&root, Settings::default(), &author)?;
///
/// let recorded = root.recorded(&records, author);
/// let _ = recorded.ensure("current", Target::relative("v1"))?;
///
/// let mut log = Vec::new();
/// records.mutations(&Query::default().link("current")?, &mut |mutation| {
///     log.push(format!("{} {}", mutation.verb, mutation.outcome));
///     true
/// })?;
/// assert_eq!(log, ["ensure created"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Records {
    shared: Arc<Shared>,
    wait: Duration,
}

struct Shared {
    root: Root,
    /// The state directory.
    dir: Handle,
    log: Mutex<Log>,
    /// What was settled on the way, and nobody asked for yet.
    settled: Mutex<Vec<Recovered>>,
}

/// What making records, or setting them, came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// There were none.
    Initialised,
    /// They were so already.
    Unchanged,
    /// They have other settings now.
    Set,
}

impl Records {
    /// Opens the records of a root; `None` if it has none.
    ///
    /// # Security
    ///
    /// The state directory must be one that only the caller can enter, and every directory above it one in which nobody
    /// but the caller and the superuser can rename anything.
    ///
    /// # Errors
    ///
    /// `unsafe_state` where others can change the state directory or the way to it; `integrity` where the records are
    /// damaged, or those of another root.
    pub fn open(root: &Root) -> Result<Option<Records>> {
        let records = Records::open_of_any_root(root)?;
        if let Some(records) = &records {
            records.log().is_of(&RootIdentity::of(root)?)?;
        }
        Ok(records)
    }

    /// Opens the records for a mutation: where the root says that it has some, they must be these.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Records::open); `unsafe_state` where the root has records in another state directory.
    pub fn open_for_mutation(root: &Root) -> Result<Option<Records>> {
        let records = Records::open(root)?;
        marker::check(root, records.as_ref().map(Records::id).as_deref())?;
        Ok(records)
    }

    /// Opens the records, which need not be those of this root.
    pub(super) fn open_of_any_root(root: &Root) -> Result<Option<Records>> {
        let Some(dir) = open_state(root)? else { return Ok(None) };
        let Some(log) = Log::open(root.calls(), &dir)? else {
            // An index begins after its log, and is worth nothing without it.
            return match root.calls().stat_at(&dir, OsStr::new(INDEX_NAME)) {
                Ok(_) => Err(damaged(0, "the log is gone, and an index of it is there")),
                Err(_) => Ok(None),
            };
        };
        private::check_way(root, &dir)?;
        Ok(Some(Records::of(root, dir, log)))
    }

    fn of(root: &Root, dir: Handle, log: Log) -> Records {
        let settled = Mutex::default();
        Records { shared: Arc::new(Shared { root: root.clone(), dir, log: Mutex::new(log), settled }), wait: WAIT }
    }

    /// Makes the records of a root, or gives them other settings.
    ///
    /// # Durability
    ///
    /// They survive a power cut once this returns.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Records::open); `permission`, `read_only`, `no_space`, `busy`, `io`.
    pub fn init(root: &Root, settings: Settings, author: &Author) -> Result<(Records, Made)> {
        let (records, made) = match Records::open(root)? {
            Some(records) => (records, None),
            None => Records::found(root, settings, author)?,
        };
        let made = match made {
            Some(made) => made,
            // Another program made them, before or meanwhile.
            None => records.set(settings, author)?,
        };
        marker::leave(root, &records.id())?;
        Ok((records, made))
    }

    /// Writes the first entry of a new log. Nothing is made where another program made one meanwhile.
    fn found(root: &Root, settings: Settings, author: &Author) -> Result<(Records, Option<Made>)> {
        let calls = root.calls();
        let cannot =
            || Error::new(Kind::Permission).during("make the records").because("the state directory cannot be made");
        let state = root.state().make(calls).map_err(|error| error.during("make the records"))?.ok_or_else(cannot)?;
        let found = Records::found_in(root, &state.dir, settings, author);
        if found.is_err() && state.made {
            // What is refused leaves nothing; where somebody else uses it by now it is not empty.
            let _kept = calls.remove_dir(&root.state().base, &state.name);
        }
        let made = found?;
        let log = Log::open(calls, &state.dir)?.ok_or_else(|| damaged(0, "the log is gone again"))?;
        log.is_of(&RootIdentity::of(root)?)?;
        Ok((Records::of(root, state.dir, log), made))
    }

    fn found_in(root: &Root, state: &Handle, settings: Settings, author: &Author) -> Result<Option<Made>> {
        let calls = root.calls();
        private::check_way(root, state)?;
        let founding = Founding::of(root, settings, author, None)?;
        let head = Head {
            seq: 0,
            entry: EntryKind::Records,
            prev: Hash::of_nothing(),
            time: Time::now(),
            base: 0,
            settings_at: 0,
        };
        let new = format!("log-{:032x}.new", calls.random().map_err(io)?);
        let file = calls.open_file(state, OsStr::new(&new), FileUse::WriteNew).map_err(io)?;
        let written = file.append(&head.line(&Body::Records(Box::new(founding)))).and_then(|()| file.sync());
        let names = ((state, OsStr::new(&new)), (state, OsStr::new(LOG_NAME)));
        let named = written.and_then(|()| match calls.rename_new(names.0, names.1) {
            Err(source) if sys::fault(&source) == Fault::Unsupported => {
                calls.hard_link(names.0, names.1).and_then(|()| calls.unlink(names.0.0, names.0.1))
            }
            named => named,
        });
        let made = match named {
            Ok(()) => Some(Made::Initialised),
            Err(source) => {
                let _gone = calls.unlink(names.0.0, names.0.1);
                match sys::fault(&source) {
                    Fault::Exists => None,
                    _ => return Err(io(source)),
                }
            }
        };
        calls.sync_dir(state).map_err(io)?;
        if let Ok(above) = calls.open_dir(&root.state().base, OsStr::new("").as_ref(), true, sys::Access::Read) {
            calls.sync_dir(&above).map_err(io)?;
        }
        Ok(made)
    }

    fn set(&self, settings: Settings, author: &Author) -> Result<Made> {
        let numbers = self.append(|log| {
            if log.settled().settings == settings {
                return Ok(Vec::new());
            }
            let settled = Settled { settings, outcome: "initialised".to_owned(), ..log.settled().clone() };
            Ok(vec![Body::Settings(Box::new(author.of(settled)))])
        })?;
        Ok(if numbers.is_empty() { Made::Unchanged } else { Made::Set })
    }

    /// Binds the records to this root, which was moved or restored. Returns whether it was another one until now.
    ///
    /// # Errors
    ///
    /// `no_records`; those of [`open`](Records::open), but for the records being those of another root.
    pub fn rebind(root: &Root, author: &Author) -> Result<(Records, bool)> {
        let none = || Error::new(Kind::NoRecords).during("rebind the records");
        let records = Records::open_of_any_root(root)?.ok_or_else(none)?;
        let identity = RootIdentity::of(root)?;
        let numbers = records.append(|log| {
            let old = log.settled();
            if old.root == identity {
                return Ok(Vec::new());
            }
            let path = root.physical_path().map(Text::new);
            let settled = Settled { root: identity, path, outcome: "rebound".to_owned(), ..old.clone() };
            Ok(vec![Body::Settings(Box::new(author.of(settled)))])
        })?;
        if records.shared.root.state().below.is_none() {
            marker::leave(root, &records.id())?;
        }
        Ok((records, !numbers.is_empty()))
    }

    /// Opens the records as [`rebind`](Records::rebind) would bind them, and returns whether that would change anything.
    ///
    /// # Errors
    ///
    /// Those of [`rebind`](Records::rebind) that do not come from writing.
    pub fn rebindable(root: &Root) -> Result<(Records, bool)> {
        let none = || Error::new(Kind::NoRecords).during("rebind the records");
        let records = Records::open_of_any_root(root)?.ok_or_else(none)?;
        let moved = records.log().settled().root != RootIdentity::of(root)?;
        Ok((records, moved))
    }

    /// Returns the root that they belong to.
    #[must_use]
    pub fn root_shown(&self) -> MutationRoot {
        MutationRoot::of(self.log().settled())
    }

    /// Returns these records with another wait for their lock.
    #[must_use]
    pub fn waiting(&self, wait: Duration) -> Records {
        Records { shared: Arc::clone(&self.shared), wait }
    }

    /// Returns their id.
    #[must_use]
    pub fn id(&self) -> String {
        self.log().founding.id.clone()
    }

    /// Returns the settings that hold.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.log().settled().settings
    }

    /// Returns how sure it is that the root is the one they were made for.
    #[must_use]
    pub fn identity(&self) -> Strength {
        self.log().settled().root.strength()
    }

    /// Returns the number of entries, the length of the log in bytes, and the number of open groups.
    ///
    /// # Errors
    ///
    /// `integrity`, `io`.
    pub fn extent(&self) -> Result<(u64, u64, u64)> {
        let mut log = self.log();
        log.refresh()?;
        let groups = log.state.open.values().filter(|opened| matches!(opened.what, Pending::Group(_))).count();
        Ok((log.state.seq, log.state.end, groups as u64))
    }

    pub(super) fn dir(&self) -> &Handle {
        &self.shared.dir
    }

    pub(super) fn root(&self) -> &Root {
        &self.shared.root
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        // What a panic left half-way is read anew before it is used.
        self.shared.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was settled on the way, and nobody asked for yet.
    pub(super) fn settled(&self) -> MutexGuard<'_, Vec<Recovered>> {
        self.shared.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends what `decide` says, and then these. Returns the numbers of the former and of the first of the latter, and the
    /// file that is to be synced.
    pub(super) fn append_only(
        &self,
        decide: impl FnOnce(&Log) -> Result<Vec<Body>>,
        many: Many<'_>,
    ) -> Result<(Vec<u64>, Arc<OpenFile>)> {
        let mut log = self.log();
        let numbers = log.append(&self.shared.root, &self.shared.dir, self.wait, decide, many)?;
        Ok((numbers, Arc::clone(log.file())))
    }
}

/// Whether a log is in the state directory, whatever that is like. One that the caller cannot reach is somebody else's.
pub(super) fn is_log_there(root: &Root) -> bool {
    let log = std::path::Path::new(&root.state().name).join(LOG_NAME);
    match root.calls().reach_entry(&root.state().base, &log, true) {
        Ok(_) => true,
        Err(source) => {
            !matches!(sys::fault(&source), Fault::Missing | Fault::NotDirectory | Fault::Link | Fault::Denied)
        }
    }
}

/// The state directory, if it is there and may hold records.
pub(super) fn open_state(root: &Root) -> Result<Option<Handle>> {
    let calls = root.calls();
    // Most roots have none, and are to learn that by one look.
    if calls.stat_at(&root.state().base, &root.state().name).is_err_and(|source| sys::fault(&source) == Fault::Missing)
    {
        return Ok(None);
    }
    match root.state().open_there(calls) {
        Ok(there) => Ok(there.map(|there| there.dir)),
        // Where it is not private but holds no records, only what needs it is refused.
        Err(error) if error.kind() == Kind::UnsafeState => match is_log_there(root) {
            true => Err(error.during("use the records")),
            false => Ok(None),
        },
        Err(error) => Err(error.during("use the records")),
    }
}

impl Founding {
    /// What the first entry of new records says.
    pub(super) fn of(root: &Root, settings: Settings, author: &Author, renewed: Option<Renewed>) -> Result<Founding> {
        let outcome = if renewed.is_some() { "renewed" } else { "initialised" };
        let settled = Settled {
            outcome: outcome.to_owned(),
            root: RootIdentity::of(root)?,
            path: root.physical_path().map(Text::new),
            settings,
            reason: author.reason.clone(),
            actor: Actor::clone(&author.actor),
        };
        let id = root.calls().random().map_err(io)?;
        Ok(Founding { format: FORMAT, id: format!("{id:032x}"), settled, renewed })
    }
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records").field("root", &self.shared.root).finish_non_exhaustive()
    }
}
