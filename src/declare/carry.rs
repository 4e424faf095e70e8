//! Carries a plan out: as one group, or each step by itself.

use std::ffi::OsString;

use super::{Manifests, Planned};
use crate::error::{Error, Kind, Result};
use crate::exec::{judge, judge_each};
use crate::model::{Durability, Effect, Group, GroupStep, LinkPath, Outcome};
use crate::plan::{Action, ManifestStep};
use crate::records::{Author, CLAIMS, Claims, GroupReport, Kept, NewFact, Records, Recovered, Settings};
use crate::wire::Text;

/// What carrying a plan out came to.
#[derive(Debug)]
#[must_use = "a plan can have been refused"]
#[non_exhaustive]
pub struct Applied {
    /// The id of its group; empty where nothing was to be changed, or each step was carried out by itself.
    pub group: String,
    /// What each step of the plan came to, in order.
    pub results: Vec<Result<Outcome>>,
    /// Changes of interrupted programs that were settled before it.
    pub recovered: Vec<Recovered>,
    /// Whether it stands as a whole.
    pub stands: bool,
}

impl Manifests {
    /// Carries a plan out as one group: all of it stands, or none. Makes records where there are none.
    ///
    /// A plan with a conflict is refused whole: each conflict is an error, and nothing is begun.
    ///
    /// # Durability
    ///
    /// Each changed directory is synced.
    ///
    /// # Errors
    ///
    /// Those of making the records, and of [`Root::apply_group`](crate::Root::apply_group).
    pub fn apply(&self, planned: &Planned, author: &Author) -> Result<Applied> {
        self.carry(planned, author, Durability::Dir, false)
    }

    /// The same, with `durability`; where `keep_going`, each step is carried out for itself, and what fails does not keep
    /// the others from being made.
    ///
    /// # Errors
    ///
    /// Those of [`apply`](Manifests::apply).
    pub fn carry(
        &self,
        planned: &Planned,
        author: &Author,
        durability: Durability,
        keep_going: bool,
    ) -> Result<Applied> {
        if !keep_going && planned.plan.conflicts().next().is_some() || planned.is_at_rest() {
            return Ok(self.refused_or_kept(planned));
        }
        let steps = &planned.plan.steps;
        let (group, places) =
            if keep_going { (Group::new("apply"), Vec::new()) } else { group_of(planned, steps, durability) };
        let (records, judged) = match &self.records {
            Some(records) => (records.clone(), None),
            None => {
                // What is refused makes no records.
                let judged = judge(&self.root, &group);
                if judged.has_failed() {
                    let report = self.root.foreseen(&group, judged);
                    return Ok(of_report(steps, &places, report));
                }
                (Records::init(&self.root, Settings::default(), author)?.0, Some(judged))
            }
        };
        let mut applied = if keep_going {
            self.each(planned, &records, author, durability)?
        } else if group.steps.is_empty() {
            self.refused_or_kept(planned)
        } else {
            let report = self.root.apply_judged(&records, author, &group, judged)?;
            of_report(steps, &places, report)
        };
        if applied.stands || keep_going {
            let told = claim(planned, &records, author);
            if let (Err(error), Some(outcome)) = (told, applied.results.iter_mut().flatten().next()) {
                outcome.shortfalls.push(error.during("record"));
            }
        }
        Ok(applied)
    }

    /// What [`carry`](Manifests::carry) would come to; changes nothing.
    #[must_use = "it says what would be done"]
    pub fn preview(&self, planned: &Planned, durability: Durability, keep_going: bool) -> Applied {
        if !keep_going && planned.plan.conflicts().next().is_some() || planned.plan.is_empty() {
            return self.refused_or_kept(planned);
        }
        let steps = &planned.plan.steps;
        let (group, places) = group_of(planned, steps, durability);
        if !keep_going {
            return of_report(steps, &places, self.root.preview_group(&group));
        }
        let mut came = judge_each(&self.root, &group, &places);
        for outcome in came.iter_mut().flatten().filter(|outcome| outcome.effect.is_change()) {
            outcome.durability = durability;
        }
        let results = results(steps, &places, came);
        let stands = results.iter().all(Result::is_ok);
        Applied { group: String::new(), results, recovered: Vec::new(), stands }
    }

    fn refused_or_kept(&self, planned: &Planned) -> Applied {
        let has_conflict = planned.plan.conflicts().next().is_some();
        let result = |step: &ManifestStep| match step.error() {
            Some(error) => Err(error),
            None if has_conflict => Ok(outcome(step, Effect::Skipped)),
            None => at_rest(step),
        };
        let results = planned.plan.steps.iter().map(result).collect();
        Applied { group: String::new(), results, recovered: Vec::new(), stands: !has_conflict }
    }

