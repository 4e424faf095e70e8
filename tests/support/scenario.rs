//! What is asked of the executor, in which tree, and what is to become of the links in it.

/// The text of the link before the edit, and the one that it is to get.
pub(crate) const OLD: &str = "../t1";
pub(crate) const NEW: &str = "../t2";
/// The text of a link that leads nowhere.
pub(crate) const GONE: &str = "../gone";
/// A text that no link has at first.
pub(crate) const OTHER: &str = "../stale";
/// The name of the state directory.
pub(crate) const STATE: &str = ".caplink";
/// A link that an earlier run staged and did not publish.
pub(crate) const STALE: &str = "q/p/.caplink-fffffffffffffffffffffffff62427a5";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Verb {
    Create,
    /// `ensure` of a free name.
    EnsureNew,
    /// `ensure` of a link with another text.
    EnsureOld,
    /// `ensure` of a link that has the text already.
    EnsureSame,
    Swap,
    /// `swap` that expects another text than the link has.
    SwapStale,
    Remove,
    RemoveExpected,
    /// `remove --missing-ok` of a free name.
    RemoveMaybe,
    BackupFile,
    BackupDir,
    /// `create -p` below two missing directories.
    Parents,
    /// Two links of one directory.
    Exchange,
    /// Two links of two directories.
    ExchangeAcross,
    /// Four edits in two directories: one link is replaced, one created, one swapped, one removed.
    Plan,
    /// What a scan finds: one link is retargeted, a dangling and a stale staged one are removed.
    Repair,
    /// A repair that retargets one link.
    Retarget,
    /// Three links of one directory, which are replaced one after the other.
    Series,
    /// One of all edits that can be built.
    Built(Built),
}

/// An edit that was drawn from all that can be built, as the judge and the attacker know it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Built {
    /// Its number among the edits of its name.
    pub(crate) edit: usize,
    /// The paths of the links that it is about.
    pub(crate) links: &'static [&'static str],
    pub(crate) found: Occupant,
    pub(crate) fate: Fate,
    /// The only text that it may replace or remove.
    pub(crate) expects: Option<&'static str>,
    pub(crate) backs_up: bool,
    pub(crate) parents: bool,
}

impl std::fmt::Debug for Built {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} on {:?}", self.links[0], self.edit, self.found)
    }
}

/// What is under the name of a drawn edit at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Occupant {
    Nothing,
    /// A link with this text.
    Link(&'static str),
    File,
    Dir,
}

/// What becomes of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Fate {
    Created,
    /// Or left alone: the name is taken at every moment.
    Replaced,
    Removed,
}

/// Who owns the directories, and who may write them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Layout {
    /// Only the executor may write; the attacker is the same user, and keeps away from what is staged.
    Private,
    /// A sticky directory of the superuser; the link is the executor's.
    Sticky,
    /// The same, with the superuser as executor and a link of the attacker's.
    StickyOther,
    /// Everybody may write the directory and the one above it, but not the root.
    Open,
    /// As `Open`, with an attacker of the same user.
    OpenSame,
    /// The directories are the attacker's, the executor is the superuser.
    Tenant,
    /// Everybody may write the root itself.
    OpenRoot,
    /// Everybody may write the link's directory, and the executor may not write the root: no state directory.
    NoState,
}

impl Verb {
    /// The paths of the links that it is about.
    pub(crate) fn links(self) -> &'static [&'static str] {
        match self {
            Verb::Parents => &["q/n1/n2/l"],
            Verb::Exchange => &["q/p/l", "q/p/m"],
            Verb::ExchangeAcross => &["q/p/l", "q/r/m"],
            Verb::Plan => &["q/p/l", "q/p/c", "q/r/m", "q/p/d"],
            Verb::Repair => &["q/p/l", "q/r/m", STALE],
            Verb::Series => &["q/p/l", "q/p/m", "q/p/c"],
            Verb::Built(built) => built.links,
            _ => &["q/p/l"],
        }
    }

    /// The path of the second link, of those that are about two.
    pub(crate) fn second(self) -> Option<&'static str> {
        match self {
            Verb::Exchange | Verb::Series => Some("q/p/m"),
            Verb::ExchangeAcross | Verb::Plan | Verb::Repair => Some("q/r/m"),
            Verb::Built(built) => built.links.get(1).copied(),
            _ => None,
        }
    }

    pub(crate) fn fate(self, index: usize) -> Fate {
        match (self, index) {
            (Verb::Create | Verb::EnsureNew | Verb::Parents, _) | (Verb::Plan, 1) => Fate::Created,
            (Verb::Remove | Verb::RemoveExpected | Verb::RemoveMaybe, _) => Fate::Removed,
            (Verb::Plan, 3) | (Verb::Repair, 1 | 2) => Fate::Removed,
            (Verb::Built(built), 0) => built.fate,
            _ => Fate::Replaced,
        }
    }

    pub(crate) fn is_exchange(self) -> bool {
        match self {
            Verb::Built(built) => built.links.len() == 2,
            _ => matches!(self, Verb::Exchange | Verb::ExchangeAcross),
        }
    }

    pub(crate) fn is_backup(self) -> bool {
        match self {
            Verb::Built(built) => built.backs_up,
            _ => matches!(self, Verb::BackupFile | Verb::BackupDir),
        }
    }

    /// Whether missing directories are made on the way to the link.
    pub(crate) fn makes_parents(self) -> bool {
        match self {
            Verb::Built(built) => built.parents && built.links[0].starts_with("q/n1"),
            _ => self == Verb::Parents,
        }
    }

    /// The only text that it may replace or remove.
    pub(crate) fn expects(self) -> Option<&'static str> {
        match self {
            Verb::Swap | Verb::RemoveExpected | Verb::Retarget | Verb::Series => Some(OLD),
            Verb::SwapStale => Some(OTHER),
            Verb::Built(built) => built.expects,
            _ => None,
        }
    }

    /// The row of a table to which it belongs.
    pub(crate) fn row(self) -> String {
        match self {
            Verb::Built(_) => "Built".into(),
            _ => format!("{self:?}"),
        }
    }
}

impl Layout {
    /// Whether the attacker has the executor's own user.
    pub(crate) fn is_same_user(self) -> bool {
        matches!(self, Layout::Private | Layout::OpenSame)
    }

    /// Whether the executor is the superuser.
    pub(crate) fn is_superuser(self) -> bool {
        matches!(self, Layout::StickyOther | Layout::Tenant)
    }
}
