//! What a run came to: whether the report is true, and everything is where it belongs.

use std::ffi::OsStr;
use std::path::Path;

use caplink::{Effect, FileKind, Kind};

use super::laws::plain;
use super::ledger::{Ledger, Row, row};
use super::report::{Item, Report};
use super::scenario::{NEW, Verb};
use super::view::{Actor, Slot, View};

impl<Id: Copy + Eq + std::fmt::Debug + std::hash::Hash> Ledger<Id> {
    /// Holds the report against the tree at the end. `faulty` says that a call was made to fail.
    pub(crate) fn judge<V: View<Id = Id>>(&mut self, view: &V, report: &Report, faulty: bool) {
        for item in &report.items {
            self.success_is_true(view, item);
        }
        self.errors_have_a_reason(report, faulty);
        self.nothing_is_left_behind(view, report);
        self.everything_is_in_its_place(view, report);
        self.reports_are_true(view, report, faulty);
    }

    /// The reported change of a name: of a link of the scenario, or of another that a repair came by.
    fn change_of<'a>(&self, report: &'a Report, at: Slot<'_, Id>) -> Option<&'a Item> {
        if let Some(index) = self.link_index(at) {
            return report.changed(index);
        }
        let mut others = report.items.iter().filter(|item| item.index.is_none() && item.effect.is_change());
        others.find(|item| self.is_reported(std::slice::from_ref(&item.link), at))
    }

    /// What is at names where others did not put it.
    fn nothing_is_left_behind<V: View<Id = Id>>(&mut self, view: &V, report: &Report) {
        let Report { left, preserved, made, backups, .. } = report;
        for (dir, name, object) in self.live.clone() {
            let at = (dir, &*name);
            if row(&self.home, at) == Some(object) {
                continue;
            }
            let ours = view.maker(object) == Actor::Executor && !self.adopted.contains(&object);
            let changed = self.change_of(report, at);
            let is_target = |item: &Item| item.target.as_deref() == view.text(object);
            let is_dir = view.kind(object) == FileKind::Dir;
            let explained = if ours {
                let published = !is_dir && changed.is_some_and(is_target);
                let parent = is_dir && self.is_reported(made, at);
                let mut kept = left.iter().chain(preserved);
                let keeps = is_dir && kept.any(|path| path.parent().and_then(Path::file_name) == Some(at.1));
                published || parent || keeps || self.is_reported(left, at)
            } else {
                let exchanged = changed.is_some_and(|item| item.effect == Effect::Exchanged && is_target(item));
                let homeless = row(&self.homeless, at) == Some(object);
                let kept = self.is_reported(backups, at) || self.is_reported(preserved, at);
                // What others put there was renamed over; what was there before is put back, not knowing of it.
                let restored = self.overwritten.contains(&(dir, name.clone()));
                let second_name = name.to_string_lossy().starts_with(".caplink-");
                // What the executor made stays its own, wherever others put it before.
                let own = view.maker(object) == Actor::Executor;
                // Whose it is cannot be told where it cannot be looked at.
                let named = (second_name || own || self.sealed) && self.is_reported(left, at);
                exchanged || homeless || kept || restored || named || self.loose.contains(&object)
            };
            if !explained {
                let whose = if ours { "of the executor's is left" } else { "of others was moved" };
                self.violation("left_behind", format!("{} `{}` {whose}", view.kind(object), plain(&name)));
            }
        }
    }

    /// What is not where others put it.
    fn everything_is_in_its_place<V: View<Id = Id>>(&mut self, view: &V, report: &Report) {
        let missing = |(dir, name, object): &&Row<Id>| row(&self.live, (*dir, name)) != Some(*object);
        let lost: Vec<Row<Id>> = self.home.iter().chain(&self.homeless).filter(missing).cloned().collect();
        for (dir, name, object) in lost {
            let changed = self.change_of(report, (dir, &name));
            let is_previous = |item: &Item| view.is_link(object) && item.previous.as_deref() == view.text(object);
            let takes = [Effect::Replaced, Effect::Removed, Effect::Exchanged];
            let displaced = changed.is_some_and(|item| takes.contains(&item.effect) && is_previous(item));
            let is_kept = |at| self.is_reported(&report.preserved, at) || self.is_reported(&report.backups, at);
            let kept = self.live.iter().any(|(dir, name, o)| *o == object && is_kept((*dir, name)));
            let loose =
                self.loose.contains(&object) && (view.is_reachable(object) || report.items.iter().any(is_previous));
            // What the executor made stays its own to remove, wherever others put it.
            let own = view.maker(object) == Actor::Executor;
            // An equal link that the same user puts there in that moment cannot be told from the executor's own.
            let is_equal = view.text(object) == Some(OsStr::new(NEW)) && view.owner(object) == self.setting.executor;
            let equal = is_equal && self.link_index((dir, &name)).is_some();
            if !(displaced || kept || loose || own || equal || self.excused.contains(&object)) {
                let what = format!("{} `{}` is not where it was put", view.kind(object), plain(&name));
                self.violation("everything_in_its_place", what);
            }
        }
    }

