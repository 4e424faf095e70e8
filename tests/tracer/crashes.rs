//! A kill before any call: what is left is all old or all new, and the same command again does its work.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::draw::{Draw, is_asked_for};
use crate::findings::Findings;
use crate::play::{Played, Schedule, play};
use crate::scene::{NEW, OLD, Scenario, Scene, Verb, arguments};
use crate::support::ledger::Ledger;
use crate::support::view::View as _;
use crate::view::{Id, KernelTree};
use crate::{points, skipped};

/// Of how many schedules one is played, where nothing else is asked for.
const ONE_OF: u64 = 25;

/// What a link says, or that there is none, or what is no link.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Has {
    Nothing,
    Link(String),
    Other(Id),
}

fn has(scene: &Scene, view: &KernelTree, path: &str) -> Has {
    match view.walk(scene.places.base, path) {
        None => Has::Nothing,
        Some(id) => view.text(id).map_or(Has::Other(id), |text| Has::Link(text.to_string_lossy().into_owned())),
    }
}

fn all(scene: &Scene, view: &KernelTree) -> Vec<Has> {
    scene.scenario.verb.links().iter().map(|path| has(scene, view, path)).collect()
}

/// What the links say once the work is done.
fn new(verb: Verb) -> Vec<Has> {
    let link = |text: &str| Has::Link(text.into());
    match verb {
        Verb::Parents => vec![link("../../t2")],
        Verb::Exchange | Verb::ExchangeAcross => vec![link(NEW), link(OLD)],
        Verb::Remove | Verb::RemoveExpected | Verb::RemoveMaybe => vec![Has::Nothing],
        Verb::SwapStale => vec![link(OLD)],
        Verb::Series => vec![link(NEW); 3],
        _ => vec![link(NEW)],
    }
}

/// Names that are known to be this program's own.
fn residue(scene: &Scene, view: &KernelTree) -> Vec<PathBuf> {
    let own = |name: &OsStr| name.as_encoded_bytes().starts_with(b".caplink");
    let paths = view.rows.iter().filter(|((_, name), _)| own(name)).filter_map(|(_, id)| view.path(*id));
    paths
        .filter_map(|path| path.strip_prefix("home/base").map(Path::to_path_buf).ok())
        .chain(backups(scene, view))
        .collect()
}

/// A link under the name of a backup that was never exchanged for what was in the way.
fn backups(scene: &Scene, view: &KernelTree) -> Option<PathBuf> {
    let backup = view.walk(scene.places.base, "q/p/l.backup").filter(|id| view.is_link(*id));
    backup.filter(|_| scene.scenario.verb.is_backup()).map(|_| PathBuf::from("q/p/l.backup"))
}

/// What a kill may not leave.
fn judge_kill(played: &mut Played) {
    let view = played.scene.view();
    let (first, now) = (all(&played.scene, &played.scene.first), all(&played.scene, &view));
    let verb = played.scene.scenario.verb;
    // A series need not be at its end: each link is as it was or as it is to be.
    let news = new(verb);
    let each = now.iter().zip(first.iter().zip(&news)).all(|(now, (first, new))| [first, new].contains(&now));
    if now != first && now != news && !(verb == Verb::Series && each) {
        played.ledger.violation("old_or_new", format!("{now:?}"));
    }
    // Nothing of others is anywhere else, but the link that was replaced or removed.
    let links = verb.links();
    for (slot, id) in &played.scene.first.rows {
        let is_the_link = links.iter().any(|link| played.scene.first.walk(played.scene.places.base, link) == Some(*id));
        let gone = view.rows.get(slot) != Some(id);
        let is_link = played.scene.first.is_link(*id);
        let kept_aside = verb.is_backup() && view.place(*id).is_some();
        if gone && !(is_the_link && (is_link || kept_aside)) {
            played.ledger.violation("only_links", format!("`{}` is gone", slot.1.display()));
        }
        let changed =
            |id: Id| view.node(id).map(|node| &node.content) != played.scene.first.node(id).map(|n| &n.content);
        if !gone && changed(*id) {
            played.ledger.violation("only_links", format!("`{}` was written to", slot.1.display()));
        }
    }
    let known = residue(&played.scene, &view);
    let strange = view.rows.iter().filter(|(slot, id)| {
        !played.scene.first.rows.contains_key(slot) && {
            let path = view.path(**id).unwrap_or_default();
            let below = path.strip_prefix("home/base").map(Path::to_path_buf).unwrap_or(path);
            let ours = links.iter().any(|link| Path::new(link).starts_with(&below));
            let aside = verb.is_backup() && slot.1 == *"l.backup";
            !known.contains(&below) && !ours && !aside
        }
    });
    let strange: Vec<_> = strange.map(|(slot, _)| slot.1.display().to_string()).collect();
    if !strange.is_empty() {
        played.ledger.violation("left_behind", format!("{strange:?}"));
    }
}

