//! Checks that are functions, and progress that is told to the caller.

use std::sync::{Arc, Mutex};

use caplink::manage::{Check, Deploy, Progress, Rollback, Step, Switch};
use caplink::{Kind, records::Records};

use crate::ground::Ground;

#[test]
fn a_closure_is_a_check_and_knows_what_it_checks() {
    let ground = Ground::new(&["1", "2"]);
    ground.app().deploy("1", &Deploy::default()).unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let check = Check::closure("note", move |context| {
        let previous = context.previous.unwrap_or("-");
        noted.lock().unwrap().push(format!("{} {} {previous} {}", context.event, context.release, context.phase));
        if context.phase == "check_after" { Err("it does not answer".to_owned()) } else { Ok(()) }
    });
    let app = ground.app().check_before(vec![check.clone()]).check_after(vec![check]);
    let failed = app.deploy("2", &Deploy::default()).unwrap_err();
    assert_eq!(failed.error().kind(), Kind::CheckFailed);
    let check = failed.until.check.as_ref().unwrap();
    assert_eq!(
        (check.argv.as_slice(), check.exit, check.tail.as_str()),
        (&["note".to_owned()][..], Some(1), "it does not answer")
    );
    assert_eq!(*seen.lock().unwrap(), ["deploy 2 1 check_before", "deploy 2 1 check_after"]);
    assert_eq!(app.look().unwrap().release.as_deref(), Some("1"));
}

#[test]
fn a_closure_that_panics_has_not_passed_and_the_release_is_switched_back() {
    let ground = Ground::new(&["1", "2"]);
    ground.app().deploy("1", &Deploy::default()).unwrap();
    let app = ground.app().check_after(vec![Check::closure("ill", |_| panic!("a bug"))]);
    let failed = app.deploy("2", &Deploy::default()).unwrap_err();
    assert_eq!(failed.error().kind(), Kind::CheckFailed);
    assert!(failed.to_string().contains("`ill` (check_after) panicked"), "{failed}");
    assert_eq!(failed.until.check.as_ref().unwrap().tail, "panicked: a bug");
    assert_eq!((app.look().unwrap().release.as_deref(), app.look().unwrap().alarm), (Some("1"), None));
}

#[test]
fn progress_is_told_in_order() {
    #[derive(Default)]
    struct Told(Mutex<Vec<String>>);
    impl Progress for Told {
        fn step(&self, step: &Step<'_>) {
            let told = match step {
                Step::Entered { release } => format!("entered {release}"),
                Step::Linked(outcome) => format!("linked {}", outcome.effect.as_str()),
                Step::Checking { argv, .. } => format!("checking {}", argv[0]),
                Step::Checked(check) => format!("checked {}", check.passed()),
                Step::Confirmed { release } => format!("confirmed {release}"),
                other => format!("{other:?}"),
            };
            self.0.lock().unwrap().push(told);
        }
        fn output(&self, bytes: &[u8]) {
            self.0.lock().unwrap().push(String::from_utf8_lossy(bytes).trim().to_owned());
        }
    }
    let ground = Ground::new(&["1"]);
    let told = Arc::new(Told::default());
    let app = ground.app().check_after(vec![Check::program(["echo", "well"])]).progress(told.clone());
    app.deploy("1", &Deploy::default()).unwrap();
    let expected =
        ["entered 1", "linked created", "checking echo", "well", "checked true", "confirmed 1"].map(str::to_owned);
    assert_eq!(*told.0.lock().unwrap(), expected);
}

#[test]
fn the_ledger_is_the_same_from_its_cache_and_without_it() {
    let ground = Ground::new(&["1", "2", "3"]);
    let app = ground.app();
    for _ in 0..40 {
        for name in ["1", "2", "3"] {
            app.add(&[name]).unwrap();
            app.switch(name, &Switch::default()).unwrap();
        }
    }
    app.rollback(&Rollback::default()).unwrap();
    app.pin("1", true).unwrap();
    let cache = ground.path.join(".caplink/ledger.json");
    let kept = std::fs::read(&cache).expect("a long log has a cache beside it");
    let seen = |app: &caplink::manage::Releases| (app.look().unwrap(), app.list().unwrap());
    let with = seen(&app);
    for damage in [&b"{"[..], b"", &kept[..kept.len() / 2]] {
        std::fs::write(&cache, damage).unwrap();
        assert_eq!(seen(&app), with);
    }
    let flipped = String::from_utf8(kept.clone()).unwrap().replace("\"1\",2,6,", "\"1\",2,4,");
    assert_ne!(flipped.as_bytes(), kept, "a pin is flipped");
    std::fs::write(&cache, flipped).unwrap();
    assert_eq!(seen(&app), with, "a damaged cache is not believed");
    std::fs::remove_file(&cache).unwrap();
    assert_eq!(seen(&app), with);
    assert!(Records::open(&ground.root).unwrap().is_some());
}
