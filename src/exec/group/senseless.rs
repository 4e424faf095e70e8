//! What makes no sense in a group, by the spelling alone. Pure.

use std::collections::HashSet;

use crate::error::{Error, Kind};
use crate::model::{Change, GroupStep};

/// The first step that makes no sense in a group, by the spelling alone.
pub(super) fn senseless(steps: &[GroupStep]) -> Option<(usize, Error)> {
    let edits = || steps.iter().filter(|step| matches!(step, GroupStep::Edit(_)));
    // In order none is there twice.
    let in_order = edits().is_sorted_by(|edit, next| edit.path() < next.path());
    let mut edited = HashSet::new();
    steps.iter().enumerate().find_map(|(number, step)| {
        let GroupStep::Edit(edit) = step else { return None };
        let fits = matches!(edit.change, Change::Create(_) | Change::Ensure(_) | Change::Swap(_) | Change::Remove(_));
        match (fits, in_order || edited.insert(edit.path())) {
            (false, _) => Some((number, usage("a group has no edit of this kind"))),
            (true, false) => Some((number, usage("another edit of the group is about the same link"))),
            (true, true) => None,
        }
    })
}

pub(super) fn usage(reason: &str) -> Error {
    Error::new(Kind::Usage).because(reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Edit, LinkPath, Target};

    fn first(names: &[&str]) -> Option<usize> {
        let step = |name: &&str| match name.strip_suffix('/') {
            Some(dir) => GroupStep::MakeDir(LinkPath::new(dir).unwrap()),
            None => Edit::ensure(LinkPath::new(name).unwrap(), Target::relative("t")).into(),
        };
        let steps: Vec<GroupStep> = names.iter().map(step).collect();
        senseless(&steps).map(|(number, error)| {
            assert_eq!(error.kind(), Kind::Usage);
            number
        })
    }

    #[test]
    fn two_edits_of_a_link_make_no_sense_in_whatever_order() {
        assert_eq!(first(&["a", "a/b", "a-b", "b"]), None);
        assert_eq!(first(&["b", "a", "c"]), None);
        assert_eq!(first(&["a/", "a", "a/", "b"]), None, "a directory is no edit");
        assert_eq!(first(&["a", "a"]), Some(1));
        assert_eq!(first(&["a", "x/", "a"]), Some(2));
        assert_eq!(first(&["a", "b", "./a", "c"]), Some(2));
        assert_eq!(first(&["c", "b", "a", "b"]), Some(3));
    }
}
