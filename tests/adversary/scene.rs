//! A scenario in memory: a tree, who owns it, what the host can do, and one edit.

use std::ffi::OsStr;
use std::sync::Arc;

use caplink::adversary::{Actor, Object, Subject, Tree};
use caplink::{Durability, FileKind, Policy};

use crate::support::attacker::Target;
use crate::support::trees::{self, Owner, Places};

pub(crate) use crate::support::scenario::{Fate, Layout, NEW, OLD, Verb};
pub(crate) use crate::support::trees::ROOT;

const EXECUTOR: u32 = 1000;
const STRANGER: u32 = 2000;
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Scenario {
    pub(crate) verb: Verb,
    pub(crate) layout: Layout,
    pub(crate) exchange: bool,
    pub(crate) no_replace: bool,
    /// The kernel confines the executor's changes to the root.
    pub(crate) confined: bool,
    pub(crate) durability: Durability,
}

pub(crate) const VERBS: [Verb; 17] = [
    Verb::Create,
    Verb::EnsureNew,
    Verb::EnsureOld,
    Verb::EnsureSame,
    Verb::Swap,
    Verb::SwapStale,
    Verb::Remove,
    Verb::RemoveExpected,
    Verb::RemoveMaybe,
    Verb::BackupFile,
    Verb::BackupDir,
    Verb::Parents,
    Verb::Exchange,
    Verb::ExchangeAcross,
    Verb::Plan,
    Verb::Repair,
    Verb::Series,
];

pub(crate) const LAYOUTS: [Layout; 8] = [
    Layout::Private,
    Layout::Sticky,
    Layout::StickyOther,
    Layout::Open,
    Layout::OpenSame,
    Layout::Tenant,
    Layout::OpenRoot,
    Layout::NoState,
];

impl Scenario {
    pub(crate) fn new(verb: Verb, layout: Layout) -> Scenario {
        Scenario { verb, layout, exchange: true, no_replace: true, confined: false, durability: Durability::None }
    }

    /// Every verb in every layout, with each of the four sets of abilities.
    pub(crate) fn all() -> Vec<Scenario> {
        let mut all = Vec::new();
        for layout in LAYOUTS {
            for verb in VERBS {
                for (exchange, no_replace) in [(true, true), (true, false), (false, true), (false, false)] {
                    all.push(Scenario { exchange, no_replace, ..Scenario::new(verb, layout) });
                }
            }
        }
        all
    }

    /// The paths of the links that the edit is about.
    pub(crate) fn links(self) -> &'static [&'static str] {
        self.verb.links()
    }

    /// What becomes of a link.
    pub(crate) fn fate(self, index: usize) -> Fate {
        self.verb.fate(index)
    }

    /// The executor's user.
    pub(crate) fn executor(self) -> u32 {
        if self.layout.is_superuser() { 0 } else { EXECUTOR }
    }

    pub(crate) fn exchanges(self) -> bool {
        self.verb.is_exchange()
    }

    /// Whether it is several edits.
    pub(crate) fn is_plan(self) -> bool {
        matches!(self.verb, Verb::Plan | Verb::Repair | Verb::Retarget | Verb::Series)
    }

    pub(crate) fn backs_up(self) -> bool {
        self.verb.is_backup()
    }

    pub(crate) fn policy(self) -> Policy {
        Policy::default()
    }

    pub(crate) fn name(self) -> String {
        let able = match (self.exchange, self.no_replace) {
            (true, true) => "",
            (true, false) => "/no_noreplace",
            (false, true) => "/no_exchange",
            (false, false) => "/neither",
        };
        let synced = if self.durability == Durability::None { "" } else { "/synced" };
        let confined = if self.confined { "/confined" } else { "" };
        format!("{:?}/{:?}{able}{synced}{confined}", self.verb, self.layout)
    }
}

/// A scenario's tree, with the objects that matter.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) scenario: Scenario,
    pub(crate) tree: Arc<Tree>,
    pub(crate) attacker: Subject,
    pub(crate) places: Places<Object>,
    pub(crate) target: Arc<Target<Object>>,
    /// Directories outside the root.
    pub(crate) outside: Vec<Object>,
}

const SUPERUSER: Subject = Subject { actor: Actor::Other, uid: 0 };

impl Scene {
    pub(crate) fn new(scenario: Scenario) -> Scene {
        let Scenario { verb, layout, .. } = scenario;
        let attacker = if layout.is_same_user() { scenario.executor() } else { STRANGER };
        let mut tree = Tree::new();
        for entry in trees::entries(verb, layout) {
            let (dir, name) = entry.path.rsplit_once('/').unwrap_or(("", &entry.path));
            let dir = tree.dir(Tree::ROOT, dir).unwrap();
            let made = match entry.kind {
                FileKind::Symlink => tree.symlink(SUPERUSER, OsStr::new(entry.text), dir, OsStr::new(name)),
                kind => tree.make(SUPERUSER, dir, name, kind),
            };
            let owner = match entry.owner {
                Owner::Superuser => 0,
                Owner::Executor => scenario.executor(),
                Owner::Attacker => attacker,
            };
            tree.set_up(made.unwrap(), owner, entry.mode, 1);
        }
        tree.settle();
        let find = |path: &str| tree.dir(Tree::ROOT, path).unwrap();
        let places = Places::of(find);
        let outside = vec![Tree::ROOT, places.out, find("out/yard"), places.beyond, places.home];
        let target = Target::new(&tree, (verb, layout), places, "/out".into());
        let attacker = Subject { actor: Actor::Other, uid: attacker };
        Scene { scenario, tree: Arc::new(tree), attacker, places, target: Arc::new(target), outside }
    }

    /// The same where the kernel confines what the executor changes.
    pub(crate) fn confined(&self) -> Scene {
        let scenario = Scenario { confined: true, ..self.scenario };
        Scene { scenario, ..self.clone() }
    }

    /// The same where each changed directory is to be synced.
    pub(crate) fn synced(&self) -> Scene {
        let scenario = Scenario { durability: Durability::Dir, ..self.scenario };
        Scene { scenario, ..self.clone() }
    }

    pub(crate) fn is_synced(&self) -> bool {
        self.scenario.durability != Durability::None
    }
}
