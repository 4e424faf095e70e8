//! Plays every schedule of one or two actions, and gathers what went wrong.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use caplink::adversary::Tree;

use crate::answers::Answers;
use crate::attacker::possible;
use crate::run::{Fault, Keep, Played, Schedule, TREES_MAX, play};
use crate::scene::{Scenario, Scene};
use crate::state::State;
use crate::support::action::Action;
use crate::sweep::{Draw, Part};

/// What went wrong, each with the first schedule that showed it and how many did.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) schedules: u64,
    /// How many more come to the same as one of them.
    pub(crate) equal: u64,
    /// Of these, in how many others changed something.
    pub(crate) disturbed: u64,
    pub(crate) wrongs: BTreeMap<String, (String, u64)>,
}

impl Findings {
    pub(crate) fn note(&mut self, scene: &Scene, schedule: &Schedule, played: &Played) {
        self.disturbed += u64::from(played.judge.disturbed);
        self.count(&scene.scenario, played.judge.violations.clone(), || show(scene, schedule, played));
    }

    /// Counts a schedule, with what went wrong and the schedule in words.
    pub(crate) fn count(&mut self, scenario: &Scenario, wrongs: Vec<String>, words: impl Fn() -> String) {
        self.schedules += 1;
        for wrong in wrongs {
            let key = format!("{} {wrong}", scenario.verb.row());
            self.wrongs.entry(key).or_insert_with(|| (words(), 0)).1 += 1;
        }
    }

    pub(crate) fn add(&mut self, other: Findings) {
        self.schedules += other.schedules;
        self.equal += other.equal;
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

/// A schedule in words: each action with the call that it comes before.
fn show(scene: &Scene, schedule: &Schedule, played: &Played) -> String {
    let at = |point: usize| {
        let call = played.points.get(point);
        let nth = played.points.iter().take(point).filter(|other| Some(*other) == call).count();
        call.map_or("never".to_owned(), |call| format!("{call:?}#{nth}"))
    };
    let mut words = vec![scene.scenario.name()];
    words.extend(schedule.actions.iter().map(|(point, action)| format!("{action:?} before {} ({point})", at(*point))));
    words.extend(schedule.fault.map(|fault| {
        let (at, call) = (fault.at, played.calls.get(fault.at));
        let nth = played.calls.iter().take(at).filter(|other| Some(*other) == call).count();
        let how_long = if fault.from_here { "from here on" } else { "once" };
        format!("{:?} fails, {how_long}: {call:?}#{nth} ({at})", fault.error)
    }));
    let answer = played.answers.as_ref().map_or("panic".to_owned(), Answers::in_words);
    format!("{}: {answer}", words.join("; "))
}

/// The actions that have an effect before each call. Between calls that change nothing they are the same.
fn choices(scene: &Scene, trees: &[Tree], mut choose: impl FnMut() -> bool) -> Vec<Rc<[Action]>> {
    let mut choices: Vec<Rc<[Action]>> = Vec::new();
    let mut last: Option<(_, Rc<[Action]>)> = None;
    for tree in trees {
        if !choose() {
            choices.push(Rc::default());
            continue;
        }
        let state = (tree.log().len(), tree.locks());
        let actions = match &last {
            Some((before, actions)) if *before == state => Rc::clone(actions),
            _ => possible(scene, tree).collect(),
        };
        last = Some((state, Rc::clone(&actions)));
        choices.push(actions);
    }
    choices
}

/// Every action that has an effect before a call of a run that nothing else comes to.
pub(crate) fn firsts(scene: &Scene) -> Vec<(usize, Action)> {
    let quiet = play(scene, &Schedule::default(), Keep::trees_from(0));
    let choices = choices(scene, &quiet.trees, || true);
    let at =
        |(point, actions): (usize, &Rc<[Action]>)| actions.iter().map(|action| (point, *action)).collect::<Vec<_>>();
    choices.iter().enumerate().flat_map(at).collect()
}

/// An action before a call from a first one on, or where a call fails: every one that is chosen.
pub(crate) fn seconds(scene: &Scene, findings: &mut Findings, first: &Schedule, draw: &mut Draw, part: Part) {
    let from = first.actions.first().map_or(0, |(point, _)| *point);
    let played = play(scene, first, Keep::trees_from(from));
    let choices = choices(scene, &played.trees, || draw.one_of(part.points));
    for (offset, actions) in choices.iter().enumerate() {
        for action in actions.iter().copied() {
            if draw.one_of(part.actions) {
                let mut schedule = first.clone();
                schedule.actions.push((from + offset, action));
                findings.note(scene, &schedule, &play(scene, &schedule, Keep::default()));
            }
        }
    }
}

/// The states that first actions led to, each with how many seconds can come from there on.
#[derive(Default)]
pub(crate) struct Seen(HashMap<[u64; 2], (Option<usize>, u64)>);

/// Hands on every action before every call from a first one on, but for those in a state that another first one led to.
/// Returns how many those are.
///
/// From such a state on they come to the same, so that they are counted, and not played. The first actions have to come in
/// the order of their calls: then what is played is what the judge excuses least.
pub(crate) fn every_second(
    scene: &Scene,
    first: (usize, Action),
    seen: &mut Seen,
    mut pair: impl FnMut(&Schedule),
) -> u64 {
    let from = first.0;
    let mut schedule = Schedule { actions: vec![first], fault: None };
    let played = play(scene, &schedule, Keep { trees_from: Some(from), states: true });
    // What comes after the last tree that is kept is played with none.
    let whole = played.trees.len() < TREES_MAX;
    let known = |(at, state): (usize, &State)| {
        let (interfered, seconds) = seen.0.get(&state.hashes)?;
        (whole && *interfered <= state.interfered).then_some((at, *seconds))
    };
    // Before its own call the action is still to come.
    let known = played.states.iter().enumerate().skip(1).find_map(known);
    let (end, equal) = known.unwrap_or((played.trees.len(), 0));
    let choices = choices(scene, &played.trees[..end], || true);
    for (offset, actions) in choices.iter().enumerate() {
        for action in actions.iter().copied() {
            schedule.actions.push((from + offset, action));
            pair(&schedule);
            schedule.actions.pop();
        }
    }
    let mut seconds = equal;
    for (actions, state) in choices.iter().zip(&played.states).skip(1).rev().filter(|_| whole) {
        seconds += actions.len() as u64;
        seen.0.insert(state.hashes, (state.interfered, seconds));
    }
    equal
}

/// These actions in this order, before every choice of calls, where a call fails or none does.
pub(crate) fn placed(scene: &Scene, actions: &[Action], fault: Option<Fault>, findings: &mut Findings) {
    place_next(scene, actions, &mut Schedule { actions: Vec::new(), fault }, findings);
}

fn place_next(scene: &Scene, actions: &[Action], before: &mut Schedule, findings: &mut Findings) {
    let played = play(scene, before, Keep::default());
    let Some(action) = actions.get(before.actions.len()).copied() else {
        findings.note(scene, before, &played);
        return;
    };
    for point in before.actions.last().map_or(0, |(at, _)| *at)..played.points.len() {
        before.actions.push((point, action));
        place_next(scene, actions, before, findings);
        before.actions.pop();
    }
}
