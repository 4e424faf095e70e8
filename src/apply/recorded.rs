//! Edits with their recorders: asked before, informed after.
//!
//! Edits are taken in groups of different links. Where a recorder asks, each of a group is previewed first: what would
//! change nothing is not carried out, and what would be refused is refused by its preview, so that no change is made that
//! no recorder was asked about. An edit whose preview fails after others of its group begins the next group, since
//! those others may be what it waits for.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::error::{Error, Result};
use crate::exec::{Previews, previewed};
use crate::model::{Edit, Effect, Outcome};
use crate::recorder::{Actor, Event, Intent, Recorder};
use crate::root::Root;

/// How many edits are previewed before the first of them is carried out.
const ASKED_TOGETHER: usize = 1000;

/// How many edits are carried out before a recorder that only observes is informed.
const INFORMED_TOGETHER: usize = 256;

/// Carries out edits in order by `carry`, until one comes to something that `go_on` says no to. Returns what each came to.
///
/// `own` are recorders beside those of the root. `carry` stops where `go_on` says no, too.
pub(super) fn recorded(
    root: &Root,
    own: &[&dyn Recorder],
    edits: &[Edit],
    go_on: fn(&Result<Outcome>) -> bool,
    mut carry: impl FnMut(&[Edit]) -> Vec<Result<Outcome>>,
) -> Vec<Result<Outcome>> {
    let recorders: Vec<&dyn Recorder> =
        root.recorders().iter().map(|recorder| &**recorder).chain(own.iter().copied()).collect();
    if recorders.is_empty() {
        return carry(edits);
    }
    let asks = recorders.iter().any(|recorder| recorder.asks());
    let mut results = Vec::with_capacity(edits.len());
    while results.len() < edits.len() && results.last().is_none_or(go_on) {
        let rest = &edits[results.len()..];
        let mut came = if asks {
            asked(root, &recorders, rest, go_on, &mut carry)
        } else {
            carry(&rest[..rest.len().min(INFORMED_TOGETHER)])
        };
        inform(root, &recorders, rest, &mut came);
        // Those that were asked about and then not tried.
        came.truncate(came.iter().position(|result| !go_on(result)).map_or(came.len(), |last| last + 1));
        results.extend(came);
    }
    results
}

/// The same for one edit. Where nobody is asked or informed it is just carried out.
pub(super) fn recorded_one(root: &Root, edit: &Edit, carry: impl Fn(&Edit) -> Result<Outcome>) -> Result<Outcome> {
    if root.recorders().is_empty() {
        return carry(edit);
    }
    let each = |edits: &[Edit]| edits.iter().map(&carry).collect();
    let results = recorded(root, &[], std::slice::from_ref(edit), |_| true, each);
    results.into_iter().next().expect("BUG: each edit has a result")
}

/// Previews edits of different links, asks the recorders about their changes, and carries these out.
fn asked(
    root: &Root,
    recorders: &[&dyn Recorder],
    edits: &[Edit],
    go_on: fn(&Result<Outcome>) -> bool,
    carry: &mut impl FnMut(&[Edit]) -> Vec<Result<Outcome>>,
) -> Vec<Result<Outcome>> {
    let foreseen = previewed(root, |previews| foresee(previews, edits));
    let is_change = |foreseen: &Result<Outcome>| foreseen.as_ref().is_ok_and(|outcome| outcome.effect.is_change());
    let intents: Vec<Intent<'_>> = edits
        .iter()
        .zip(&foreseen)
        .filter_map(|(edit, foreseen)| {
            let foreseen = foreseen.as_ref().ok().filter(|outcome| outcome.effect.is_change())?;
            Some(Intent { edit, foreseen, below: root.image() })
        })
        .collect();
    let asked = match intents.is_empty() {
        true => Ok(()),
        false => recorders.iter().filter(|recorder| recorder.asks()).try_for_each(|recorder| recorder.before(&intents)),
    };
    let mut results: Vec<Result<Outcome>> = Vec::with_capacity(foreseen.len());
    while results.len() < foreseen.len() {
        let at = results.len();
        if results.last().is_some_and(|last| !go_on(last)) {
            results.push(Ok(Outcome::of(edits[at].path.clone(), Effect::Skipped)));
            continue;
        }
        match (&foreseen[at], &asked) {
            (Ok(outcome), Ok(())) if outcome.effect.is_change() => {
                let changes = foreseen[at..].iter().take_while(|foreseen| is_change(foreseen)).count();
                results.extend(carry(&edits[at..at + changes]));
            }
            (Ok(outcome), Err(refusal)) if outcome.effect.is_change() => {
                results.push(Err(refusal.clone().on(edits[at].change.verb(), &edits[at].path)));
            }
            (Ok(unchanged), _) => results.push(Ok(unchanged.clone().into_real())),
            (Err(error), _) => results.push(Err(error.clone())),
        }
    }
    results
}

/// Previews as many edits as can be judged together, at least one.
fn foresee(previews: &mut Previews<'_>, edits: &[Edit]) -> Vec<Result<Outcome>> {
    let edits = &edits[..edits.len().min(ASKED_TOGETHER)];
    let mut links: HashSet<PathBuf> = HashSet::new();
    let mut foreseen = Vec::new();
    while let Some(outcome) = previews.first_of(edits[foreseen.len()..].iter()) {
        let ends = match &outcome {
            Ok(outcome) => !outcome.each().all(|link| links.insert(link.physical_path().to_path_buf())),
            Err(_) => true,
        };
        if ends && !foreseen.is_empty() {
            break;
        }
        foreseen.push(outcome);
        if ends {
            break;
        }
    }
    foreseen
}

/// Informs every recorder of what edits came to; what fails of that falls short of the changes.
pub(crate) fn inform(root: &Root, recorders: &[&dyn Recorder], edits: &[Edit], results: &mut [Result<Outcome>]) {
    let failures: Vec<Error> = {
        let (time, actor) = (SystemTime::now(), Actor { user: root.calls().user(), process: std::process::id() });
        let root_path = root.physical_path();
        let event = |(edit, result)| Event { root: root.id(), root_path, time, actor, edit, result };
        let events: Vec<Event<'_>> = edits.iter().zip(results.iter()).map(event).collect();
        recorders.iter().filter_map(|recorder| recorder.after(&events).err()).collect()
    };
    for outcome in results.iter_mut().flatten().filter(|outcome| outcome.effect.is_change()) {
        let verb = "record";
        outcome.shortfalls.extend(failures.iter().map(|error| error.clone().on(verb, &outcome.link)));
    }
}
