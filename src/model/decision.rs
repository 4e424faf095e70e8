//! What an edit comes to, given what has the name. Pure.

use std::ffi::OsStr;

use super::{Desired, Edit, Expected};
use crate::error::{FileKind, Found, Kind};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It is as desired already.
    Unchanged,
    /// Nothing has the name: make the link.
    Create,
    /// A link that fits has the name: put another in its place.
    Replace,
    /// A file or directory has the name and may be moved aside.
    MoveAside,
    /// The link goes.
    Remove,
    /// A directory that an interrupted operation made goes.
    RemoveAbandoned,
    /// It does not fit; nothing is changed.
    Refuse(Kind),
}

/// Decides an edit; `text` is what the desired link stores.
pub(crate) fn decide(edit: &Edit, text: Option<&OsStr>, found: &Found) -> Decision {
    match (&edit.desired, found) {
        (Desired::Nothing, Found::Missing) if edit.missing_ok => Decision::Unchanged,
        (_, Found::Missing) => match edit.expected {
            Expected::Nothing | Expected::NothingOrLink => Decision::Create,
            Expected::AnyLink | Expected::Link(_) => Decision::Refuse(Kind::NotFound),
        },
        (Desired::Nothing, Found::Other(FileKind::Dir)) if edit.leftover && edit.expected == Expected::AnyLink => {
            Decision::RemoveAbandoned
        }
        (_, _) if edit.expected == Expected::Nothing => Decision::Refuse(Kind::Exists),
        (_, Found::Other(FileKind::File | FileKind::Dir)) if edit.backup => Decision::MoveAside,
        (_, Found::Other(_)) => Decision::Refuse(Kind::NotALink),
        (_, Found::Link(_)) if !fits(&edit.expected, found) => Decision::Refuse(Kind::Mismatch),
        (Desired::Nothing, Found::Link(_)) => Decision::Remove,
        (Desired::Link(_), Found::Link(present)) if Some(present.as_os_str()) == text => Decision::Unchanged,
        (Desired::Link(_), Found::Link(_)) => Decision::Replace,
    }
}

/// Whether what has the name is what was expected.
pub(crate) fn fits(expected: &Expected, found: &Found) -> bool {
    match (expected, found) {
        (Expected::Nothing | Expected::NothingOrLink, Found::Missing) => true,
        (Expected::NothingOrLink | Expected::AnyLink, Found::Link(_)) => true,
        (Expected::Link(text), Found::Link(present)) => text == present,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{LinkPath, Target};
    use super::*;

    #[test]
    fn every_edit_against_everything_that_can_have_the_name() {
        use Decision::{Create, MoveAside, Refuse, Remove, Replace, Unchanged};
        use Kind::{Exists, Mismatch, NotALink, NotFound};
        let path = || LinkPath::new("l").unwrap();
        let target = || Target::verbatim("new");
        let create = Edit::create(path(), target());
        let ensure = Edit::ensure(path(), target());
        let backup = ensure.clone().backup(true);
        let swap = Edit::swap(path(), target(), "old");
        let keep = Edit::swap(path(), target(), "new");
        let remove = Edit::remove(path());
        let remove_old = remove.clone().expect("old");
        let abandoned = remove.clone().leftover(true);
        assert_eq!(decide(&abandoned, None, &Found::Other(FileKind::Dir)), Decision::RemoveAbandoned);
        for edit in [&remove, &abandoned.clone().expect("old")] {
            assert_eq!(decide(edit, None, &Found::Other(FileKind::Dir)), Refuse(NotALink), "{edit:?}");
        }
        let lenient = remove.clone().missing_ok(true);
        let columns = [
            Found::Missing,
            Found::Link("old".into()),
            Found::Link("new".into()),
            Found::Link("else".into()),
            Found::Other(FileKind::File),
            Found::Other(FileKind::Fifo),
        ];
        let rows = [
            (&create, [Create, Refuse(Exists), Refuse(Exists), Refuse(Exists), Refuse(Exists), Refuse(Exists)]),
            (&ensure, [Create, Replace, Unchanged, Replace, Refuse(NotALink), Refuse(NotALink)]),
            (&backup, [Create, Replace, Unchanged, Replace, MoveAside, Refuse(NotALink)]),
            (
                &swap,
                [Refuse(NotFound), Replace, Refuse(Mismatch), Refuse(Mismatch), Refuse(NotALink), Refuse(NotALink)],
            ),
            (
                &keep,
                [Refuse(NotFound), Refuse(Mismatch), Unchanged, Refuse(Mismatch), Refuse(NotALink), Refuse(NotALink)],
            ),
            (&remove, [Refuse(NotFound), Remove, Remove, Remove, Refuse(NotALink), Refuse(NotALink)]),
            (
                &remove_old,
                [Refuse(NotFound), Remove, Refuse(Mismatch), Refuse(Mismatch), Refuse(NotALink), Refuse(NotALink)],
            ),
            (&abandoned, [Refuse(NotFound), Remove, Remove, Remove, Refuse(NotALink), Refuse(NotALink)]),
            (&lenient, [Unchanged, Remove, Remove, Remove, Refuse(NotALink), Refuse(NotALink)]),
        ];
        for (edit, decisions) in rows {
            for (found, decision) in columns.iter().zip(decisions) {
                assert_eq!(decide(edit, Some(OsStr::new("new")), found), decision, "{edit:?} on {found:?}");
            }
        }
    }

    #[test]
    fn what_has_the_name_is_what_was_expected_or_not() {
        let columns =
            [Found::Missing, Found::Link("old".into()), Found::Link("older".into()), Found::Other(FileKind::Dir)];
        let rows = [
            (Expected::Nothing, [true, false, false, false]),
            (Expected::NothingOrLink, [true, true, true, false]),
            (Expected::AnyLink, [false, true, true, false]),
            (Expected::Link("old".into()), [false, true, false, false]),
        ];
        for (expected, fitting) in rows {
            let found = columns.each_ref().map(|found| fits(&expected, found));
            assert_eq!(found, fitting, "{expected:?}");
        }
    }
}
