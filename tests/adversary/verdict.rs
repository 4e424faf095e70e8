//! What a run came to: whether the answer is true, and everything is where it belongs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use caplink::adversary::{Actor, Change as Written, Object, Tree};
use caplink::{Effect, Error, FileKind, Kind, Outcome};

use crate::answers::{Answers, Reported};
use crate::judge::{Judge, Row, row};
use crate::run::Fault;
use crate::scene::{NEW, OLD, Verb};

impl Judge {
    /// Whether the answer is true, and everything is where it belongs.
    pub(crate) fn verdict(&mut self, tree: &Tree, answers: &Answers, fault: Option<Fault>) {
        if tree.descriptors() != 1 {
            self.wrong("descriptors", format!("{} are open", tree.descriptors()));
        }
        if fault.is_some_and(Fault::is_false) {
            // Where the kernel says what is not so, nothing true can be reported: what was done was judged already.
            return;
        }
        let faulty = fault.is_some();
        let names = answers.reported();
        for (index, outcome) in &answers.outcomes {
            if let Some(index) = index {
                self.is_true(tree, *index, outcome);
            }
        }
        for error in &answers.errors {
            self.may_fail(error, faulty);
        }
        self.extras(tree, answers, &names);
        self.losses(tree, answers, &names);
        self.reports(tree, &names, faulty);
    }