fn run(command: &[std::ffi::OsString]) -> (Option<i32>, String) {
    let output = Command::new(&command[0]).args(&command[1..]).output().expect("the program runs");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The same command again, and then the one that cleans up.
fn judge_again(played: &mut Played) {
    let scene = &played.scene;
    let verb = scene.scenario.verb;
    let done = all(scene, &scene.view()) == new(verb);
    let mut again = arguments(verb).to_vec();
    // An exchange that was carried out is not carried out again, to be taken back by it.
    if verb.is_exchange() && done {
        again = vec!["ensure", "q/p/l", "--to", "q/t2"];
    }
    let expected = match verb {
        Verb::Create | Verb::Parents | Verb::Swap | Verb::SwapStale if done => 3,
        Verb::SwapStale => 3,
        Verb::Remove | Verb::RemoveExpected if done => 5,
        _ => 0,
    };
    let (code, said) = run(&scene.command_with(&again, &[]));
    let ledger: &mut Ledger<Id> = &mut played.ledger;
    if code != Some(expected) {
        ledger.violation("again", format!("the same command again: {code:?}, {expected} was owed: {said}"));
    }
    let view = scene.view();
    if all(scene, &view) != new(verb) {
        ledger.violation("again", format!("after the same command again: {:?}", all(scene, &view)));
    }
    let (code, said) = run(&scene.command_with(&["repair", ".", "--remove-leftovers"], &[]));
    if code != Some(0) {
        ledger.violation("recovery", format!("removing what is left over: {code:?}: {said}"));
    }
    let view = scene.view();
    let links: Vec<PathBuf> = residue(scene, &view)
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|n| n.as_encoded_bytes().starts_with(b".caplink-")))
        .collect();
    if !links.is_empty() {
        ledger.violation("recovery", format!("{} are left over", links.len()));
    }
}

#[test]
fn a_kill_before_any_call_leaves_old_or_new_and_can_be_gone_on_from() {
    if skipped("a kill before any call") {
        return;
    }
    let mut draw = Draw::new("killed", ONE_OF);
    let mut findings = Findings::default();
    let (mut old, mut renewed, mut left) = (0, 0, 0);
    for scenario in Scenario::all().into_iter().filter(|scenario| is_asked_for(&scenario.name())) {
        for point in 0..points(scenario).len() {
            if !draw.one() {
                continue;
            }
            let schedule = Schedule { kill: Some(point), ..Schedule::default() };
            let mut played = play(scenario, &schedule);
            if played.end.code.is_some() {
                continue;
            }
            let view = played.scene.view();
            let unchanged = all(&played.scene, &view) == all(&played.scene, &played.scene.first);
            old += usize::from(unchanged);
            renewed += usize::from(!unchanged);
            left += usize::from(!residue(&played.scene, &view).is_empty());
            judge_kill(&mut played);
            judge_again(&mut played);
            findings.note(scenario, &schedule, &played);
        }
    }
    findings.print(&format!("killed ({old} old, {renewed} new, {left} with something left)"));
    findings.assert_none();
    assert!(old > 0 && renewed > 0 && left > 0);
}
