//! The laws that hold at every call of the executor: nothing outside, only links, never absent.

use std::ffi::OsStr;

use super::ledger::{Ledger, Row, row};
use super::scenario::{Fate, GONE, Layout, Verb};
use super::view::{Actor, Change, Changed, Step, View};

/// For so many calls after others interfered the executor may still be moving what it then looks at and puts back.
const CALLS_OF_UNDOING: usize = 3;

impl<Id: Copy + Eq + std::fmt::Debug + std::hash::Hash> Ledger<Id> {
    pub(super) fn executor<V: View<Id = Id>>(&mut self, view: &V, change: &Change<Id>) {
        self.nothing_outside(view, change);
        self.only_links(view, change);
        self.never_absent(view, change);
    }

    /// A directory that was moved out takes the change with it, unless the kernel forbids that.
    fn nothing_outside<V: View<Id = Id>>(&mut self, view: &V, change: &Change<Id>) {
        for changed in &change.names {
            let moved_out = !view.is_below(changed.dir, self.setting.places.base);
            if self.outside.contains(&changed.dir) || moved_out && self.setting.confined {
                self.violation("nothing_outside", format!("{:?} of `{}`", change.step, plain(&changed.name)));
            }
            self.reached_outside |= moved_out;
        }
    }

    fn only_links<V: View<Id = Id>>(&mut self, view: &V, change: &Change<Id>) {
        let of_others = |object: &Id| !view.is_link(*object) && view.maker(*object) == Actor::Others;
        let taken: Vec<Id> = change.names.iter().filter_map(|changed| changed.before).filter(of_others).collect();
        if !taken.is_empty() && !self.setting.verb.is_backup() {
            self.moved_others = true;
            // Where a private directory is made beside the link, directories may be renamed under Landlock, too.
            let forbidden = self.setting.confined && self.setting.layout != Layout::NoState;
            if forbidden && taken.iter().any(|object| view.is_reachable(*object)) {
                self.violation("only_links", format!("{:?} moved no link, which Landlock forbids", change.step));
            }
        }
        let victim = match change.step {
            Step::Unlink => change.names.first().and_then(|changed| changed.before),
            Step::RenameOver => change.names.last().and_then(|changed| changed.before),
            _ => None,
        };
        // Giving up a second name is no removal, and nobody keeps what others removed from its home.
        let kept = |victim: Id| self.home.iter().chain(&self.homeless).any(|(_, _, object)| *object == victim);
        let gone = |victim: Id| !view.is_reachable(victim) && kept(victim);
        if let Some(victim) = victim.filter(|victim| !view.is_link(*victim) && gone(*victim)) {
            // Limit: between the last look and the renaming of a host without exchange.
            if change.step == Step::RenameOver && self.interfered {
                self.excused.push(victim);
            } else {
                self.violation("only_links", format!("{:?} of {}", change.step, view.kind(victim)));
            }
        }
        // Limit: without exchange and without a second name a replaced link cannot be put back.
        if change.step == Step::RenameOver && (self.interfered || self.no_second_names) {
            self.excused.extend(victim);
            self.overwritten.extend(change.names.last().map(|changed| (changed.dir, changed.name.clone())));
        }
        let removed = change.names.first().and_then(|changed| changed.before);
        if let Some(removed) = removed.filter(|dir| view.maker(*dir) == Actor::Others)
            && change.step == Step::RemoveDir
        {
            // Limit: an empty directory that takes the place of the executor's own at that very instant.
            if self.interfered {
                self.excused.push(removed);
            } else {
                self.violation("only_links", "a directory of others was removed");
            }
        }
    }

    fn never_absent<V: View<Id = Id>>(&mut self, view: &V, change: &Change<Id>) {
        // What is to be moved is looked at, or was refused once, and then moved. What others put in its place in between
        // is moved and put back. Nothing else is ever renamed away.
        let just_now = self.last_interfered.is_some_and(|at| self.calls <= at + CALLS_OF_UNDOING);
        if matches!(change.step, Step::RenameNew | Step::RenameOver) && just_now {
            return;
        }
        for changed in &change.names {
            let (Some(before), None) = (changed.before, changed.after) else { continue };
            let fate = self.link_index(changed.slot()).map(|index| self.setting.verb.fate(index));
            let theirs = view.maker(before) == Actor::Others;
            let absent = fate == Some(Fate::Replaced) && theirs;
            if absent && !self.may_dangle(view, before) && !self.goes_home(change, changed, before) {
                let what = format!("{:?} left `{}` without anything", change.step, plain(&changed.name));
                self.violation("never_absent", what);
            }
        }
    }

    /// Whether a repair may remove a link: it dangles, also where others or the kernel made it so.
    fn may_dangle<V: View<Id = Id>>(&self, view: &V, link: Id) -> bool {
        let gone = self.disturbed || self.misinformed || view.text(link) == Some(OsStr::new(GONE));
        self.setting.verb == Verb::Repair && gone
    }

    /// Whether an object has, or gets by this change, another name that is its own.
    fn goes_home(&self, change: &Change<Id>, from: &Changed<Id>, object: Id) -> bool {
        let own = |at| row(&self.home, at) == Some(object) || row(&self.homeless, at) == Some(object);
        let renamed = change.names.iter().any(|to| to.after == Some(object) && own(to.slot()));
        let at_home = |(dir, name, o): &Row<Id>| {
            *o == object && (*dir, &**name) != from.slot() && row(&self.live, (*dir, name)) == Some(object)
        };
        renamed || self.home.iter().chain(&self.homeless).any(at_home)
    }
}

/// A name without what is random.
pub(super) fn plain(name: &OsStr) -> String {
    let name = name.to_string_lossy();
    if name.starts_with(".caplink-") { ".caplink-…".into() } else { name.into_owned() }
}
