//! A call that fails once with an error that says nothing of the tree: it is reported, but for these.

use std::collections::BTreeSet;

use caplink::Kind;
use caplink::adversary::{Call, Errno};

use crate::run::{Fault, Keep, Played, Schedule, play};
use crate::scene::{Scenario, Scene};

/// The calls, each with the one before it, of which a failure need not be reported, since another call makes up for it.
const UNREPORTED: [(Call, Option<Call>); 13] = [
    // What takes one call for the kernel takes several for the walk that follows where the one failed: to the target,
    (Call::Reach, Some(Call::OpenDir)),
    (Call::Reach, Some(Call::Reach)),
    (Call::Reach, Some(Call::ReadLink)),
    (Call::Reach, Some(Call::ReadPinned)),
    (Call::Reach, Some(Call::StatAt)),
    // and to parents that may be missing.
    (Call::OpenDir, None),
    (Call::ReadLink, Some(Call::OpenDir)),
    // Whether the root is gone, where a name is missing.
    (Call::Stat, Some(Call::ReadLink)),
    // Whose the link is. Where that is not known it is staged as if it were a stranger's.
    (Call::StatAt, Some(Call::Stat)),
    (Call::StatAt, Some(Call::Reach)),
    (Call::StatAt, Some(Call::Random)),
    // Whether a renaming that was refused was made all the same.
    (Call::StatAt, Some(Call::RenameNew)),
    // A second name for the link that is renamed over is made where the host can.
    (Call::HardLink, Some(Call::Random)),
];

/// Whether a failure is reported: by an error, by a shortfall, or by what is left.
fn is_reported(played: &Played) -> bool {
    let Some(answers) = &played.answers else { return false };
    let reported = answers.reported();
    let fails = answers.errors.iter().any(|error| matches!(error.kind(), Kind::Io | Kind::Residue));
    let falls_short = answers.outcomes.iter().any(|(_, outcome)| !outcome.shortfalls.is_empty());
    fails || falls_short || !reported.left.is_empty()
}

#[test]
fn a_failure_is_reported_but_where_another_call_makes_up_for_it() {
    let mut unreported = BTreeSet::new();
    for scenario in Scenario::all().into_iter().filter(|scenario| !scenario.is_plan()) {
        let scene = Scene::new(scenario);
        let quiet = play(&scene, &Schedule::default(), Keep::default());
        for (at, call) in quiet.calls.iter().enumerate() {
            let fault = Fault { at, error: Errno::IO, from_here: false };
            let played = play(&scene, &Schedule { actions: Vec::new(), fault: Some(fault) }, Keep::default());
            if !is_reported(&played) {
                unreported.insert((*call, at.checked_sub(1).map(|before| quiet.calls[before])));
            }
        }
    }
    assert_eq!(unreported, BTreeSet::from(UNREPORTED));
}

/// Whatever call fails because no descriptors are left: nothing else is made of it.
#[test]
fn an_error_of_the_system_keeps_its_kind() {
    let mut other = BTreeSet::new();
    for scenario in Scenario::all().into_iter().filter(|scenario| !scenario.is_plan()) {
        let scene = Scene::new(scenario);
        let quiet = play(&scene, &Schedule::default(), Keep::default());
        let usual: Vec<Kind> =
            quiet.answers.iter().flat_map(|answers| &answers.errors).map(caplink::Error::kind).collect();
        for (at, call) in quiet.calls.iter().enumerate() {
            for from_here in [false, true] {
                let fault = Some(Fault { at, error: Errno::MFILE, from_here });
                let played = play(&scene, &Schedule { actions: Vec::new(), fault }, Keep::default());
                let errors = played.answers.iter().flat_map(|answers| &answers.errors);
                let owed = |kind: &Kind| {
                    let unable = !(scenario.exchange && scenario.no_replace) && *kind == Kind::Unsupported;
                    matches!(kind, Kind::FdExhausted | Kind::Residue) || unable || usual.contains(kind)
                };
                let kinds = errors.map(caplink::Error::kind).filter(|kind| !owed(kind));
                other.extend(kinds.map(|kind| (*call, kind, from_here, scenario.verb)));
            }
        }
    }
    assert_eq!(other, BTreeSet::new());
}
