//! What a run came to: whether the answer is true, and everything is where it belongs.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::answer::{Answer, Item};
use crate::books::{Books, Whose, plain};
use crate::scene::{NEW, OLD, Verb};
use crate::view::{Id, Slot, View, is_dir, is_link};

impl Books {
    /// Whether the answer is true, and everything is where it belongs. `faulty` where calls were made to fail.
    pub(crate) fn verdict(&mut self, first: &View, answer: &Answer, faulty: bool) {
        self.canary(first);
        self.inventory();
        for (index, item) in answer.items.iter().enumerate() {
            self.is_true(index, item);
        }
        self.may_fail(answer, faulty);
        self.extras(answer);
        self.losses(answer);
        self.reports(answer, faulty);
    }

    /// The tree outside is the same to the nanosecond.
    fn canary(&mut self, first: &View) {
        let outside = |view: &View| -> Vec<(Slot, Id)> {
            let below = |slot: &Slot| slot.0 == self.places.out || view.is_below(slot.0, self.places.out);
            view.rows.iter().filter(|(slot, _)| below(slot)).map(|(slot, id)| (slot.clone(), *id)).collect()
        };
        let (had, has) = (outside(first), outside(&self.live));
        let ids = had.iter().map(|(_, id)| *id).chain([self.places.out]);
        let same = had == has && ids.into_iter().all(|id| first.node(id) == self.live.node(id));
        if !same {
            self.wrong("nothing_outside", "the canary was touched");
        }
    }

    /// Whatever is no link and not the program's own is still there, with its content.
    fn inventory(&mut self) {
        let mut others: Vec<Id> = self.ever.iter().map(|(_, id)| *id).collect();
        others.sort_unstable();
        others.dedup();
        for id in others {
            let removed_by_others = self.log.iter().any(|(whose, changes)| {
                *whose == Whose::Others && changes.iter().any(|changed| changed.before == Some(id))
            });
            let theirs = self.maker.get(&id) == Some(&Whose::Others);
            let lost = self.live.node(id).is_none();
            if theirs && lost && !removed_by_others && !self.excused.contains(&id) && !self.was_link(id) {
                self.wrong("only_links", "something that is no link is gone");
            }
        }
    }

    fn was_link(&self, id: Id) -> bool {
        self.texts.contains_key(&id)
    }

