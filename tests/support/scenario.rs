//! What is asked of the executor, in which tree, and what is to become of the links in it.

/// The text of the link before the edit, and the one that it is to get.
pub(crate) const OLD: &str = "../t1";
pub(crate) const NEW: &str = "../t2";
/// The text of a link that leads nowhere.
pub(crate) const GONE: &str = "../gone";
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
}

/// What becomes of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
            _ => &["q/p/l"],
        }
    }

    /// The path of the second link, of those that are about two.
    pub(crate) fn second(self) -> Option<&'static str> {
        match self {
            Verb::Exchange => Some("q/p/m"),
            Verb::ExchangeAcross | Verb::Plan | Verb::Repair => Some("q/r/m"),
            _ => None,
        }
    }

    pub(crate) fn fate(self, index: usize) -> Fate {
        match (self, index) {
            (Verb::Create | Verb::EnsureNew | Verb::Parents, _) | (Verb::Plan, 1) => Fate::Created,
            (Verb::Remove | Verb::RemoveExpected | Verb::RemoveMaybe, _) => Fate::Removed,
            (Verb::Plan, 3) | (Verb::Repair, 1 | 2) => Fate::Removed,
            _ => Fate::Replaced,
        }
    }

    pub(crate) fn is_exchange(self) -> bool {
        matches!(self, Verb::Exchange | Verb::ExchangeAcross)
    }

    pub(crate) fn is_backup(self) -> bool {
        matches!(self, Verb::BackupFile | Verb::BackupDir)
    }

    /// Whether it replaces or removes nothing but what it expects.
    pub(crate) fn compares(self) -> bool {
        matches!(self, Verb::Swap | Verb::SwapStale | Verb::RemoveExpected | Verb::Retarget)
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
