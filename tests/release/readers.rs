//! Readers that go through the link while it is switched.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use caplink::manage::{Deploy, Rollback};

use crate::ground::Ground;
use crate::support::rounds::Rounds;

#[test]
fn readers_miss_nothing_through_deploys_and_rollbacks() {
    let rounds = if Rounds::asked_for() == Rounds::Full { 5000 } else { 100 };
    let ground = Ground::new(&["1", "2"]);
    let app = ground.app();
    app.deploy("1", &Deploy::default()).unwrap();
    let done = AtomicBool::new(false);
    let reads = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let read = fs::read_to_string(ground.path.join("current/version"));
                    let read = read.expect("the link leads to a release at every moment");
                    assert!(read == "1" || read == "2", "{read}");
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for _ in 0..rounds {
            app.deploy("2", &Deploy::default()).unwrap();
            app.rollback(&Rollback::default().to("1").keep_good(true)).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(reads.into_inner() > rounds, "the readers read");
}
