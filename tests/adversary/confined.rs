//! Single actions against an executor that the kernel confines, and which of them it thereby closes.
//!
//! The same action is played at the same call without confinement. What the executor changed outside the root, or moved
//! that is no link, is counted on both sides.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Mutex;

use crate::explore::firsts;
use crate::run::{Keep, Played, Schedule, play};
use crate::support::action::Action;
use crate::sweep::{Group, of_confined, sweep};

/// Schedules of an action, and in how many of them something was reached, without and with confinement.
#[derive(Clone, Copy, Default)]
struct Reached {
    schedules: u64,
    differ: u64,
    outside: [u64; 2],
    others: [u64; 2],
}

#[test]
fn a_confined_executor_breaks_no_law_and_reaches_nothing_outside() {
    let table: Mutex<BTreeMap<Action, Reached>> = Mutex::default();
    sweep(Group::Confined, |scene, draw, findings| {
        let one_of = of_confined(scene);
        let confined = scene.confined();
        let (free, held) = [scene, &confined].map(|scene| play(scene, &Schedule::default(), Keep::default())).into();
        findings.note(&confined, &Schedule::default(), &held);
        for (point, action) in firsts(&confined) {
            if !draw.one_of(one_of) {
                continue;
            }
            let schedule = Schedule { actions: vec![(point, action)], fault: None };
            let with = play(&confined, &schedule, Keep::default());
            findings.note(&confined, &schedule, &with);
            // The same call of the executor that is not confined, which makes fewer.
            let Some(same) = same_call(&held, &free, point) else { continue };
            let without = play(scene, &Schedule { actions: vec![(same, action)], fault: None }, Keep::default());
            let mut table = table.lock().unwrap();
            let row = table.entry(action).or_default();
            row.schedules += 1;
            row.differ += u64::from(came_to(&with) != came_to(&without));
            for (side, played) in [&without, &with].into_iter().enumerate() {
                row.outside[side] += u64::from(played.judge.reached_outside);
                row.others[side] += u64::from(played.judge.moved_others);
            }
        }
    });
    let table = table.into_inner().unwrap();
    let held = |row: &Reached| row.outside[1] == 0;
    assert!(table.values().all(held), "a confined executor changed something outside the root");
    show(&table);
}

/// The point of the same call in another run.
fn same_call(of: &Played, other: &Played, point: usize) -> Option<usize> {
    let call = of.points.get(point)?;
    let nth = of.points[..point].iter().filter(|made| *made == call).count();
    other.points.iter().enumerate().filter(|(_, made)| *made == call).nth(nth).map(|(at, _)| at)
}

/// What was answered, and what the link's name came to.
fn came_to(played: &Played) -> (Vec<&'static str>, Vec<Option<String>>) {
    let outcomes =
        played.answers.iter().flat_map(|answers| &answers.outcomes).map(|(_, outcome)| outcome.effect.as_str());
    let errors = played.answers.iter().flat_map(|answers| &answers.errors).map(|error| error.kind().as_str());
    let links = played.judge.moments.last().map_or(&[][..], |moment| &moment.links[..]);
    let text = |found| played.end.text(found).unwrap_or_default().display().to_string();
    (outcomes.chain(errors).collect(), links.iter().map(|(_, found)| found.map(text)).collect())
}

/// Shows the actions by which something was reached, or which come to something else under confinement.
fn show(table: &BTreeMap<Action, Reached>) {
    let mut lines = "\nwithout => with confinement, in how many schedules\n".to_owned();
    writeln!(lines, "{:28}{:>10}{:>18}{:>18}{:>10}", "", "schedules", "changed outside", "moved no link", "differ")
        .unwrap();
    for (action, row) in table.iter().filter(|(_, row)| row.differ > 0 || row.outside[0] + row.others[0] > 0) {
        let [outside, others] = [row.outside, row.others].map(|[without, with]| format!("{without} => {with}"));
        let name = format!("{action:?}");
        writeln!(lines, "{name:28}{:>10}{outside:>18}{others:>18}{:>10}", row.schedules, row.differ).unwrap();
    }
    let _ = writeln!(std::io::stderr(), "{lines}");
}