    /// Whether what is reported as left or preserved is so.
    fn reports_are_true<V: View<Id = Id>>(&mut self, view: &V, report: &Report, faulty: bool) {
        for (paths, ours) in [(&report.left, true), (&report.preserved, false)] {
            for path in paths {
                let one = std::slice::from_ref(path);
                // What others put somewhere is theirs, also where the executor made it.
                let fits = |object| match view.maker(object) {
                    Actor::Executor => ours || self.adopted.contains(&object),
                    Actor::Others => !ours,
                };
                // A second name for a link of others is the executor's to remove.
                let own = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".caplink-"));
                // What others took since then was there.
                let mut rows = self.live.iter().chain(&self.taken);
                let there = rows
                    .any(|(dir, name, object)| self.is_reported(one, (*dir, name)) && (fits(*object) || ours && own));
                if !there && !faulty && !self.sealed {
                    let what = if ours { "left" } else { "preserved" };
                    let name = plain(path.file_name().unwrap_or_default());
                    self.violation("true_reports", format!("`{name}` is reported as {what}, and is not there"));
                }
            }
        }
        // Who holds the lock, or took the private directory, can keep the executor from taking back what it made; and
        // so can who takes the names again while it does.
        let touched = |path| {
            let one = std::slice::from_ref(path);
            self.live.iter().any(|(dir, name, o)| self.is_reported(one, (*dir, name)) && self.adopted.contains(o))
        };
        let again = self.actions > 1 && (!report.preserved.is_empty() || report.left.iter().all(touched));
        let kept_from = self.sealed || self.locked || self.unhoused || again;
        if !report.left.is_empty() && !faulty && !kept_from {
            let names = report.left.iter().filter_map(|path| path.file_name()).map(plain);
            self.violation("nothing_left", names.collect::<Vec<_>>().join(", "));
        }
    }

    /// Whether a success was so at some moment after the last change of the link's name.
    fn success_is_true<V: View<Id = Id>>(&mut self, view: &V, item: &Item) {
        let Some(index) = item.index else { return };
        let path = self.setting.verb.links()[index];
        let name = OsStr::new(path.rsplit('/').next().unwrap_or(path));
        let is_parent = |dir: Id| self.moments.iter().any(|moment| moment.links[index].0 == Some(dir));
        let ours = |change: &super::view::Change<Id>| {
            change.actor == Actor::Executor
                && change.names.iter().any(|changed| *changed.name == *name && is_parent(changed.dir))
        };
        let last = self.log.iter().rposition(ours).map_or(0, |at| at + 1);
        let mut moments = self.moments.iter().filter(|moment| moment.changes >= last).map(|m| m.links[index]);
        let target = item.target.as_deref();
        let says = |link: Option<Id>| link.is_some_and(|link| view.text(link) == target);
        let made = |link: Option<Id>| link.is_some_and(|link| view.maker(link) == Actor::Executor);
        let stood = match item.effect {
            Effect::Created | Effect::Replaced => moments.any(|(_, link)| says(link) && made(link)),
            Effect::Exchanged => moments.any(|(_, link)| says(link)),
            // A walk takes two steps: its directory was there, and then it had the link.
            Effect::Unchanged if target.is_some() => self.ever.iter().any(|(dir, named, object)| {
                **named == *name && self.link_index((*dir, named)).is_some() && says(Some(*object))
            }),
            Effect::Unchanged => moments.any(|(_, link)| link.is_none()),
            Effect::Removed => moments.any(|(dir, _)| {
                let here = |change: &super::view::Change<Id>| {
                    ours(change) && change.names.iter().any(|c| Some(c.dir) == dir && *c.name == *name)
                };
                dir.is_some() && self.log.iter().rev().any(here)
            }),
            _ => false,
        };
        if !stood {
            self.violation("a_success_is_true", format!("{} never stood at `{path}`", item.effect.as_str()));
        }
        let expected = self.setting.verb.expects().map(OsStr::new);
        if expected.is_some() && item.effect.is_change() && item.previous.as_deref() != expected {
            self.violation("a_mismatch_changes_nothing", format!("{:?} was displaced", item.previous));
        }
        if !item.verified {
            self.violation("a_success_is_true", "it was not verified");
        }
        if item.confined && !self.setting.confined {
            self.violation("a_success_is_true", "it claims a confinement that was turned off");
        }
    }

    fn errors_have_a_reason(&mut self, report: &Report, faulty: bool) {
        if faulty {
            return;
        }
        // What was changed in a directory that others moved away cannot be synced by its path.
        let not_synced =
            self.disturbed && report.is_changed() && [Verb::Retarget, Verb::Series].contains(&self.setting.verb);
        for kind in &report.kinds {
            let reason = match kind {
                Kind::Io => not_synced,
                Kind::Busy => self.locked,
                Kind::Contended | Kind::ParentMoved | Kind::Residue => self.disturbed,
                _ => true,
            };
            if !reason {
                self.violation("errors", format!("`{kind}`, though nothing was done that it could come from"));
            }
        }
    }
}
