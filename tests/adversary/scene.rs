//! A tree in memory, whose it is, and one edit in it.

use std::ffi::OsStr;
use std::sync::Arc;

use caplink::adversary::{Actor, Object, Subject, Tree};
use caplink::{Durability, FileKind, Policy};

/// Where the root is.
pub(crate) const ROOT: &str = "home/base";
/// The text of a link that leads nowhere.
pub(crate) const GONE: &str = "../gone";
/// The name of the state directory.
pub(crate) const STATE: &str = ".caplink";
/// A link that an earlier operation staged and did not publish.
const LEFTOVER: &str = "q/p/.caplink-ffffffffffffffffffffffffffffffff";
const EXECUTOR: u32 = 1000;
const STRANGER: u32 = 2000;
/// What the link says before, and what it is to say.
pub(crate) const OLD: &str = "../t1";
pub(crate) const NEW: &str = "../t2";

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Verb {
    Create,
    /// `ensure` where nothing is.
    EnsureNew,
    /// `ensure` where another link is.
    EnsureOld,
    /// `ensure` where it is so already.
    EnsureSame,
    Swap,
    /// A swap that expects another text than is there.
    SwapStale,
    Remove,
    RemoveExpected,
    /// `remove --missing-ok` of a name that nothing has.
    RemoveMaybe,
    BackupFile,
    BackupDir,
    /// `create -p` below two missing directories.
    Parents,
    /// Two links of one directory.
    Exchange,
    /// Two links of two directories.
    ExchangeAcross,
    /// Four edits in two directories: one link is replaced, one made, one swapped, one removed.
    Plan,
    /// What a scan finds: one link is retargeted, a dangling one and a left-over staged one are removed.
    Repair,
}

/// What an edit is to do with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Made,
    /// Or left alone: it has something all the time.
    Replaced,
    Removed,
}

/// Whose the directories are, and who may write them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Layout {
    /// Only the executor may write; the adversary is the same user.
    Private,
    /// A sticky directory of the superuser's; the link is the executor's.
    Sticky,
    /// The same, with the superuser as executor and a link of the adversary's.
    StickyOther,
    /// Everybody may write the directory and the one above it, but not the root.
    Open,
    /// As `Open`, with an adversary of the same user.
    OpenSame,
    /// The directories are the adversary's, the executor is the superuser.
    Tenant,
    /// Everybody may write the root itself.
    OpenRoot,
    /// Everybody may write the link's directory, and the executor may not write the root: no state directory.
    NoState,
}

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

pub(crate) const VERBS: [Verb; 16] = [
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
        match self.verb {
            Verb::Parents => &["q/n1/n2/l"],
            Verb::Exchange => &["q/p/l", "q/p/m"],
            Verb::ExchangeAcross => &["q/p/l", "q/r/m"],
            Verb::Plan => &["q/p/l", "q/p/c", "q/r/m", "q/p/d"],
            Verb::Repair => &["q/p/l", "q/r/m", LEFTOVER],
            _ => &["q/p/l"],
        }
    }

    /// What becomes of a link.
    pub(crate) fn fate(self, index: usize) -> Fate {
        match (self.verb, index) {
            (Verb::Create | Verb::EnsureNew | Verb::Parents, _) | (Verb::Plan, 1) => Fate::Made,
            (Verb::Remove | Verb::RemoveExpected | Verb::RemoveMaybe, _) => Fate::Removed,
            (Verb::Plan, 3) | (Verb::Repair, 1 | 2) => Fate::Removed,
            _ => Fate::Replaced,
        }
    }

    pub(crate) fn executor(self) -> u32 {
        match self.layout {
            Layout::StickyOther | Layout::Tenant => 0,
            _ => EXECUTOR,
        }
    }

    pub(crate) fn exchanges(self) -> bool {
        matches!(self.verb, Verb::Exchange | Verb::ExchangeAcross)
    }

    /// Whether it is several edits.
    pub(crate) fn is_plan(self) -> bool {
        matches!(self.verb, Verb::Plan | Verb::Repair)
    }

    pub(crate) fn backs_up(self) -> bool {
        matches!(self.verb, Verb::BackupFile | Verb::BackupDir)
    }

    pub(crate) fn same_user(self) -> bool {
        matches!(self.layout, Layout::Private | Layout::OpenSame)
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
    pub(crate) foe: Subject,
    pub(crate) base: Object,
    pub(crate) home: Object,
    pub(crate) q: Object,
    pub(crate) p: Object,
    pub(crate) r: Object,
    /// A directory of the adversary's inside the root.
    pub(crate) yard: Object,
    /// One outside.
    pub(crate) beyond: Object,
    /// Directories outside the root.
    pub(crate) outside: Vec<Object>,
}

