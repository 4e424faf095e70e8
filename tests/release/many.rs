//! Many releases: looking at an app stays quick.

use std::time::{Duration, Instant};

use caplink::manage::Deploy;

use crate::ground::Ground;

#[test]
fn looking_at_an_app_of_a_thousand_releases_reads_no_more_than_it_has_to() {
    let names: Vec<String> = (0..1000).map(|number| format!("r{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let base = tempfile::TempDir::new_in("/dev/shm").or_else(|_| tempfile::TempDir::new()).unwrap();
    let ground = Ground::at(base, &names);
    let app = ground.app();
    assert!(app.add(&names).unwrap().iter().all(Result::is_ok));
    app.deploy("r999", &Deploy::default()).unwrap();
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..15 {
        let begun = Instant::now();
        let view = ground.app().look().unwrap();
        times.push(begun.elapsed());
        assert_eq!((view.release.as_deref(), view.alarm), (Some("r999"), None));
        assert_eq!(view.counts.values().sum::<u64>(), 1000);
    }
    times.sort();
    // Built without optimisation it takes many times as long as in the program that people use.
    let most = if cfg!(debug_assertions) { Duration::from_millis(600) } else { Duration::from_millis(5) };
    assert!(times[7] < most, "{:?}", times[7]);
}