    fn each(&self, planned: &Planned, records: &Records, author: &Author, durability: Durability) -> Result<Applied> {
        let mut applied = Applied { group: String::new(), results: Vec::new(), recovered: Vec::new(), stands: true };
        for step in &planned.plan.steps {
            let one = std::slice::from_ref(step);
            let (group, places) = group_of(planned, one, durability);
            let mut came = Vec::new();
            if !group.steps.is_empty() {
                let report = self.root.apply_group(records, author, &group)?;
                came = report.results;
                applied.recovered.extend(report.recovered);
            }
            applied.results.extend(results(one, &places, came));
        }
        applied.stands = applied.results.iter().all(Result::is_ok);
        Ok(applied)
    }
}

/// The group of some steps, and for each of them how many steps of the group are its own.
fn group_of(planned: &Planned, steps: &[ManifestStep], durability: Durability) -> (Group, Vec<usize>) {
    let verb = if planned.takes_back { "unapply" } else { "apply" };
    let mut group = Group::new(verb).owned_by(&*planned.manifest).durability(durability);
    let mut places = Vec::with_capacity(steps.len());
    for step in steps {
        let before = group.steps.len();
        match step.action {
            Action::Mkdir => group.push(GroupStep::MakeDir(step.link.clone())),
            Action::Rmdir => group.push(GroupStep::RemoveDir(step.link.clone())),
            _ => group.extend(step.edit()),
        }
        if let Some(from) = step.restore.as_ref().and_then(|from| LinkPath::new(from).ok()) {
            group.push(GroupStep::Restore { from, to: step.link.clone() });
        }
        places.push(group.steps.len() - before);
    }
    (group, places)
}

/// What a plan came to by what its group came to.
fn of_report(steps: &[ManifestStep], places: &[usize], report: GroupReport) -> Applied {
    let results = results(steps, places, report.results);
    Applied { group: report.group, results, recovered: report.recovered, stands: report.stands }
}

/// What each step came to, by what its steps of the group came to: the first error, else the last outcome.
fn results(steps: &[ManifestStep], places: &[usize], came: Vec<Result<Outcome>>) -> Vec<Result<Outcome>> {
    if places.iter().all(|count| *count == 1) && came.len() == steps.len() {
        return came;
    }
    let mut came = came.into_iter();
    let mut result = |(step, count): (&ManifestStep, &usize)| {
        let own: Vec<Result<Outcome>> = came.by_ref().take(*count).collect();
        let mut last = None;
        for result in own {
            last = Some(result?);
        }
        match (last, step.error()) {
            (Some(outcome), _) => Ok(outcome),
            (None, Some(error)) => Err(error),
            (None, None) => at_rest(step),
        }
    };
    steps.iter().zip(places).map(&mut result).collect()
}

/// What a step came to that changes nothing.
fn at_rest(step: &ManifestStep) -> Result<Outcome> {
    match step.action {
        Action::Keep => Ok(outcome(step, Effect::Unchanged)),
        Action::Skip => Ok(outcome(step, Effect::Skipped)),
        _ => Err(Error::new(Kind::InvalidPath).on("apply", &step.link)),
    }
}

fn outcome(step: &ManifestStep, effect: Effect) -> Outcome {
    Outcome { target: step.target.as_deref().map(OsString::from), ..Outcome::of(step.link.clone(), effect) }
}

/// Tells the records of links that were found, and of what is relied on no more.
fn claim(planned: &Planned, records: &Records, author: &Author) -> Result<()> {
    /// So many links are told in one entry.
    const TOGETHER: usize = 1000;
    let claims = &planned.claims;
    if claims.is_empty() {
        return Ok(());
    }
    let kept: Vec<Kept> =
        claims.kept.iter().map(|(link, text)| Kept::new(Text::new(link.as_path()), text.clone())).collect();
    let dropped: Vec<Text> = claims.dropped.iter().map(|link| Text::new(link.as_path())).collect();
    let count = kept.len().max(dropped.len()).div_ceil(TOGETHER).max(1);
    let part = |number: usize| {
        let of = |length: usize| (number * TOGETHER).min(length)..((number + 1) * TOGETHER).min(length);
        let claims = Claims {
            owner: planned.manifest.clone(),
            kept: kept[of(kept.len())].to_vec(),
            dropped: dropped[of(dropped.len())].to_vec(),
            source: claims.source.as_ref().filter(|_| number == 0).map(Text::new),
        };
        let verb = if planned.takes_back { "unapply" } else { "apply" }.to_owned();
        let data = serde_json::value::to_raw_value(&claims).expect("BUG: claims have string keys");
        NewFact { topic: CLAIMS, verb, outcome: "unchanged", data }
    };
    records.add_facts(author, (0..count).map(part).collect())
}
