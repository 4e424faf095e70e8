//! What an edit comes to, given what is under the name. Pure.

use std::ffi::OsStr;

use super::Policy;
use super::change::{Change, Expected, RemoveStale};
use crate::error::{FileKind, Found, Kind};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It is as desired already.
    Unchanged,
    /// Nothing is under the name: create the link.
    Create,
    /// A link that fits is under the name: replace it.
    Replace,
    /// A file or directory is under the name and may be moved to a backup name.
    BackUp,
    /// The link is removed.
    Remove,
    /// The staging directory of an interrupted run is removed.
    RemoveStaleDir,
    /// The link is exchanged with another.
    Exchange,
    /// It does not fit; nothing is changed.
    Refuse(Kind),
}

impl Decision {
    /// Whether a policy allows the change.
    pub(crate) fn is_permitted(self, policy: Policy) -> bool {
        match self {
            Decision::Create => policy.create,
            Decision::Replace | Decision::BackUp | Decision::Exchange => policy.replace,
            Decision::Remove | Decision::RemoveStaleDir => policy.remove,
            Decision::Unchanged | Decision::Refuse(_) => true,
        }
    }
}

/// Decides a change; `text` is what the new link stores, if there is one.
pub(crate) fn decide(change: &Change, text: Option<&OsStr>, found: &Found) -> Decision {
    match (change, found) {
        (Change::Create(_), Found::Missing) | (Change::Ensure(_), Found::Missing) => Decision::Create,
        (Change::Create(_), _) => Decision::Refuse(Kind::Exists),
        (_, Found::Missing) if change.missing_ok() => Decision::Unchanged,
        (_, Found::Missing) => Decision::Refuse(Kind::NotFound),
        (Change::RemoveStale(RemoveStale::Dir), Found::Other(FileKind::Dir)) => Decision::RemoveStaleDir,
        (Change::RemoveStale(RemoveStale::Dir), Found::Link(_)) => Decision::Refuse(Kind::Mismatch),
        (_, Found::Other(FileKind::File | FileKind::Dir)) if change.backup() => Decision::BackUp,
        (_, Found::Other(_)) => Decision::Refuse(Kind::NotALink),
        (Change::Exchange(_), Found::Link(_)) => Decision::Exchange,
        (Change::Ensure(ensure), Found::Link(present)) => match (Some(present.as_os_str()) == text, ensure.replace) {
            (true, _) => Decision::Unchanged,
            (false, true) => Decision::Replace,
            (false, false) => Decision::Refuse(Kind::Exists),
        },
        (_, Found::Link(_)) if !fits(change.expected(), found) => Decision::Refuse(Kind::Mismatch),
        (_, Found::Link(present)) => match (change.link(), Some(present.as_os_str()) == text) {
            (None, _) => Decision::Remove,
            (Some(_), true) => Decision::Unchanged,
            (Some(_), false) => Decision::Replace,
        },
    }
}

