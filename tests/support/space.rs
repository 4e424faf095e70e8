//! Every edit that can be built of one name: each kind with each choice of its options.

use caplink::change::{Fix, NewLink, RemoveStale};
use caplink::{Edit, LinkPath, Target};

/// What the edits of a space speak of.
pub(crate) struct Space<'a> {
    /// Targets, each with whether it may be missing.
    pub(crate) targets: &'a [(&'a str, bool)],
    /// The texts that a link is expected to have.
    pub(crate) texts: &'a [&'a str],
    /// The links to exchange with, each with whether a text may lead nowhere at its new place.
    pub(crate) others: &'a [(&'a str, bool)],
}

impl Space<'_> {
    /// Every kind with every choice of its options, always in the same order.
    pub(crate) fn edits(&self, name: &str) -> Vec<Edit> {
        let path = |text: &str| LinkPath::new(text).expect("a path");
        let name = path(name);
        let both = [false, true];
        let mut edits: Vec<Edit> = Vec::new();
        for (target, dangling) in self.targets {
            let link = NewLink::new(Target::relative(*target)).allow_dangling(*dangling);
            for parents in both {
                edits.push(Edit::create(name.clone(), link.clone()).parents(parents).into());
                for (replace, backup) in [(false, false), (false, true), (true, false), (true, true)] {
                    let ensure = Edit::ensure(name.clone(), link.clone()).parents(parents);
                    edits.push(ensure.replace(replace).backup(backup).into());
                }
            }
            for expected in self.texts {
                edits.push(Edit::swap(name.clone(), link.clone(), expected).into());
                for fix in [Fix::Retarget, Fix::KeepObject, Fix::ReplaceDangling] {
                    edits.push(Edit::repair(name.clone(), expected, fix(link.clone())).into());
                }
            }
        }
        for missing_ok in both {
            edits.push(Edit::remove(name.clone()).missing_ok(missing_ok).into());
            for expected in self.texts {
                edits.push(Edit::remove(name.clone()).missing_ok(missing_ok).expect(expected).into());
            }
        }
        for (with, dangling) in self.others {
            edits.push(Edit::exchange(name.clone(), path(with)).allow_dangling(*dangling).into());
        }
        for expected in self.texts {
            edits.push(Edit::repair(name.clone(), expected, Fix::RemoveDangling).into());
            edits.push(Edit::remove_stale(name.clone(), RemoveStale::Link(expected.into())).into());
        }
        edits.push(Edit::remove_stale(name.clone(), RemoveStale::Dir).into());
        edits
    }
}
