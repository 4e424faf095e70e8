//! Applies a group.

use std::cell::LazyCell;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use crate::apply::inform;
use crate::error::{Error, Kind, Result};
use crate::exec::{Back, Judged, Part, Published, Work, judge, sync_batch};
use crate::model::{Durability, Edit, Effect, Group, GroupStep, Guarantee, LinkPath, Outcome};
use crate::recorder::{Intent, Recorder};
use crate::records::actor::Actor;
use crate::records::author::Author;
use crate::records::below::below;
use crate::records::entry::{Body, Group as Announced, GroupEnd, Intent as AnnouncedIntent};
use crate::records::log::Log;
use crate::records::many::Many;
use crate::records::recovered::Recovered;
use crate::records::settle::{this_run, unsettled};
use crate::records::store::Records;
use crate::root::Root;
use crate::wire::Text;

use super::announce::{Announcing, Told};
use super::settle::{io_partial, left_to_others};

/// What a group came to.
#[derive(Debug)]
#[must_use = "a group can have been taken back"]
#[non_exhaustive]
pub struct GroupReport {
    /// Its id in the records; empty where nothing was to be changed, or nothing was begun.
    pub group: String,
    /// What each step came to, in order. Where it does not stand one has the error, and the others are
    /// [`Skipped`](Effect::Skipped); a link that others changed meanwhile has an error of its own.
    pub results: Vec<Result<Outcome>>,
    /// Changes of interrupted programs that were settled before it.
    pub recovered: Vec<Recovered>,
    /// Whether it stands as a whole.
    pub stands: bool,
}

impl GroupReport {
    fn of(judged: Judged, group: &Group, recovered: Vec<Recovered>) -> GroupReport {
        let stands = !judged.has_failed();
        let mut results = judged.results;
        if !stands {
            results.iter_mut().zip(&group.steps).for_each(|(result, step)| {
                if result.is_ok() {
                    *result = Ok(skipped(step));
                }
            });
            results.extend(group.steps[results.len()..].iter().map(|step| Ok(skipped(step))));
        }
        GroupReport { group: String::new(), results, recovered, stands }
    }
}

fn skipped(step: &GroupStep) -> Outcome {
    Outcome::of(step.path().clone(), Effect::Skipped)
}

impl Root {
    /// Judges a group and changes nothing: what [`apply_group`](Root::apply_group) would report, as the tree is now.
    pub fn preview_group(&self, group: &Group) -> GroupReport {
        self.foreseen(group, judge(self, group))
    }

    /// The same of a group that was judged.
    pub(crate) fn foreseen(&self, group: &Group, judged: Judged) -> GroupReport {
        let mut report = GroupReport::of(judged, group, Vec::new());
        for outcome in report.results.iter_mut().flatten().filter(|outcome| outcome.effect.is_change()) {
            outcome.durability = group.durability;
        }
        report
    }

    /// Carries out a group: all of it stands, or all of it is taken back.
    ///
    /// Everything is judged first, each step as those before it leave the tree. Other recorders of this root than the
    /// records are asked before, and informed after it.
    ///
    /// # Atomicity
    ///
    /// Each link is replaced as by a single edit. Between the first and the last readers see some of them; if the program
    /// is stopped there, [`Records::recover`] finishes the group or takes it back. Taking back makes nothing: it needs no
    /// space, no inode and no right that the change did not need. A link that others changed meanwhile is left to them.
    ///
    /// # Durability
    ///
    /// That of the group is reached once, behind the last step, before the records tell that it stands.
    ///
    /// # Errors
    ///
    /// Where nothing was begun: those of the records, and of what was to be settled before. Where a step fails, its error
    /// is in the report.
    pub fn apply_group(&self, records: &Records, author: &Author, group: &Group) -> Result<GroupReport> {
        self.apply_judged(records, author, group, None)
    }

    /// The same of a group that was judged just before; it is judged anew where another is settled first.
    pub(crate) fn apply_judged(
        &self,
        records: &Records,
        author: &Author,
        group: &Group,
        judged: Option<Judged>,
    ) -> Result<GroupReport> {
        let below = below(records.root(), self.image())?;
        group.reasons.values().try_for_each(|reason| Author::new(Actor::default(), Some(reason)).map(drop))?;
        let named = |path: &LinkPath| Text::new(below.join(path.as_path()));
        // Hardly ever another group is open, whose names are compared with these.
        let links = LazyCell::new(|| group.steps.iter().flat_map(paths).map(named).collect::<HashSet<Text>>());
        let mut recovered = records.settle_groups_of(&|name| links.contains(name))?;
        let mut judged = match judged {
            Some(judged) if recovered.is_empty() => judged,
            _ => judge(self, group),
        };
        let more = {
            let physical = |part: &Part| Text::new(below.join(&part.at));
            let physical = LazyCell::new(|| judged.parts.iter().map(physical).collect::<HashSet<Text>>());
            records.settle_groups_of(&|name| physical.contains(name))?
        };
        if !more.is_empty() {
            recovered.extend(more);
            judged = judge(self, group);
        }
        if judged.has_failed() || judged.parts.is_empty() {
            let mut report = GroupReport::of(judged, group, recovered);
            report.results.iter_mut().flatten().for_each(|outcome| outcome.dry_run = false);
            return Ok(report);
        }
        self.ask(group, &judged.results)?;
        let id = records.new_group_id()?;
        let applying = Applying { root: self, records, author, group, id, below: &below };
        let mut report = applying.apply(judged)?;
        recovered.append(&mut report.recovered);
        report.recovered = recovered;
        self.tell(group, &mut report.results);
        Ok(report)
    }

