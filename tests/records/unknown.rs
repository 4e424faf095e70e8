//! A program that was stopped between intent and result: the log says `unknown` until the disk is asked.

use std::fs;
use std::os::unix::fs::symlink;

use super::ground::{Ground, release};

/// A log that ends with the intent to let `current` lead from release 1 to release 2, of a program that has ended.
pub(crate) fn interrupted() -> Ground {
    let (ground, root) = Ground::recorded();
    let _ = root.ensure("current", release(1)).unwrap();
    let _ = root.ensure("current", release(2)).unwrap();
    drop(root);
    let log = fs::read_to_string(ground.log()).unwrap();
    let run = format!("\"run\":[{},", std::process::id());
    let (before, last) = log.trim_end().rsplit_once('\n').unwrap();
    assert!(last.contains("\"entry\":\"result\""));
    let (before, intent) = before.rsplit_once('\n').unwrap();
    assert!(intent.contains(&run), "{intent}");
    // No process has this number.
    let intent = intent.replace(&run, "\"run\":[4194304000,");
    fs::write(ground.log(), format!("{before}\n{intent}\n")).unwrap();
    ground
}

fn point(ground: &Ground, text: Option<&str>) {
    let link = ground.dir.path().join("current");
    fs::remove_file(&link).unwrap();
    if let Some(text) = text {
        symlink(text, link).unwrap();
    }
}

#[test]
fn what_the_disk_says_settles_an_interrupted_change() {
    for (now, outcome) in [
        (Some("releases/2"), "replaced"),
        (Some("releases/1"), "failed"),
        (Some("elsewhere"), "unknown"),
        (None, "unknown"),
    ] {
        let ground = interrupted();
        point(&ground, now);
        assert_eq!(ground.told(), ["ensure current created", "ensure current unknown"]);
        let records = ground.records();
        assert_eq!(records.recoverable().unwrap().len(), 1);
        let recovered = records.recover().unwrap();
        assert_eq!(recovered.iter().map(|change| change.outcome.as_str()).collect::<Vec<_>>(), [outcome]);
        assert_eq!(ground.told(), ["ensure current created".to_owned(), format!("ensure current {outcome}")]);
        assert!(ground.mutations().last().unwrap().settled);
        let before = ground.lines();
        assert!(records.recover().unwrap().is_empty());
        assert_eq!(ground.lines(), before);
        let _ = records.verify(&[]).unwrap();
    }
}

#[test]
fn the_next_change_of_the_link_settles_it() {
    let ground = interrupted();
    let _ = ground.again().ensure("other", release(1)).unwrap();
    assert_eq!(ground.told()[1], "ensure current unknown");
    let _ = ground.again().ensure("current", release(3)).unwrap();
    assert_eq!(ground.told()[1], "ensure current replaced");
    assert_eq!(ground.told().len(), 4);
    let _ = ground.records().verify(&[]).unwrap();
}

#[test]
fn what_stays_open_is_told_anew_before_it_is_far_away() {
    let ground = interrupted();
    let root = ground.again();
    for number in 0..150 {
        let _ = root.ensure("other", release(1 + number % 3)).unwrap();
    }
    let told = ground.lines().iter().filter(|line| line.contains("\"entry\":\"open\"")).count();
    assert!(told >= 1, "{told}");
    assert_eq!(ground.records().recoverable().unwrap().len(), 1);
    let _ = ground.again().ensure("current", release(3)).unwrap();
    assert_eq!(ground.told()[1], "ensure current replaced");
    let _ = ground.records().verify(&[]).unwrap();
}
