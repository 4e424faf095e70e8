//! Calls of groups that fail: all is old or new, or the group stays open and is told as partial.

use std::io::Write as _;

use nix::errno::Errno;
use serde_json::Value;

use crate::draw::{Draw, is_asked_for};
use crate::groups::{ONE_OF, Place, Tree, calls_of, interrupted, traced};
use crate::skipped;
use crate::tracee::{Call, Memory, Verdict, Watch, trace};

#[test]
fn a_call_of_a_group_that_fails_leaves_all_old_or_all_new_once_recovered() {
    if skipped("a group's call that fails") || !is_asked_for("groups") {
        return;
    }
    let trees = Place::old_and_new();
    let mut draw = Draw::new("groups refused", ONE_OF);
    let mut partial = 0;
    for at in 0..calls_of(&Place::new().batch(false)) {
        if !draw.one() {
            continue;
        }
        for errno in [Errno::EIO, Errno::ENOSPC] {
            let place = Place::new();
            let (end, _) = traced(&place.batch(false), Some(at), &mut || Verdict::Fail(errno));
            let what = format!("call {at} failed with {errno}: {:?} {}", end.code, end.stdout);
            if end.code.is_none_or(|code| code > 10) {
                // The program's own start, and its memory, are no calls of a group.
                continue;
            }
            partial += usize::from(end.code == Some(7));
            let is_new = place.judge(&trees, &Tree::new(), &what);
            assert!(end.code != Some(0) || is_new, "{what}");
        }
    }
    let _ = writeln!(std::io::stderr(), "groups refused: {partial} partial");
}

#[test]
fn what_a_recovery_cannot_settle_stays_open_and_is_told_as_partial() {
    if skipped("a recovery that is refused") {
        return;
    }
    let trees = Place::old_and_new();
    let calls = calls_of(&Place::new().batch(false));
    let at = (0..calls).rev().step_by(2).find(|at| {
        // Killed in the midst of its publishing, it is taken back.
        interrupted(*at).is_some_and(|place| place.tree() != trees.0 && place.tree() != trees.1)
    });
    let place = interrupted(at.expect("it can be interrupted")).expect("as before");
    let mut refuses = Refuses;
    let recover = place.command(&["recover"], false);
    let end = trace(&recover, &mut refuses).expect("it is traced");
    let said: Value = serde_json::from_str(&end.stdout).expect("a document");
    assert_eq!((end.code, &said["errors"][0]["kind"]), (Some(7), &"partial".into()), "{said}");
    assert!(said["errors"][0]["group"].is_string(), "{said}");
    assert!(said["errors"][0]["hint"].as_str().is_some_and(|hint| hint.contains("recover`")), "{said}");
    assert_eq!(place.run(&["records", "show"]).1["items"][0]["open_groups"], 1);
    // A change that names one of its links is refused as long as it cannot be settled.
    let ensure = place.command(&["ensure", "app/current", "--to", "app/v1"], false);
    let end = trace(&ensure, &mut refuses).expect("it is traced");
    assert_eq!(end.code, Some(7), "{}", end.stdout);
    // Once it can, that is done on the way.
    let (code, said) = place.run(&["ensure", "app/current", "--to", "app/v1"]);
    assert_eq!(code, Some(0), "{said}");
    let settled = said["recovered"].as_array().expect("what was settled");
    assert!(settled.iter().any(|item| item["link"] == "app/current" && item["outcome"] == "failed"), "{said}");
    assert_eq!(
        (place.tree(), place.run(&["records", "show"]).1["items"][0]["open_groups"].as_u64()),
        (trees.0, Some(0))
    );
}

/// Lets nothing be renamed.
struct Refuses;

impl Watch for Refuses {
    fn before(&mut self, call: &Call, memory: &Memory) -> Verdict {
        let names = ["current", "link", "deep", "new", "old", "way", "last"];
        let is_about = |argument: usize| names.contains(&&*memory.text(call.args[argument]));
        let is_change = [libc::SYS_renameat2, libc::SYS_unlinkat].contains(&call.number);
        let refused = is_change && (is_about(1) || call.number == libc::SYS_renameat2 && is_about(3));
        if refused { Verdict::Fail(Errno::EIO) } else { Verdict::Go }
    }

    fn after(&mut self, _call: &Call, _result: i64) {}
}
