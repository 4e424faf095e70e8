//! Plays every schedule of one or two deeds, and gathers what went wrong.

use std::collections::BTreeMap;
use std::rc::Rc;

use caplink::adversary::Tree;

use crate::deeds::{Deed, possible};
use crate::run::{Keep, Played, Schedule, play};
use crate::scene::Scene;

/// What went wrong, each with the first schedule that showed it and how many did.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) schedules: u64,
    /// Of these, in how many others changed something.
    pub(crate) disturbed: u64,
    pub(crate) wrongs: BTreeMap<String, (String, u64)>,
}

impl Findings {
    pub(crate) fn note(&mut self, scene: &Scene, schedule: &Schedule, played: &Played) {
        self.schedules += 1;
        self.disturbed += u64::from(played.judge.disturbed);
        for wrong in &played.judge.wrongs {
            let key = format!("{:?} {wrong}", scene.scenario.verb);
            let (_, times) = self.wrongs.entry(key).or_insert_with(|| (show(scene, schedule, played), 0));
            *times += 1;
        }
    }

    pub(crate) fn add(&mut self, other: Findings) {
        self.schedules += other.schedules;
        self.disturbed += other.disturbed;
        for (wrong, (example, times)) in other.wrongs {
            self.wrongs.entry(wrong).or_insert((example, 0)).1 += times;
        }
    }
}

impl Findings {
    /// Shows what went wrong, if anything did.
    pub(crate) fn assert_none(&self) {
        let lines =
            self.wrongs.iter().map(|(wrong, (example, times))| format!("{wrong} ({times} times)\n    {example}"));
        let lines: Vec<String> = lines.collect();
        assert!(lines.is_empty(), "{} laws were broken:\n{}", lines.len(), lines.join("\n"));
    }
}

/// A schedule in words: each deed with the call that it comes before.
fn show(scene: &Scene, schedule: &Schedule, played: &Played) -> String {
    let at = |point: usize| {
        let call = played.points.get(point);
        let nth = played.points.iter().take(point).filter(|other| Some(*other) == call).count();
        call.map_or("never".to_owned(), |call| format!("{call:?}#{nth}"))
    };
    let mut words = vec![scene.scenario.name()];
    words.extend(schedule.deeds.iter().map(|(point, deed)| format!("{deed:?} before {} ({point})", at(*point))));
    words
        .extend(schedule.fault.map(|fault| format!("{:?} from {} on: {}", fault.error, at(fault.at), fault.from_here)));
    let answer = match &played.result {
        Some(Ok(outcomes)) => outcomes[0].change.as_str().to_owned(),
        Some(Err(error)) => format!("{} left {:?} preserved {:?}", error.kind(), error.left(), error.preserved()),
        None => "panic".to_owned(),
    };
    format!("{}: {answer}", words.join("; "))
}

/// The deeds that have an effect before each call. Between calls that change nothing they are the same.
fn choices(scene: &Scene, trees: &[Tree]) -> Vec<Rc<[Deed]>> {
    let mut choices: Vec<Rc<[Deed]>> = Vec::new();
    let state = |tree: &Tree| (tree.log().len(), tree.locks());
    for (index, tree) in trees.iter().enumerate() {
        let same = index > 0 && state(tree) == state(&trees[index - 1]);
        let deeds = if same { Rc::clone(&choices[index - 1]) } else { possible(scene, tree).collect() };
        choices.push(deeds);
    }
    choices
}

/// Every deed that has an effect before a call of a run that nothing else comes to.
pub(crate) fn firsts(scene: &Scene) -> Vec<(usize, Deed)> {
    let quiet = play(scene, &Schedule::default(), Keep { trees_from: Some(0) });
    let choices = choices(scene, &quiet.trees);
    let at = |(point, deeds): (usize, &Rc<[Deed]>)| deeds.iter().map(|deed| (point, *deed)).collect::<Vec<_>>();
    choices.iter().enumerate().flat_map(at).collect()
}

/// No deed, and every single deed before every call.
pub(crate) fn singles(scene: &Scene, findings: &mut Findings) {
    let none = Schedule::default();
    findings.note(scene, &none, &play(scene, &none, Keep::default()));
    for first in firsts(scene) {
        let schedule = Schedule { deeds: vec![first], fault: None };
        findings.note(scene, &schedule, &play(scene, &schedule, Keep::default()));
    }
}

/// Every deed before every call after a first one.
pub(crate) fn pairs(scene: &Scene, findings: &mut Findings, first: (usize, Deed), mut choose: impl FnMut() -> bool) {
    let keep = Keep { trees_from: Some(first.0) };
    let single = play(scene, &Schedule { deeds: vec![first], fault: None }, keep);
    for (offset, deeds) in choices(scene, &single.trees).iter().enumerate() {
        for deed in deeds.iter().copied() {
            if choose() {
                let schedule = Schedule { deeds: vec![first, (first.0 + offset, deed)], fault: None };
                let played = play(scene, &schedule, Keep::default());
                findings.note(scene, &schedule, &played);
            }
        }
    }
}

/// These deeds in this order, before every choice of calls.
pub(crate) fn placed(scene: &Scene, deeds: &[Deed], findings: &mut Findings) {
    place_next(scene, deeds, &mut Vec::new(), findings);
}

fn place_next(scene: &Scene, deeds: &[Deed], before: &mut Vec<(usize, Deed)>, findings: &mut Findings) {
    let schedule = Schedule { deeds: before.clone(), fault: None };
    let played = play(scene, &schedule, Keep::default());
    let Some(deed) = deeds.get(before.len()).copied() else {
        findings.note(scene, &schedule, &played);
        return;
    };
    for point in before.last().map_or(0, |(at, _)| *at)..played.points.len() {
        before.push((point, deed));
        place_next(scene, deeds, before, findings);
        before.pop();
    }
}
