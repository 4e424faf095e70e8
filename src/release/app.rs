//! An app: its name, where its link and releases are, and what is run around a switch.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::checks::{Check, CheckContext};
use super::layout::AppLayout;
use super::ledgers::Ledgers;
use super::noted::Layout;
use super::progress::Progress;
use crate::error::{Error, Kind, Result};
use crate::manifest::{App, SharedLink};
use crate::model::{Durability, LinkPath, Place};
use crate::records::{Author, Records};
use crate::root::Root;

/// How long another mutation of the app is waited for, unless something else is said.
const WAIT: Duration = Duration::from_secs(1);

/// How long a release is left alone after its state changed, unless something else is said.
const GRACE: Duration = Duration::from_secs(10 * 60);

/// How many confirmed good releases are kept, unless something else is said.
const KEEP: usize = 5;

/// The longest name of an app, in bytes.
const NAME_MAX: usize = 64;

/// The releases of an app: a directory of them, and a link to the active one.
///
/// What becomes of each is kept in the records of the root. Looking takes no lock and writes nothing; of the mutations of
/// one app there is one at a time.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
/// # dir.create_dir_all("releases/41")?;
/// # dir.create_dir_all("releases/42")?;
/// use caplink::manage::{Check, Deploy, Releases, Rollback};
/// use caplink::{Policy, Root};
///
/// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
/// let releases = Releases::open(&root, "default")?;
/// releases.deploy("41", &Deploy::default())?;
///
/// let healthy = Check::closure("healthy", |context| match context.release {
///     "41" => Ok(()),
///     other => Err(format!("{other} does not answer")),
/// });
/// let releases = releases.check_after(vec![healthy]);
/// let failed = releases.deploy("42", &Deploy::default()).unwrap_err();
/// assert_eq!(failed.error().kind(), caplink::Kind::CheckFailed);
/// assert_eq!(releases.look()?.release.as_deref(), Some("41"), "it was switched back");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Releases {
    pub(super) root: Root,
    pub(super) name: String,
    current: Option<LinkPath>,
    releases: Option<PathBuf>,
    pub(super) author: Author,
    pub(super) wait: Duration,
    pub(super) durability: Durability,
    pub(super) progress: Arc<dyn Progress>,
    pub(super) dry: bool,
    /// How many are kept after a deploy; none: nothing is pruned.
    pub(super) keep: Option<usize>,
    pub(super) grace: Duration,
    pub(super) check_before: Vec<Check>,
    pub(super) check_after: Vec<Check>,
    pub(super) after_switch: Vec<Check>,
    pub(super) check_timeout: Duration,
    pub(super) check_retries: u32,
    pub(super) check_interval: Duration,
    pub(super) shared: Vec<SharedLink>,
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {
        $($(#[$doc])* #[must_use] pub fn $name(mut self, $name: $type) -> Releases {
            self.$name = $name;
            self
        })*
    };
}

impl Releases {
    /// Takes the app of this name. Nothing is looked at yet.
    ///
    /// # Errors
    ///
    /// `usage` where the name is none: 1 to 64 of `a-z`, `0-9`, `.`, `_`, `-`, beginning with a letter or digit.
    pub fn open(root: &Root, app: &str) -> Result<Releases> {
        let allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-');
        let begins = app.bytes().next().is_some_and(|first| first.is_ascii_lowercase() || first.is_ascii_digit());
        if !begins || !app.bytes().all(allowed) || app.len() > NAME_MAX {
            let reason = format!("`{}` is no name of an app", crate::error::printable(app));
            return Err(Error::new(Kind::Usage).during("use").because(reason));
        }
        Ok(Releases {
            root: root.clone(),
            name: app.to_owned(),
            current: None,
            releases: None,
            author: Author::default(),
            wait: WAIT,
            durability: Durability::Dir,
            progress: Arc::new(()),
            dry: false,
            keep: None,
            grace: GRACE,
            check_before: Vec::new(),
            check_after: Vec::new(),
            after_switch: Vec::new(),
            check_timeout: Duration::from_secs(30),
            check_retries: 0,
            check_interval: Duration::from_secs(1),
            shared: Vec::new(),
        })
    }

    setters! {
        /// Sets who makes changes and why.
        author: Author;
        /// Sets what survives a power cut, of the links; the records always do.
        durability: Durability;
        /// Sets how long a release is left alone after its state changed; 10 minutes, unless something else is said.
        grace: Duration;
        /// Sets what has to pass before a deploy switches.
        check_before: Vec<Check>;
        /// Sets what has to pass after a switch.
        check_after: Vec<Check>;
        /// Sets what is run after a switch, before it is checked.
        after_switch: Vec<Check>;
        /// Sets how long a program may take that is a check or hook, each time. A closure is not ended: it has to keep its own
        /// time.
        check_timeout: Duration;
        /// Sets how often `check_after` is tried again.
        check_retries: u32;
        /// Sets how long is waited before each new try.
        check_interval: Duration;
    }