    /// Asks the recorders that are no records.
    fn ask(&self, group: &Group, results: &[Result<Outcome>]) -> Result<()> {
        let asked: Vec<&dyn Recorder> = self.recorders().iter().map(|recorder| &**recorder).collect();
        let mut asked = asked.into_iter().filter(|recorder| recorder.asks() && !recorder.is_records()).peekable();
        if asked.peek().is_none() {
            return Ok(());
        }
        let intents: Vec<Intent<'_>> = group
            .steps
            .iter()
            .zip(results)
            .filter_map(|(step, result)| match (step, result) {
                (GroupStep::Edit(edit), Ok(foreseen)) if foreseen.effect.is_change() => {
                    Some(Intent { edit, foreseen, below: self.image() })
                }
                _ => None,
            })
            .collect();
        asked.try_for_each(|recorder| recorder.before(&intents))
    }

    /// Informs the recorders that are no records.
    fn tell(&self, group: &Group, results: &mut [Result<Outcome>]) {
        let told: Vec<&dyn Recorder> =
            self.recorders().iter().map(|recorder| &**recorder).filter(|recorder| !recorder.is_records()).collect();
        if told.is_empty() {
            return;
        }
        let of_edits = group.steps.iter().enumerate().filter_map(|(number, step)| match step {
            GroupStep::Edit(edit) => Some((number, edit.clone())),
            _ => None,
        });
        let (numbers, edits): (Vec<usize>, Vec<Edit>) = of_edits.unzip();
        let mut came: Vec<Result<Outcome>> = numbers.iter().map(|number| results[*number].clone()).collect();
        inform(self, &told, &edits, &mut came);
        for (number, result) in numbers.into_iter().zip(came) {
            results[number] = result;
        }
    }
}

/// The names that a step is about.
fn paths(step: &GroupStep) -> Vec<&LinkPath> {
    match step {
        GroupStep::Restore { from, to } => vec![from, to],
        GroupStep::Adopt { link, to } => vec![link, to],
        step => vec![step.path()],
    }
}

/// A group that is applied.
struct Applying<'a> {
    root: &'a Root,
    records: &'a Records,
    author: &'a Author,
    group: &'a Group,
    id: String,
    /// Where the root is below that of the records.
    below: &'a Path,
}

