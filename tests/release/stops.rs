//! A kill before any call of a deploy, a switch, a rollback or a pruning: `recover` leaves old or new, known to the ledger.
//! A kill while a hook runs is among the tests of the program: a traced child would wait for its tracer.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use caplink::manage::{Deploy, ReleaseState, Releases, Rollback, Switch};

use crate::ground::{Ground, skipped};
use crate::tracee::{Call, Memory, Verdict, Watch, denied, trace};

/// Of how many calls one is where the program is killed, where nothing else is asked for.
const ONE_OF: usize = 97;

/// Kills before the call of this number; counts them.
struct Killer {
    at: Option<usize>,
    seen: usize,
}

impl Watch for Killer {
    fn before(&mut self, _call: &Call, _memory: &Memory) -> Verdict {
        self.seen += 1;
        if self.at.is_some_and(|at| self.seen > at) { Verdict::Kill } else { Verdict::Go }
    }

    fn after(&mut self, _call: &Call, _result: i64) {}
}

/// Releases 1 to 3 that were deployed one after the other, and 4 that was not.
fn ground() -> Ground {
    let ground = Ground::new(&["1", "2", "3", "4"]);
    for name in ["1", "2", "3"] {
        ground.app().deploy(name, &Deploy::default()).unwrap();
    }
    ground.app().add(&["4"]).unwrap();
    fs::create_dir_all(ground.release("1").join("a/b")).unwrap();
    ground
}

fn run(ground: &Ground, line: &str, at: Option<usize>) -> usize {
    let mut command: Vec<OsString> =
        vec![env!("CARGO_BIN_EXE_caplink").into(), "-C".into(), ground.path.clone().into()];
    command.extend(line.split(' ').map(OsString::from));
    let mut killer = Killer { at, seen: 0 };
    trace(&command, &mut killer).unwrap();
    killer.seen
}

fn judge(line: &str, at: usize, ground: &Ground, new: &str) {
    let recover = || {
        let recovered = Command::new(env!("CARGO_BIN_EXE_caplink")).arg("-C").arg(&ground.path).arg("recover").output();
        let recovered = recovered.unwrap();
        assert!(recovered.status.success(), "{line} killed at {at}: {recovered:?}");
    };
    recover();
    let view = ground.app().look().unwrap();
    let release = view.release.clone().unwrap_or_else(|| panic!("{line} killed at {at}: {view:?}"));
    assert!(release == "3" || release == new, "{line} killed at {at}: {release}");
    assert_eq!(view.alarm, None, "{line} killed at {at}: {view:?}");
    let held = view.view.unwrap();
    assert!(held.confirmed && held.state == Some(ReleaseState::Active), "{line} killed at {at}: {held:?}");
    for name in ["2", "3", "4"] {
        let version = fs::read_to_string(ground.release(name).join("version")).ok();
        assert_eq!(version.as_deref(), Some(name), "{line} killed at {at}");
    }
    let first = ground.app().list().unwrap().into_iter().find(|view| view.release == "1").unwrap();
    let there = ground.release("1").join("version").exists();
    let whole = there && ground.release("1").join("a/b").exists();
    match first.state {
        Some(ReleaseState::Removed) => assert!(!there && line.contains("prune"), "{line} killed at {at}"),
        _ => assert!(whole, "{line} killed at {at}: {first:?}"),
    }
    let private = |dir: PathBuf| {
        let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(".caplink-")).collect::<Vec<_>>()
    };
    // What a killed edit of a link had staged is its own, and empty.
    for name in private(ground.path.join("releases")).into_iter().chain(private(ground.path.join(".caplink"))) {
        let in_state = ground.path.join(".caplink").join(&name);
        assert!(!in_state.is_dir(), "{line} killed at {at}: {name} is left");
    }
    let before = fs::read(ground.path.join(".caplink/log.jsonl")).unwrap();
    recover();
    assert_eq!(
        fs::read(ground.path.join(".caplink/log.jsonl")).unwrap(),
        before,
        "recovering twice is recovering once"
    );
}

#[test]
fn every_stop_ends_in_old_or_new_after_recover() {
    if let Some(reason) = denied() {
        return skipped("every_stop_ends_in_old_or_new_after_recover", &reason);
    }
    let one_of = match std::env::var("CAPLINK_SCHEDULES").as_deref() {
        Ok("all") => 1,
        _ => ONE_OF,
    };
    for (number, (line, new)) in [
        ("release deploy 4", "4"),
        ("release switch 4", "4"),
        ("release rollback", "2"),
        ("release prune --keep 0 --grace 0s", "3"),
    ]
    .into_iter()
    .enumerate()
    {
        let whole = ground();
        let calls = run(&whole, line, None);
        judge(line, calls, &whole, new);
        assert!(calls > 100, "{line}: {calls}");
        for at in (number * 7 % one_of..calls).step_by(one_of) {
            let ground = ground();
            run(&ground, line, Some(at));
            judge(line, at, &ground, new);
        }
    }
}

#[test]
fn a_release_that_is_replaced_between_decision_and_switch_is_switched_back() {
    let ground = Ground::new(&["1", "2"]);
    ground.app().deploy("1", &Deploy::default()).unwrap();
    ground.app().add(&["2"]).unwrap();
    let path = ground.path.clone();
    let canary = ground.base.path().join("canary");
    // It is replaced by the check before the switch: the latest moment that can be chosen without a debugger.
    let swapped = caplink::manage::Check::closure("attack", move |_| {
        let _gone = fs::rename(path.join("releases/2"), path.join("releases/old"));
        let _link = std::os::unix::fs::symlink(&canary, path.join("releases/2"));
        Ok(())
    });
    let failed = ground.app().check_before(vec![swapped]).deploy("2", &Deploy::default()).unwrap_err();
    assert!(ground.current().is_some_and(|text| text.as_os_str() == "releases/1"), "{failed:?}");
    assert_eq!(ground.app().look().unwrap().alarm, None);
}

#[test]
fn the_ledger_says_where_to_roll_back_to_and_not_the_tree() {
    let ground = Ground::new(&["1", "2", "3"]);
    for name in ["1", "2", "3"] {
        ground.app().add(&[name]).unwrap();
        ground.app().switch(name, &Switch::default()).unwrap();
    }
    let _planted = std::os::unix::fs::symlink("releases/1", ground.path.join("previous"));
    let back = ground.app().rollback(&Rollback::default()).unwrap();
    assert_eq!(back.release, "2");
    assert!(Releases::apps(&ground.root).unwrap().contains(&"default".to_owned()));
}