const SUPERUSER: Subject = Subject { actor: Actor::Other, uid: 0 };

impl Scene {
    pub(crate) fn new(scenario: Scenario) -> Scene {
        let executor = scenario.executor();
        let foe = if scenario.same_user() { executor } else { STRANGER };
        let mut tree = Tree::new();
        let mut dir = |parent: Object, name: &str, uid: u32, mode: u32| {
            let made = tree.make(SUPERUSER, parent, name, FileKind::Dir).unwrap();
            tree.set_up(made, uid, mode, 1);
            made
        };
        let out = dir(Tree::ROOT, "out", 0, 0o755);
        let beyond = dir(out, "yard", foe, 0o755);
        let home = dir(Tree::ROOT, "home", foe, 0o777);
        let (base_owner, base_mode, q_owner, q_mode, p_owner, p_mode) = match scenario.layout {
            Layout::Private => (executor, 0o755, executor, 0o755, executor, 0o755),
            Layout::Sticky | Layout::StickyOther => (executor, 0o755, executor, 0o755, 0, 0o1777),
            Layout::Open | Layout::OpenSame => (executor, 0o755, executor, 0o777, executor, 0o777),
            Layout::Tenant => (0, 0o755, foe, 0o755, foe, 0o755),
            Layout::OpenRoot => (executor, 0o777, executor, 0o777, executor, 0o777),
            Layout::NoState => (0, 0o755, foe, 0o777, foe, 0o777),
        };
        let base = dir(home, "base", base_owner, base_mode);
        let yard = dir(base, "yard", foe, 0o755);
        let q = dir(base, "q", q_owner, q_mode);
        let p = dir(q, "p", p_owner, p_mode);
        let r = dir(q, "r", p_owner, p_mode);
        for target in ["t1", "t2", "t3"] {
            let _ = dir(q, target, executor, 0o755);
        }
        let secret = tree.make(SUPERUSER, out, "secret", FileKind::File).unwrap();
        tree.set_up(secret, 0, 0o600, 1);
        let link_owner = match scenario.layout {
            Layout::StickyOther | Layout::Tenant | Layout::NoState => foe,
            _ => executor,
        };
        let owner = Subject { actor: Actor::Other, uid: 0 };
        let link = |tree: &mut Tree, dir: Object, name: &str, text: &str| {
            let made = tree.symlink(owner, OsStr::new(text), dir, OsStr::new(name)).unwrap();
            tree.set_up(made, link_owner, 0o777, 1);
        };
        let there = |tree: &mut Tree, kind: FileKind| {
            let made = tree.make(owner, p, "l", kind).unwrap();
            tree.set_up(made, link_owner, 0o755, 1);
        };
        match scenario.verb {
            Verb::Create | Verb::EnsureNew | Verb::RemoveMaybe | Verb::Parents => {}
            Verb::EnsureSame => link(&mut tree, p, "l", NEW),
            Verb::BackupFile => there(&mut tree, FileKind::File),
            Verb::BackupDir => there(&mut tree, FileKind::Dir),
            _ => link(&mut tree, p, "l", OLD),
        }
        match scenario.verb {
            Verb::Exchange => link(&mut tree, p, "m", NEW),
            Verb::ExchangeAcross => link(&mut tree, r, "m", NEW),
            Verb::Plan => {
                link(&mut tree, p, "d", "../t3");
                link(&mut tree, r, "m", OLD);
            }
            Verb::Repair => {
                link(&mut tree, r, "m", GONE);
                let name = LEFTOVER.rsplit('/').next().unwrap();
                let made = tree.symlink(owner, OsStr::new(NEW), p, OsStr::new(name)).unwrap();
                tree.set_up(made, executor, 0o777, 1);
            }
            _ => {}
        }
        for dir in [p, r] {
            let kept = tree.make(owner, dir, "kept", FileKind::File).unwrap();
            tree.set_up(kept, link_owner, 0o644, 1);
        }
        tree.settle();
        let outside = vec![Tree::ROOT, out, beyond, home];
        let foe = Subject { actor: Actor::Other, uid: foe };
        Scene { scenario, tree: Arc::new(tree), foe, base, home, q, p, r, yard, beyond, outside }
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