    /// Sets how many confirmed good releases are kept after a deploy. Unless it is set a deploy prunes nothing.
    #[must_use]
    pub fn keep(mut self, keep: usize) -> Releases {
        self.keep = Some(keep);
        self
    }

    /// Sets how long another mutation of the app is waited for.
    #[must_use]
    pub fn lock_timeout(mut self, wait: Duration) -> Releases {
        self.wait = wait;
        self
    }

    /// Sets who is informed of what is done while it is done.
    #[must_use]
    pub fn progress(mut self, progress: Arc<dyn Progress>) -> Releases {
        self.progress = progress;
        self
    }

    /// Sets whether everything is decided and nothing changed. No program is started then; checks are taken to pass.
    #[must_use]
    pub fn dry_run(mut self, dry: bool) -> Releases {
        self.dry = dry;
        self
    }

    /// Sets the link, which is `current` unless the ledger or this says something else.
    #[must_use]
    pub fn current(mut self, link: LinkPath) -> Releases {
        self.current = Some(link);
        self
    }

    /// Sets the directory of the releases, which is `releases` unless the ledger or this says something else.
    ///
    /// # Errors
    ///
    /// Those of a path below the root.
    pub fn releases(mut self, dir: impl AsRef<Path>) -> Result<Releases> {
        self.releases = Some(Place::new(dir.as_ref()).map_err(|error| error.during("use"))?.path);
        Ok(self)
    }

    /// Takes what a manifest says about the app, but for what was set already of its layout.
    #[must_use]
    pub fn settings(mut self, app: &App) -> Releases {
        let programs = |of: &[Vec<String>]| of.iter().cloned().map(Check::Program).collect();
        self.current = self.current.or_else(|| app.current.clone());
        self.releases = self.releases.or_else(|| app.releases.clone());
        self.keep = app.keep.map(|keep| keep as usize).or(self.keep);
        self.grace = app.grace.unwrap_or(self.grace);
        self.check_before = programs(&app.check_before);
        self.check_after = programs(&app.check_after);
        self.after_switch = programs(&app.after_switch);
        self.check_timeout = app.check_timeout;
        self.check_retries = app.check_retries;
        self.check_interval = app.check_interval;
        self.shared.clone_from(&app.shared);
        self
    }

    /// Returns the name of the app.
    #[must_use]
    pub fn app(&self) -> &str {
        &self.name
    }

    /// How many are kept when pruning is asked for.
    pub(super) fn kept(&self) -> usize {
        self.keep.unwrap_or(KEEP)
    }

    /// Where the link and the releases are: as the ledger says; what was set must not be something else.
    pub(super) fn layout(&self, known: Option<&Layout>) -> Result<AppLayout> {
        let default = || LinkPath::new("current");
        let Some(known) = known else {
            let current = self.current.clone().map_or_else(default, Ok)?;
            let releases = self.releases.clone().unwrap_or_else(|| "releases".into());
            return Ok(AppLayout { current, releases });
        };
        let layout = AppLayout { current: LinkPath::new(&known.current)?, releases: known.releases() };
        let other = |what: &str, set: &Path, known: &Path| {
            let shown = crate::error::printable;
            let reason = format!("the {what} of the app is `{}` since it began, not `{}`", shown(known), shown(set));
            Err(Error::new(Kind::Usage).during("use").because(reason))
        };
        if let Some(set) = self.current.as_ref().filter(|set| **set != layout.current) {
            return other("link", set.as_path(), layout.current.as_path());
        }
        if let Some(set) = self.releases.as_ref().filter(|set| **set != layout.releases) {
            return other("directory", set, &layout.releases);
        }
        Ok(layout)
    }

    /// The records, and what they say of all apps; none where there are none.
    pub(super) fn ledgers(&self) -> Result<(Option<Records>, Ledgers)> {
        match Records::open(&self.root)? {
            Some(records) => {
                let ledgers = Ledgers::load(&records)?;
                Ok((Some(records.waiting(self.wait)), ledgers))
            }
            None => Ok((None, Ledgers::default())),
        }
    }
}

impl Check {
    /// A program with its arguments.
    pub fn program<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Check {
        Check::Program(argv.into_iter().map(Into::into).collect())
    }

    /// A function, under the name that reports have for it.
    pub fn closure(
        name: impl Into<String>,
        check: impl Fn(&CheckContext<'_>) -> std::result::Result<(), String> + Send + Sync + 'static,
    ) -> Check {
        Check::Closure(name.into(), Arc::new(check))
    }
}
