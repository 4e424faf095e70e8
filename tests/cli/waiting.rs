//! How long another holder of a lock is waited for, and values that no verb takes.

use std::fs;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

use crate::arguments::VERBS;
use crate::support::{Place, answer};

#[test]
fn an_edit_waits_for_a_lock_as_long_as_was_said() {
    let place = Place::new();
    place.link("l", "a").link("m", "a");
    let held = fs::File::open(&place.root).unwrap();
    flock(&held, FlockOperation::LockExclusive).unwrap();
    for line in [
        "ensure l --to file",
        "swap l --to file --expect a",
        "remove l",
        "remove l m",
        "exchange l m",
        "repair --retarget a=file",
    ] {
        let begun = Instant::now();
        let refused = place.ask(&format!("{line} --lock-timeout 20ms"));
        let error = &refused.json["errors"][0];
        assert_eq!((refused.code, &error["kind"]), (6, &"busy".into()), "{line}");
        assert!(begun.elapsed() < Duration::from_millis(900), "{line}: {:?}", begun.elapsed());
        let message = error["message"].as_str().unwrap();
        assert!(message.ends_with(": another holder had the lock for more than 20 ms"), "{message}");
    }
    let begun = Instant::now();
    assert_eq!(place.ask("ensure l --to file --lock-timeout 1200ms").kind(), "busy");
    assert!(begun.elapsed() >= Duration::from_millis(1200), "{:?}", begun.elapsed());
    std::thread::scope(|scope| {
        let patient = scope.spawn(|| place.ask("ensure l --to file --lock-timeout 9999999999999d"));
        std::thread::sleep(Duration::from_millis(100));
        drop(held);
        assert_eq!(patient.join().unwrap().outcome(), "replaced");
    });
}

#[test]
fn what_no_verb_can_take_is_usage_with_every_verb() {
    let place = Place::new();
    place.link("x", "file").link("y", "file");
    let long = "x".repeat(1025);
    let odd = [("--lock-timeout", "1"), ("--lock-timeout", ""), ("--reason", long.as_str()), ("--actor", "a\u{7}b")];
    let before = place.snapshot();
    for verb in VERBS {
        for (option, value) in odd {
            let refused = place.json(verb.split_whitespace().chain([option, value]));
            assert_eq!((refused.code, refused.kind()), (2, "usage"), "{verb} {option} {value:?}");
        }
    }
    // A variable is for what is recorded: looking goes on.
    for (variable, value) in [("CAPLINK_REASON", long.as_str()), ("CAPLINK_ACTOR", "a\u{7}b")] {
        let ask = |line: &str| answer(place.command(["--json"]).args(line.split_whitespace()).env(variable, value));
        assert_eq!(ask("create new --to file").kind(), "usage", "{variable}");
        assert_eq!(ask("inspect x").code, 0, "{variable}");
    }
    assert_eq!(place.snapshot(), before);
}
