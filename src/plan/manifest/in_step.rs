//! Looking up in one ordered list what comes in the order of another.

use std::collections::BTreeMap;
use std::collections::btree_map::Range;
use std::iter::Peekable;

use super::declared::Declared;
use super::tree_order;
use crate::model::LinkPath;

/// What is known of links that are asked for in the order of a walk, or nearly so: then it is the next one in the map, and
/// nothing is searched.
pub(super) struct InStep<'m, V> {
    map: &'m BTreeMap<LinkPath, V>,
    ahead: Peekable<Range<'m, LinkPath, V>>,
}

impl<'m, V> InStep<'m, V> {
    pub(super) fn new(map: &'m BTreeMap<LinkPath, V>) -> InStep<'m, V> {
        InStep { map, ahead: map.range::<LinkPath, _>(..).peekable() }
    }

    pub(super) fn get(&mut self, link: &LinkPath) -> Option<&'m V> {
        if let Some((_, next)) = self.ahead.next_if(|(next, _)| *next == link) {
            return Some(next);
        }
        if self.map.is_empty() {
            return None;
        }
        let found = self.map.get(link)?;
        self.ahead = self.map.range::<LinkPath, _>(link..).peekable();
        self.ahead.next();
        Some(found)
    }
}

/// Which links are declared, asked for in the order of a walk, or nearly so.
pub(crate) struct DeclaredInStep<'d> {
    /// In the order of a walk.
    links: &'d [Declared],
    next: usize,
}

impl<'d> DeclaredInStep<'d> {
    pub(crate) fn new(links: &'d [Declared]) -> DeclaredInStep<'d> {
        DeclaredInStep { links, next: 0 }
    }

    pub(crate) fn has(&mut self, link: &LinkPath) -> bool {
        if self.links.get(self.next).is_some_and(|next| next.link == *link) {
            self.next += 1;
            return true;
        }
        let found = self.links.binary_search_by(|other| tree_order(other.link.as_path(), link.as_path()));
        self.next = found.map_or_else(|at| at, |at| at + 1);
        found.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(path: &str) -> LinkPath {
        LinkPath::new(path).unwrap()
    }

    #[test]
    fn what_is_there_is_found_in_any_order() {
        let map: BTreeMap<LinkPath, usize> = ["a", "a/b", "a-b", "c"].map(path).into_iter().zip(0..).collect();
        for order in [["a", "a/b", "a-b", "c"], ["c", "a-b", "a/b", "a"], ["a", "c", "a/b", "a-b"]] {
            let mut in_step = InStep::new(&map);
            for name in order {
                assert_eq!(in_step.get(&path(name)), map.get(&path(name)), "{name} of {order:?}");
                assert_eq!(in_step.get(&path("a/c")), None);
            }
        }
        assert_eq!(InStep::new(&BTreeMap::<LinkPath, ()>::new()).get(&path("a")), None);
    }
}