/// Whether what is under the name is what was expected.
pub(crate) fn fits(expected: Expected<'_>, found: &Found) -> bool {
    match (expected, found) {
        (Expected::Nothing | Expected::NothingOrLink, Found::Missing) => true,
        (Expected::NothingOrLink | Expected::AnyLink, Found::Link(_)) => true,
        (Expected::Link(text), Found::Link(present)) => text == present,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::change::{Fix, NewLink, Repair};
    use super::super::{Edit, LinkPath, Target};
    use super::*;

    #[test]
    fn every_change_against_everything_that_can_have_the_name() {
        use Decision::{BackUp, Create, Exchange, Refuse, Remove, RemoveStaleDir, Replace, Unchanged};
        use Kind::{Exists, Mismatch, NotALink, NotFound};
        let path = || LinkPath::new("l").unwrap();
        let target = || Target::verbatim("new");
        let ensure = || Edit::ensure(path(), target());
        let repair = |expected: &str, fix| Repair { expected: expected.into(), fix }.into();
        let link = || NewLink::new(target());
        let columns = [
            Found::Missing,
            Found::Link("old".into()),
            Found::Link("new".into()),
            Found::Link("else".into()),
            Found::Other(FileKind::File),
            Found::Other(FileKind::Dir),
            Found::Other(FileKind::Fifo),
        ];
        let no_link = [Refuse(NotALink); 3];
        let swapped = [Refuse(NotFound), Replace, Refuse(Mismatch), Refuse(Mismatch)];
        let kept = [Refuse(NotFound), Refuse(Mismatch), Unchanged, Refuse(Mismatch)];
        let removed_old = [Refuse(NotFound), Remove, Refuse(Mismatch), Refuse(Mismatch)];
        let create: Change = Edit::create(path(), target()).change.into();
        let rows: [(Change, [Decision; 4], [Decision; 3]); 17] = [
            (create, [Create, Refuse(Exists), Refuse(Exists), Refuse(Exists)], [Refuse(Exists); 3]),
            (ensure().change.into(), [Create, Replace, Unchanged, Replace], no_link),
            (ensure().replace(false).change.into(), [Create, Refuse(Exists), Unchanged, Refuse(Exists)], no_link),
            (
                ensure().backup(true).change.into(),
                [Create, Replace, Unchanged, Replace],
                [BackUp, BackUp, Refuse(NotALink)],
            ),
            (
                ensure().backup(true).replace(false).change.into(),
                [Create, Refuse(Exists), Unchanged, Refuse(Exists)],
                [BackUp, BackUp, Refuse(NotALink)],
            ),
            (Edit::swap(path(), target(), "old").change.into(), swapped, no_link),
            (Edit::swap(path(), target(), "new").change.into(), kept, no_link),
            (Edit::remove(path()).change.into(), [Refuse(NotFound), Remove, Remove, Remove], no_link),
            (Edit::remove(path()).missing_ok(true).change.into(), [Unchanged, Remove, Remove, Remove], no_link),
            (Edit::remove(path()).expect("old").change.into(), removed_old, no_link),
            (Edit::exchange(path(), path()).change.into(), [Refuse(NotFound), Exchange, Exchange, Exchange], no_link),
            (RemoveStale::Link("old".into()).into(), [Unchanged, Remove, Refuse(Mismatch), Refuse(Mismatch)], no_link),
            (
                RemoveStale::Dir.into(),
                [Unchanged, Refuse(Mismatch), Refuse(Mismatch), Refuse(Mismatch)],
                [Refuse(NotALink), RemoveStaleDir, Refuse(NotALink)],
            ),
            (repair("old", Fix::Retarget(link())), swapped, no_link),
            (repair("old", Fix::KeepObject(link())), swapped, no_link),
            (repair("new", Fix::ReplaceDangling(link())), kept, no_link),
            (repair("old", Fix::RemoveDangling), removed_old, no_link),
        ];
        for (change, first, last) in rows {
            let text = change.link().map(|_| OsStr::new("new"));
            for (found, decision) in columns.iter().zip(first.into_iter().chain(last)) {
                assert_eq!(decide(&change, text, found), decision, "{change:?} on {found:?}");
            }
        }
    }

    #[test]
    fn only_a_link_that_the_change_names_is_replaced_or_removed() {
        // Whatever is decided, what a lock, an exchange or a removal then finds is compared with what `fits`.
        let columns =
            [Found::Missing, Found::Link("old".into()), Found::Link("older".into()), Found::Other(FileKind::Dir)];
        let rows = [
            (Expected::Nothing, [true, false, false, false]),
            (Expected::NothingOrLink, [true, true, true, false]),
            (Expected::AnyLink, [false, true, true, false]),
            (Expected::Link(OsStr::new("old")), [false, true, false, false]),
        ];
        for (expected, fitting) in rows {
            let found = columns.each_ref().map(|found| fits(expected, found));
            assert_eq!(found, fitting, "{expected:?}");
        }
    }
}