    /// The change of what has this name: of a link of the scenario's, or of another that a repair came by.
    fn change_of<'a>(&self, answers: &'a Answers, dir: Object, name: &OsStr) -> Option<&'a Outcome> {
        if let Some(index) = self.link_index(dir, name) {
            return answers.changed(index);
        }
        let others = answers.outcomes.iter().filter(|(index, _)| index.is_none()).map(|(_, outcome)| outcome);
        let is_it = |outcome: &&Outcome| self.is_reported(&[outcome.link.as_path().to_path_buf()], dir, name);
        others.filter(|outcome| outcome.effect.is_change()).find(is_it)
    }

    /// What is at names that others did not put there.
    fn extras(&mut self, tree: &Tree, answers: &Answers, Reported { left, preserved, made, backups }: &Reported) {
        let reported: Vec<PathBuf> = left.iter().chain(preserved).cloned().collect();
        for (dir, name, object) in self.live.clone() {
            if row(&self.books, (dir, &name)) == Some(object) {
                continue;
            }
            let ours = tree.node(object).maker == Actor::Executor && !self.adopted.contains(&object);
            let changed = self.change_of(answers, dir, &name);
            let is_dir = tree.node(object).kind == FileKind::Dir;
            let explained = if ours {
                let published = changed.is_some_and(|outcome| outcome.target.as_deref() == tree.text(object));
                let parent = is_dir && self.is_reported(made, dir, &name);
                let kept_in =
                    is_dir && reported.iter().any(|path| path.parent().and_then(Path::file_name) == Some(&name));
                !is_dir && published || parent || kept_in || self.is_reported(left, dir, &name)
            } else {
                let traded = changed.is_some_and(|outcome| {
                    outcome.effect == Effect::Exchanged && outcome.target.as_deref() == tree.text(object)
                });
                let adrift = row(&self.adrift, (dir, &name)) == Some(object);
                let second = name.to_string_lossy().starts_with(".caplink-") && self.is_reported(left, dir, &name);
                let kept = self.is_reported(backups, dir, &name) || self.is_reported(preserved, dir, &name);
                // What others put there was renamed over; what was there before is put back, not knowing of it.
                let restored = self.overwritten.contains(&(dir, name.clone()));
                // Whose it is cannot be told where it cannot be looked at.
                let unseen = self.sealed && self.is_reported(left, dir, &name);
                traded || adrift || second || kept || restored || unseen || self.loose.contains(&object)
            };
            if !explained {
                let whose = if ours { "of the executor's is left" } else { "of others was moved" };
                let kind = tree.node(object).kind;
                self.wrong("left_behind", format!("{kind:?} `{}` {whose}", name.display()));
            }
        }
    }

    /// What is not where others put it.
    fn losses(&mut self, tree: &Tree, answers: &Answers, Reported { preserved, backups, .. }: &Reported) {
        let missing = |(dir, name, object): &&Row| row(&self.live, (*dir, name)) != Some(*object);
        let mut lost: Vec<Row> = self.books.iter().filter(missing).cloned().collect();
        lost.extend(self.adrift.iter().filter(missing).cloned());
        for (dir, name, object) in lost {
            let changed = self.change_of(answers, dir, &name);
            let displaced = changed.is_some_and(|outcome| match outcome.effect {
                Effect::Replaced | Effect::Removed => {
                    tree.text(object).is_some_and(|text| Some(text) == outcome.previous.as_deref())
                }
                Effect::Exchanged => outcome.previous.as_deref() == tree.text(object),
                _ => false,
            });
            let kept = self.live.iter().any(|(d, n, o)| {
                *o == object && (self.is_reported(preserved, *d, n) || self.is_reported(backups, *d, n))
            });
            let replaced = |(_, outcome): &(_, Outcome)| outcome.previous.as_deref() == tree.text(object);
            let loose =
                self.loose.contains(&object) && (tree.node(object).links > 0 || answers.outcomes.iter().any(replaced));
            // What the executor made stays its own to remove, wherever others put it.
            let loose = loose || tree.node(object).maker == Actor::Executor;
            // An equal link that the same user puts there in that moment cannot be told from the executor's own.
            let executor = self.scene.scenario.executor();
            let equal = |link| tree.text(link) == Some(OsStr::new(NEW)) && tree.node(link).uid == executor;
            let loose = loose || equal(object) && self.link_index(dir, &name).is_some();
            if !(displaced || kept || loose || self.excused.contains(&object)) {
                let kind = tree.node(object).kind;
                self.wrong("everything_in_its_place", format!("{kind:?} `{}` is not where it was put", name.display()));
            }
        }
    }

    /// Whether what is reported as left or kept is so.
    fn reports(&mut self, tree: &Tree, Reported { left, preserved, .. }: &Reported, faulty: bool) {
        for (paths, ours) in [(left, true), (preserved, false)] {
            for path in paths {
                let one = std::slice::from_ref(path);
                // What others put somewhere is theirs, also where the executor made it.
                let fits = |object| match tree.node(object).maker {
                    Actor::Executor => ours || self.adopted.contains(&object),
                    Actor::Other => !ours,
                };
                // A second name for a link of others is the executor's to remove.
                let own = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".caplink-"));
                // What others took since then was there.
                let there = self
                    .live
                    .iter()
                    .chain(&self.taken)
                    .any(|(dir, name, object)| self.is_reported(one, *dir, name) && (fits(*object) || ours && own));
                if !there && !faulty && !self.sealed {
                    let what = if ours { "left" } else { "preserved" };
                    self.wrong("true_reports", format!("`{}` is reported as {what}, and is not there", path.display()));
                }
            }
        }
        // Who holds the lock, or took the private directory, can keep the executor from taking back what it made; and
        // so can who takes the names again while it does.
        let touched = |path: &PathBuf| {
            let one = std::slice::from_ref(path);
            self.live.iter().any(|(dir, name, o)| self.is_reported(one, *dir, name) && self.adopted.contains(o))
        };
        let met_again = self.deeds > 1 && (!preserved.is_empty() || left.iter().all(touched));
        let kept_from = self.sealed || self.locked || self.unhoused || met_again;
        if !left.is_empty() && !faulty && !kept_from {
            self.wrong("nothing_left", format!("{left:?}"));
        }
    }

    /// Whether a success was so at some moment after the last change of the link's name.
    fn is_true(&mut self, tree: &Tree, index: usize, outcome: &Outcome) {
        let path = self.scene.scenario.links()[index];
        let name = path.rsplit('/').next().unwrap_or(path);
        let ours = |change: &Written| {
            change.actor == Actor::Executor
                && change.slots.iter().any(|slot| {
                    *slot.name == *name && self.moments.iter().any(|moment| moment.links[index].0 == Some(slot.dir))
                })
        };
        let last = tree.log().iter().rposition(ours).map_or(0, |at| at + 1);
        let mut moments = self.moments.iter().filter(|m| m.changes >= last).map(|m| m.links[index]);
        let says = |link: Option<Object>, text: Option<&OsStr>| link.is_some_and(|link| tree.text(link) == text);
        let target = outcome.target.as_deref();
        let stood = match outcome.effect {
            Effect::Created | Effect::Replaced => moments.any(|(_, link)| {
                says(link, target) && link.is_some_and(|link| tree.node(link).maker == Actor::Executor)
            }),
            Effect::Exchanged => moments.any(|(_, link)| says(link, target)),
            // A walk takes two steps: its directory was there, and then it had the link.
            Effect::Unchanged if target.is_some() => self.ever.iter().any(|(dir, named, object)| {
                **named == *name && self.link_index(*dir, named).is_some() && says(Some(*object), target)
            }),
            Effect::Unchanged => moments.any(|(_, link)| link.is_none()),
            Effect::Removed => moments.any(|(dir, _)| {
                dir.is_some()
                    && tree.log().iter().rev().any(|change| {
                        ours(change) && change.slots.iter().any(|slot| Some(slot.dir) == dir && *slot.name == *name)
                    })
            }),
            _ => false,
        };
        if !stood {
            self.wrong("a_success_is_true", format!("{:?} never stood at `{path}`", outcome.effect));
        }
        let compared = matches!(self.scene.scenario.verb, Verb::Swap | Verb::SwapStale | Verb::RemoveExpected);
        if compared && outcome.effect.is_change() && outcome.previous.as_deref() != Some(OsStr::new(OLD)) {
            self.wrong("a_mismatch_changes_nothing", format!("{:?} was displaced", outcome.previous));
        }
        if !outcome.verified {
            self.wrong("a_success_is_true", "it was not verified");
        }
    }

    fn may_fail(&mut self, error: &Error, faulty: bool) {
        if !faulty && error.kind() == Kind::Io {
            self.wrong("errors", format!("{error:?}"));
        }
        if !faulty && error.kind() == Kind::Busy && !self.locked {
            self.wrong("errors", "busy, though nobody held the lock");
        }
        let undisturbed = matches!(error.kind(), Kind::Contended | Kind::ParentMoved | Kind::Residue);
        if undisturbed && !self.disturbed && !faulty {
            self.wrong("errors", format!("{} though nobody did anything", error.kind()));
        }
    }
}
