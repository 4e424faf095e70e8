//! What is known of the links, and which of them a change of a name concerns. Pure.
//!
//! A link is found by its own path, and by its *ways*: the paths that where it leads hangs on. What happens to a name concerns
//! every link with a way that is this path or below it, and every link that leads nowhere and has a way that ends in its
//! directory.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use crate::model::{Finding, Status, Summary, Traits};

/// A link as it was told.
#[derive(Debug)]
struct Known {
    path: Arc<Path>,
    status: Status,
    traits: Traits,
    target: Option<Box<OsStr>>,
    ways: Box<[Arc<Path>]>,
    /// The look that saw it last.
    round: u32,
}

/// The links that are known.
#[derive(Debug, Default)]
pub(super) struct Picture {
    links: Vec<Option<Known>>,
    free: Vec<u32>,
    by_path: BTreeMap<Arc<Path>, u32>,
    by_way: BTreeSet<(Arc<Path>, u32)>,
    /// The links, counted.
    summary: Summary,
}

/// How a link differs from what was known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) was: Option<Status>,
    pub(super) now: Option<Status>,
    pub(super) previous: Option<OsString>,
    pub(super) target: Option<OsString>,
}

impl Picture {
    pub(super) fn summary(&self) -> &Summary {
        &self.summary
    }

    pub(super) fn len(&self) -> usize {
        self.by_path.len()
    }

    pub(super) fn has(&self, link: &Path) -> bool {
        self.by_path.contains_key(link)
    }

    fn known(&self, id: u32) -> &Known {
        self.links[id as usize].as_ref().expect("BUG: an index names a link that is known")
    }

    /// Takes what was seen of a link. Returns how it differs in status or text; none where it does not.
    pub(super) fn see(&mut self, finding: &Finding, ways: &[Arc<Path>], round: u32) -> Option<Difference> {
        let (was, previous) = match self.by_path.get(&*finding.link).copied() {
            Some(id) => {
                let known = self.links[id as usize].as_mut().expect("BUG: an index names a link that is known");
                known.round = round;
                let is_same = known.status == finding.status && known.target.as_deref() == finding.target.as_deref();
                if is_same && known.traits == finding.traits && *known.ways == *ways {
                    return None;
                }
                let old = self.take(id);
                self.put(old.path, finding, ways, round);
                if is_same {
                    return None;
                }
                (Some(old.status), old.target)
            }
            None => {
                self.put(Arc::from(&*finding.link), finding, ways, round);
                (None, None)
            }
        };
        let previous = previous.map(OsString::from);
        Some(Difference { was, now: Some(finding.status), previous, target: finding.target.clone() })
    }

    /// Forgets a link that is gone.
    pub(super) fn lose(&mut self, path: &Path) -> Option<Difference> {
        let id = *self.by_path.get(path)?;
        let old = self.take(id);
        let previous = old.target.map(OsString::from);
        Some(Difference { was: Some(old.status), now: None, previous, target: None })
    }

    fn put(&mut self, path: Arc<Path>, finding: &Finding, ways: &[Arc<Path>], round: u32) {
        let known = Known {
            path: Arc::clone(&path),
            status: finding.status,
            traits: finding.traits,
            target: finding.target.clone().map(OsString::into_boxed_os_str),
            ways: ways.into(),
            round,
        };
        let id = match self.free.pop() {
            Some(id) => {
                self.links[id as usize] = Some(known);
                id
            }
            None => {
                self.links.push(Some(known));
                u32::try_from(self.links.len() - 1).expect("BUG: more links are known than may be")
            }
        };
        self.summary.add(finding);
        self.by_path.insert(path, id);
        self.by_way.extend(ways.iter().map(|way| (Arc::clone(way), id)));
    }

    fn take(&mut self, id: u32) -> Known {
        let known = self.links[id as usize].take().expect("BUG: an index names a link that is known");
        self.free.push(id);
        self.by_path.remove(&known.path);
        for way in &known.ways {
            self.by_way.remove(&(Arc::clone(way), id));
        }
        self.summary.take(known.status, known.traits);
        known
    }

    /// The links at a path or below it.
    pub(super) fn below<'p>(&'p self, path: &'p Path) -> impl Iterator<Item = &'p Arc<Path>> {
        let from = (Bound::Included(path), Bound::Unbounded);
        self.by_path.range::<Path, _>(from).map(|(link, _)| link).take_while(move |link| link.starts_with(path))
    }