impl Applying<'_> {
    fn apply(&self, judged: Judged) -> Result<GroupReport> {
        let Judged { results, parts } = judged;
        let work = match Work::begin(self.root, self.records.root(), &self.id, parts, self.group.durability) {
            Ok(work) => work,
            Err((Some(step), error)) => {
                let results = self.failed(step, error, false);
                return Ok(GroupReport { group: String::new(), results, recovered: Vec::new(), stands: false });
            }
            Err((None, error)) => return Err(error.during("begin a group")),
        };
        let announcing = Announcing {
            group: self.group,
            id: &self.id,
            parts: work.parts(),
            results: &results,
            author: self.author,
            below: self.below,
            run: this_run(),
        };
        let (first, recovered) = match self.announce(&announcing) {
            Ok(announced) => announced,
            Err(error) => {
                // Nothing was published.
                let _left = work.close();
                return Err(error);
            }
        };
        let published = work.publish();
        let mut report = match published.iter().position(Result::is_err) {
            None => {
                let published: Vec<_> = published.into_iter().flatten().collect();
                self.stands(work, results, &published, first)
            }
            Some(failed) => {
                let error = published.into_iter().nth(failed).and_then(Result::err);
                let error = error.unwrap_or_else(|| Error::new(Kind::Io));
                self.falls(work, failed, error, first)
            }
        };
        report.recovered = recovered;
        Ok(report)
    }

    /// Writes the group down. Returns the number of its first intent, and what was settled before it.
    fn announce(&self, announcing: &Announcing<'_>) -> Result<(u64, Vec<Recovered>)> {
        let names = LazyCell::new(|| announcing.names());
        let mut recovered = Vec::new();
        let decide = |log: &Log| {
            self.records.demands_reason(log, announcing.has_reasons())?;
            let touched = |open: &AnnouncedIntent| open.all_names().any(|name| names.contains(name));
            let (mut bodies, settled) = unsettled(self.records.root(), log, &touched);
            recovered = settled;
            let (group, verb) = (self.id.clone(), self.group.verb.to_owned());
            let count = announcing.parts.len() as u64;
            bodies.push(Body::Group(Arc::new(Announced { group, verb, count, run: announcing.run })));
            Ok(bodies)
        };
        let same = announcing.same();
        let intent = |number: usize, to: &mut Vec<u8>| announcing.write(&same, number, to);
        let numbers = self.records.append_many(decide, Many::members(announcing.parts.len(), &intent))?;
        Ok((numbers.last().copied().unwrap_or_default(), recovered))
    }

    /// Every part is published.
    fn stands(
        &self,
        work: Work,
        mut results: Vec<Result<Outcome>>,
        published: &[Published],
        first: u64,
    ) -> GroupReport {
        for (part, published) in work.parts().iter().zip(published) {
            let Ok(outcome) = &mut results[part.step] else { continue };
            if published.guarantee == Guarantee::Cooperative {
                outcome.guarantee = Guarantee::Cooperative;
            }
            if published.kept {
                outcome.effect = Effect::Unchanged;
            }
        }
        for outcome in results.iter_mut().flatten() {
            outcome.dry_run = false;
            outcome.durability = Durability::None;
        }
        sync_batch(work.batch(), &mut results);
        let end = self.tell_parts(&work, first, |part| match &results[part.step] {
            Ok(outcome) => Told::of(part, outcome, self.below),
            Err(_) => Told::default(),
        });
        let shortfall = match end {
            Ok(()) => self.close(work, "done").err(),
            // What was displaced stays until it is known that the group stands.
            Err(error) => Some(error),
        };
        if let (Some(error), Some(outcome)) = (shortfall, results.iter_mut().flatten().find(|o| o.effect.is_change())) {
            let link = outcome.link.clone();
            outcome.shortfalls.push(error.on("record", &link));
        }
        GroupReport { group: self.id.clone(), results, recovered: Vec::new(), stands: true }
    }

    /// A part could not be published: those before it are taken back.
    fn falls(&self, mut work: Work, failed: usize, error: Error, first: u64) -> GroupReport {
        let backs = work.take_back();
        let step = work.parts()[failed].step;
        let kind = error.kind();
        let mut results = self.failed(step, error, true);
        let mut is_open = false;
        for (number, (part, back)) in work.parts().iter().zip(&backs).enumerate() {
            let path = self.group.steps[part.step].path();
            match back {
                Ok(Back::Theirs(found)) if number < failed && !part.makes_dir() => {
                    let error = left_to_others(found.as_ref());
                    if results[part.step].is_ok() {
                        results[part.step] = Err(error.on(self.group.steps[part.step].verb(), path).in_group(&self.id));
                    }
                }
                Ok(Back::Theirs(_)) if part.makes_dir() => {
                    if let Err(error) = &mut results[step] {
                        *error = error.clone().having_made(vec![part.at.to_path_buf()]);
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    is_open = true;
                    results[part.step] = Err(io_partial(error, &self.id, path.as_path()).having_changed());
                }
            }
        }
        sync_batch(work.batch(), &mut []);
        if !is_open {
            let told = self
                .tell_parts(&work, first, |part| Told::failed(if part.step == step { kind } else { Kind::Partial }));
            let closed = told.and_then(|()| self.close(work, "undone"));
            if let (Err(closed), Err(error)) = (closed, &mut results[step]) {
                *error = error.clone().leaving(closed.left().to_vec(), closed.preserved().to_vec());
            }
        }
        GroupReport { group: self.id.clone(), results, recovered: Vec::new(), stands: false }
    }

    /// Writes down the results of the parts, of which the first intent has this number.
    fn tell_parts<'t>(&self, work: &Work, first: u64, told: impl Fn(&Part) -> Told<'t>) -> Result<()> {
        let parts = work.parts();
        let tell = |number: usize, to: &mut Vec<u8>| told(&parts[number]).write(first + number as u64, to);
        self.records.append_many(|_| Ok(Vec::new()), Many::results_from(first, parts.len(), &tell)).map(drop)
    }

    fn close(&self, work: Work, outcome: &str) -> Result<()> {
        work.close()?;
        let end = GroupEnd { group: self.id.clone(), outcome: outcome.to_owned() };
        self.records.append_unsynced(|_| Ok(vec![Body::GroupEnd(end)])).map(drop)
    }

    /// The failing step's error, and every other step skipped.
    fn failed(&self, step: usize, error: Error, is_announced: bool) -> Vec<Result<Outcome>> {
        let mut results: Vec<Result<Outcome>> = self.group.steps.iter().map(|step| Ok(skipped(step))).collect();
        let of = &self.group.steps[step];
        let error = error.on(of.verb(), of.path()).denied_at(of.path().as_path());
        let error = self.root.or_gone(error);
        results[step] = Err(if is_announced { error.in_group(&self.id) } else { error });
        results
    }
}
