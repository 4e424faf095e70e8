//! An edit happens at one moment: a single action comes before it or after it, and the answer is the one of that order.
//!
//! What comes before is answered as where it is done before the edit begins, what comes after as where nothing is done.
//! A third answer is owed only where the executor can no longer choose: others take the name from what it published, or
//! from what it gave back; the directory under its hands is not the one of the path any more; a directory that took the
//! name may not be moved.

use std::collections::BTreeMap;

use caplink::adversary::{Actor, Change, Tree};
use caplink::{Error, Kind};

use crate::answers::Answers;
use crate::attacker::acts;
use crate::run::{Keep, Played, Schedule, play_on};
use crate::scene::{Scenario, Scene};
use crate::support::action::Action;

/// What an edit answers where nothing is done, and where each action is done before it begins.
pub(crate) struct Orders<'a> {
    scene: &'a Scene,
    quiet: String,
    first: BTreeMap<Action, String>,
}

impl<'a> Orders<'a> {
    pub(crate) fn of(scene: &'a Scene, quiet: &Played) -> Orders<'a> {
        Orders { scene, quiet: answer_of(quiet.answers.as_ref()), first: BTreeMap::new() }
    }

    /// Holds the answer to one action against both.
    pub(crate) fn hold(&mut self, action: Action, played: &mut Played) {
        let now = answer_of(played.answers.as_ref());
        if now == self.quiet || may_differ(self.scene.scenario, action, played) {
            return;
        }
        let first = self.first.entry(action).or_insert_with(|| {
            let mut tree = Tree::clone(&self.scene.tree);
            acts(self.scene, &mut tree, action);
            answer_of(play_on(self.scene, tree, &Schedule::default(), Keep::default()).answers.as_ref())
        });
        if now != *first {
            let wrong = format!("{now}; done first: {first}; not done: {}", self.quiet);
            played.judge.violation("one_moment", wrong);
        }
    }
}

/// An answer in words, without the names that are chosen.
pub(crate) fn answer_of(answers: Option<&Answers>) -> String {
    let Some(answers) = answers else { return "panic".to_owned() };
    let outcomes = answers.outcomes.iter().map(|(_, outcome)| {
        let backup = if outcome.backup.is_some() { " with a backup" } else { "" };
        let short = if outcome.shortfalls.is_empty() { "" } else { " with a shortfall" };
        let [previous, target] = [&outcome.previous, &outcome.target].map(Option::as_deref);
        format!("{} from {previous:?} to {target:?}{backup}{short}", outcome.effect.as_str())
    });
    let errors = answers.errors.iter().map(|error| error.kind().to_string());
    outcomes.chain(errors).collect::<Vec<_>>().join(", ")
}

/// Whether another answer than those of both orders is owed.
fn may_differ(scenario: Scenario, action: Action, played: &Played) -> bool {
    let word = format!("{action:?}");
    let of = |groups: &[&str]| groups.iter().any(|group| word.starts_with(group));
    // What was staged has no place in the order, and a directory that is made on the way comes into being in between.
    if of(&["Staged", "Root"]) || action == Action::NameOverStaged || scenario.verb.makes_parents() {
        return true;
    }
    let errors = played.answers.as_ref().map_or(&[][..], |answers| &answers.errors);
    match errors.first().map(Error::kind) {
        Some(Kind::ParentMoved | Kind::Dangling | Kind::Contended) if of(&["Parent", "Grand", "SecondParent"]) => true,
        // What was done is reported, with what could not be looked at any more.
        Some(Kind::Residue) | None => matches!(action, Action::ParentRemoved | Action::ParentSealed),
        // A directory of others.
        Some(Kind::Permission) => of(&["NameDir", "NameFullDir", "NameExchangedWithDir", "SecondDir"]),
        Some(Kind::Contended) if of(&["Name", "Second", "PutBack"]) => {
            is_published_first(scenario, &played.end) || !errors[0].preserved().is_empty()
        }
        _ => false,
    }
}

/// Whether the executor changed one of the names of the scenario before others changed anything.
fn is_published_first(scenario: Scenario, tree: &Tree) -> bool {
    let is_link = |name: &str| scenario.links().iter().any(|path| path.rsplit('/').next() == Some(name));
    let is_ours = |change: &&Change| change.actor == Actor::Executor;
    let published =
        |change: &&Change| is_ours(change) && change.slots.iter().any(|slot| slot.name.to_str().is_some_and(is_link));
    tree.log().iter().take_while(is_ours).any(|change| published(&change))
}