    /// The links that where they lead a change of this name concerns.
    pub(super) fn concerned<'p>(&'p self, name: &'p Path) -> impl Iterator<Item = &'p Arc<Path>> {
        let through = self.ways_from(name).take_while(move |(way, _)| way.starts_with(name));
        let dir = name.parent().unwrap_or(name);
        let ending = self.ways_from(dir).take_while(move |(way, _)| **way == *dir);
        let ending = ending.filter(|(_, id)| self.known(*id).status != Status::Ok);
        through.chain(ending).map(|(_, id)| &self.known(*id).path)
    }

    fn ways_from(&self, path: &Path) -> impl Iterator<Item = &(Arc<Path>, u32)> {
        let from: Arc<Path> = path.into();
        self.by_way.range((from, 0)..)
    }

    /// Every way, in order.
    pub(super) fn ways(&self) -> impl Iterator<Item = &Arc<Path>> {
        self.by_way.iter().map(|(way, _)| way)
    }

    /// The links at a path or below it that a look did not see.
    pub(super) fn unseen<'p>(&'p self, path: &'p Path, round: u32) -> impl Iterator<Item = &'p Arc<Path>> {
        let from = (Bound::Included(path), Bound::Unbounded);
        let below = self.by_path.range::<Path, _>(from).take_while(move |(link, _)| link.starts_with(path));
        below.filter(move |(_, id)| self.known(**id).round < round).map(|(link, _)| link)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(link: &str, status: Status, target: &str) -> Finding {
        Finding {
            link: link.into(),
            target: Some(target.into()),
            status,
            traits: Traits::default(),
            hops: 1,
            resolved: None,
            clamped: false,
            not_a_directory: false,
        }
    }

    fn ways(ways: &[&str]) -> Vec<Arc<Path>> {
        ways.iter().map(|way| Arc::from(Path::new(way))).collect()
    }

    fn shown<'p>(paths: impl Iterator<Item = &'p Arc<Path>>) -> Vec<String> {
        paths.map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn a_difference_says_what_was_and_what_is() {
        let mut picture = Picture::default();
        let first = picture.see(&finding("l", Status::Ok, "a"), &ways(&["a"]), 1).unwrap();
        assert_eq!((first.was, first.now), (None, Some(Status::Ok)));
        assert_eq!(picture.see(&finding("l", Status::Ok, "a"), &ways(&["a"]), 2), None);
        let other = picture.see(&finding("l", Status::Dangling, "b"), &ways(&["b"]), 3).unwrap();
        assert_eq!((other.was, other.previous), (Some(Status::Ok), Some("a".into())));
        assert_eq!(picture.summary().with_status(Status::Dangling), 1);
        let gone = picture.lose(Path::new("l")).unwrap();
        assert_eq!((gone.was, gone.now, picture.summary().links), (Some(Status::Dangling), None, 0));
        assert_eq!(picture.lose(Path::new("l")), None);
        assert_eq!(picture.ways().count(), 0);
    }

    #[test]
    fn a_name_concerns_what_leads_over_it_or_misses_it() {
        let mut picture = Picture::default();
        picture.see(&finding("over", Status::Ok, "d/e/f"), &ways(&["d/e/f"]), 1);
        picture.see(&finding("beside", Status::Ok, "d/ex"), &ways(&["d/ex"]), 1);
        picture.see(&finding("missing", Status::Dangling, "w/x"), &ways(&["w", "d"]), 1);
        picture.see(&finding("there", Status::Ok, "d"), &ways(&["d"]), 1);
        assert_eq!(shown(picture.concerned(Path::new("d/e"))), ["over", "missing"]);
        assert_eq!(shown(picture.concerned(Path::new("d/e/f"))), ["over"]);
        assert_eq!(shown(picture.concerned(Path::new("d/e/f/g"))), [""; 0]);
        assert_eq!(shown(picture.concerned(Path::new("w"))), ["missing"]);
    }

    #[test]
    fn what_a_look_did_not_see_is_found() {
        let mut picture = Picture::default();
        for (link, round) in [("d/a", 1), ("d/b", 2), ("d!", 1), ("e", 1)] {
            picture.see(&finding(link, Status::Ok, "t"), &[], round);
        }
        assert_eq!(shown(picture.unseen(Path::new("d"), 2)), ["d/a"]);
        assert_eq!(shown(picture.unseen(Path::new(""), 2)), ["d/a", "d!", "e"]);
        assert_eq!(shown(picture.below(Path::new("d"))), ["d/a", "d/b"]);
    }
}