    fn changed<'a>(&self, answer: &'a Answer, slot: &Slot) -> Option<&'a Item> {
        let index = self.link_index(slot)?;
        let item = answer.items.get(index)?;
        (item.outcome != "unchanged" && item.outcome != "skipped").then_some(item)
    }

    fn says(&self, object: Id, text: Option<&str>) -> bool {
        let stored = self.texts.get(&object).map(OsString::as_os_str);
        stored.is_some() && stored == text.map(OsStr::new)
    }

    /// What is at names that others did not put there.
    fn extras(&mut self, answer: &Answer) {
        for (slot, object) in self.live.rows.clone() {
            if self.home.get(&slot) == Some(&object) {
                continue;
            }
            let name = &slot.1;
            let ours = self.maker.get(&object) == Some(&Whose::Program) && !self.adopted.contains(&object);
            let changed = self.changed(answer, &slot);
            let is_dir = self.live.is_dir(object);
            let explained = if ours {
                let published = changed.is_some_and(|item| self.says(object, item.target.as_deref()));
                let parent = is_dir && self.is_reported(&answer.made, &slot);
                let kept_in =
                    is_dir && answer.left.iter().any(|path| path.parent().and_then(Path::file_name) == Some(name));
                !is_dir && published || parent || kept_in || self.is_reported(&answer.left, &slot)
            } else {
                let traded = changed
                    .is_some_and(|item| item.outcome == "exchanged" && self.says(object, item.target.as_deref()));
                let adrift = self.adrift.iter().any(|(at, id)| (at, *id) == (&slot, object));
                let kept = self.is_reported(&answer.backups, &slot) || self.is_reported(&answer.left, &slot);
                traded || adrift || kept || self.loose.contains(&object)
            };
            if !explained {
                let whose = if ours { "of the program's is left" } else { "of others was moved" };
                self.wrong("left_behind", format!("{} `{}` {whose}", self.kind(object), plain(name)));
            }
        }
    }

    fn kind(&self, object: Id) -> &'static str {
        match self.live.node(object) {
            Some(node) if is_dir(node) => "directory",
            Some(node) if is_link(node) => "link",
            Some(_) => "file",
            None => "something",
        }
    }

    /// What is not where others put it.
    fn losses(&mut self, answer: &Answer) {
        let missing = |slot: &Slot, object: Id| self.live.rows.get(slot) != Some(&object);
        let mut lost: Vec<(Slot, Id)> = self.home.iter().map(|(slot, id)| (slot.clone(), *id)).collect();
        lost.extend(self.adrift.iter().cloned());
        lost.retain(|(slot, object)| missing(slot, *object));
        for (slot, object) in lost {
            let changed = self.changed(answer, &slot);
            let displaced = changed.is_some_and(|item| self.says(object, item.previous.as_deref()));
            let kept = self.live.rows.iter().any(|(at, id)| {
                *id == object && (self.is_reported(&answer.left, at) || self.is_reported(&answer.backups, at))
            });
            let still = self.live.place(object).is_some();
            let replaced = answer.items.iter().any(|item| self.says(object, item.previous.as_deref()));
            let loose = self.loose.contains(&object) && (still || replaced);
            // What the program made stays its own to remove, wherever others put it.
            let own = self.maker.get(&object) == Some(&Whose::Program);
            // An equal link that the same user puts there in that moment cannot be told from the program's own.
            let equal = self.says(object, Some(NEW)) && self.link_index(&slot).is_some();
            if !(displaced || kept || loose || own || equal || self.excused.contains(&object)) {
                let what = format!("{} `{}` is not where it was put", self.kind(object), plain(&slot.1));
                self.wrong("everything_in_its_place", what);
            }
        }
    }

    /// Whether what is reported as left or kept is so.
    fn reports(&mut self, answer: &Answer, faulty: bool) {
        for path in answer.left.clone() {
            let one = std::slice::from_ref(&path);
            // What others took since then was there.
            let now = self.live.rows.keys();
            let there = now.chain(self.taken.iter().map(|(slot, _)| slot)).any(|slot| self.is_reported(one, slot));
            if !there && !faulty {
                let what = if answer.preserved.contains(&path) { "preserved" } else { "left" };
                let name = path.file_name().unwrap_or_default().to_owned();
                self.wrong("true_reports", format!("`{}` is reported as {what}, and is not there", plain(&name)));
            }
        }
        // From a directory that was moved out of the root Landlock lets nothing be taken back.
        let moved_out = self.scenario.host.confined && self.moved_out;
        let left: Vec<_> = answer.own_left().map(Path::to_path_buf).collect();
        if !left.is_empty() && !faulty && !moved_out {
            self.wrong(
                "nothing_left",
                left.iter().filter_map(|path| path.file_name()).map(|n| plain(&n.to_owned())).collect::<String>(),
            );
        }
    }

    /// Whether a success was so at some moment after the last change of the link's name.
    fn is_true(&mut self, index: usize, item: &Item) {
        let Some(path) = self.scenario.verb.links().get(index).copied() else {
            return self.wrong("a_success_is_true", "more was reported than was asked for");
        };
        let name = OsString::from(path.rsplit('/').next().unwrap_or(path));
        let dirs: Vec<Id> = self.moments.iter().filter_map(|moment| moment.links[index].0).collect();
        let ours = |(whose, changes): &(Whose, Vec<crate::view::Changed>)| {
            *whose == Whose::Program && changes.iter().any(|c| c.name == name && dirs.contains(&c.dir))
        };
        let last = self.log.iter().rposition(ours).map_or(0, |at| at + 1);
        let mut moments = self.moments.iter().filter(|moment| moment.changes >= last).map(|moment| moment.links[index]);
        let target = item.target.as_deref();
        let stood = match item.outcome.as_str() {
            "created" | "replaced" => moments.any(|(_, link)| {
                link.is_some_and(|link| self.says(link, target) && self.maker.get(&link) == Some(&Whose::Program))
            }),
            "exchanged" => moments.any(|(_, link)| link.is_some_and(|link| self.says(link, target))),
            // A walk takes two steps: its directory was there, and then it had the link.
            "unchanged" if target.is_some() => self
                .ever
                .iter()
                .any(|(slot, object)| slot.1 == name && self.link_index(slot).is_some() && self.says(*object, target)),
            "unchanged" => moments.any(|(_, link)| link.is_none()),
            "removed" => moments.any(|(dir, _)| {
                dir.is_some_and(|dir| {
                    self.log.iter().any(|entry| ours(entry) && entry.1.iter().any(|c| c.dir == dir && c.name == name))
                })
            }),
            _ => false,
        };
        if !stood {
            self.wrong("a_success_is_true", format!("{} never stood at `{path}`", item.outcome));
        }
        let compared = matches!(self.scenario.verb, Verb::Swap | Verb::SwapStale | Verb::RemoveExpected | Verb::Repair);
        if compared && item.outcome != "unchanged" && item.previous.as_deref() != Some(OLD) {
            self.wrong("a_mismatch_changes_nothing", format!("{:?} was displaced", item.previous));
        }
        if !item.verified && item.outcome != "skipped" {
            self.wrong("a_success_is_true", "it was not verified");
        }
        let confined = item.confinement.starts_with("landlock-");
        if confined && !self.scenario.host.confined {
            self.wrong("a_success_is_true", "it claims a confinement that was turned off");
        }
        if item.link != path {
            self.wrong("a_success_is_true", format!("it is about `{}`", item.link));
        }
    }

    fn may_fail(&mut self, answer: &Answer, faulty: bool) {
        let has = |kind: &str| answer.kinds.iter().any(|met| met == kind);
        if answer.code != answer.code_of_kinds() {
            self.wrong("exit_code", format!("{} for {:?}", answer.code, answer.kinds));
        }
        // Whatever these classes say, nothing was changed.
        if (3..=6).contains(&answer.code) && answer.changed {
            self.wrong("exit_code", format!("{:?} though the change stands", answer.kinds));
        }
        // A scan that finds nothing to repair succeeds without items.
        if answer.code == 0 && answer.items.is_empty() && self.scenario.verb != Verb::Repair {
            self.wrong("exit_code", "a success without an answer");
        }
        if faulty {
            return;
        }
        // What was changed in a directory that others moved away cannot be synced by its path.
        let not_synced = self.disturbed && answer.changed && self.scenario.verb == Verb::Repair;
        if has("io") && !not_synced || has("busy") {
            self.wrong("errors", format!("{:?} though no call failed and nobody held a lock", answer.kinds));
        }
        if (has("contended") || has("parent_moved") || has("residue")) && !self.disturbed {
            self.wrong("errors", format!("{:?} though nobody did anything", answer.kinds));
        }
    }

    /// Whether a path of a report is this name: its directory ever had the name that the path gives it.
    fn is_reported(&self, paths: &[PathBuf], (dir, name): &Slot) -> bool {
        paths.iter().any(|path| {
            let above = path.parent().and_then(Path::file_name);
            path.file_name() == Some(name)
                && above.map_or(*dir == self.places.base, |above| {
                    self.ever.iter().any(|((_, named), object)| object == dir && named == above)
                })
        })
    }
}
