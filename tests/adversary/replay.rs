//! Shows one schedule call by call: what was done by whom, and what came of it.
//!
//! `CAPLINK_REPLAY='Create/Open; ParentTwinOld 9; PutBack 12' cargo test --features adversary --test adversary replay --
//! --ignored --nocapture` plays the actions before the calls of these numbers. An action may stand as findings print it
//! (`ParentTwinOld before Reach#0 (9)`).

use std::ffi::OsStr;

use caplink::adversary::{Change, Object, Tree};

use crate::run::{Keep, Schedule, play};
use crate::scene::{Scenario, Scene};
use crate::support::action::{ACTIONS, Action};

#[test]
#[ignore = "shows a schedule that CAPLINK_REPLAY names"]
fn replay() {
    let wanted = std::env::var("CAPLINK_REPLAY").expect("CAPLINK_REPLAY names no schedule");
    let mut words = wanted.split(';').map(str::trim);
    let name = words.next().unwrap_or_default();
    let (name, confined) = name.strip_suffix("/confined").map_or((name, false), |name| (name, true));
    let scenario = Scenario::all().into_iter().find(|scenario| scenario.name() == name);
    let scene = Scene::new(scenario.expect("CAPLINK_REPLAY names no scenario"));
    let scene = if confined { scene.confined() } else { scene };
    let actions = words.map(|word| action(word).expect("CAPLINK_REPLAY names no action")).collect();
    let schedule = Schedule { actions, ..Schedule::default() };
    let played = play(&scene, &schedule, Keep::trees_from(0));
    let mut shown = 0;
    for (point, (call, tree)) in played.points.iter().zip(&played.trees).enumerate() {
        for change in &tree.log()[shown..] {
            println!("      {}", in_words(tree, &scene, change));
        }
        shown = tree.log().len();
        println!("{point:4} {call:?}");
    }
    println!("{:?}", played.answers);
    println!("{:#?}", played.judge.violations);
}

/// `NAME … POINT`, with or without brackets.
fn action(word: &str) -> Option<(usize, Action)> {
    let mut parts = word.split_whitespace();
    let name = parts.next()?;
    let action = ACTIONS.iter().copied().find(|action| format!("{action:?}") == name)?;
    let point = parts.next_back()?.trim_matches(['(', ')']);
    Some((point.parse().ok()?, action))
}

fn in_words(tree: &Tree, scene: &Scene, change: &Change) -> String {
    let named = |dir: Object| {
        let known = [
            (scene.places.base, "base"),
            (scene.places.q, "q"),
            (scene.places.p, "p"),
            (scene.places.r, "r"),
            (scene.places.yard, "yard"),
        ];
        let known = known.into_iter().find(|(object, _)| *object == dir).map(|(_, name)| name.to_owned());
        known.unwrap_or_else(|| format!("{dir:?}"))
    };
    let what = |object: Option<Object>| match object {
        None => "-".to_owned(),
        Some(object) => {
            let text = tree.text(object).unwrap_or(OsStr::new(""));
            format!("{object:?} {:?} {} by {:?}", tree.node(object).kind, text.display(), tree.node(object).maker)
        }
    };
    let slots = change.slots.iter().map(|slot| {
        format!("{}/{}: {} => {}", named(slot.dir), slot.name.display(), what(slot.before), what(slot.after))
    });
    format!("{:?} {:?} {}", change.actor, change.step, slots.collect::<Vec<_>>().join(", "))
}
