//! A program that shares no code with this one verifies the log.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use super::ground::{Ground, release};

#[test]
fn a_stranger_verifies_the_log() {
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("SKIPPED: there is no python3");
        return;
    }
    let (ground, root) = Ground::recorded();
    let mut checkpoints = Vec::new();
    for number in 0..20 {
        let _ = root.ensure("current", release(1 + number % 3)).unwrap();
        if number % 7 == 0 {
            let path = ground.dir.path().join(format!("checkpoint{number}"));
            fs::write(&path, ground.records().checkpoint().unwrap().to_string()).unwrap();
            checkpoints.push(path);
        }
    }
    // A line that was cut short is one of the entries.
    let log = fs::read(ground.log()).unwrap();
    fs::write(ground.log(), &log[..log.len() - 9]).unwrap();
    let _ = ground.again().ensure("other", release(1)).unwrap();
    let verify = |log: &[u8]| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/verify_log.py");
        let mut python = Command::new("python3");
        python.arg(script).args(&checkpoints).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut python = python.spawn().unwrap();
        python.stdin.take().unwrap().write_all(log).unwrap();
        let answer = python.wait_with_output().unwrap();
        (answer.status.success(), String::from_utf8_lossy(&answer.stdout).into_owned())
    };
    let mut raw = Vec::new();
    let mut keep = |entry: &[u8]| {
        raw.extend_from_slice(entry);
        true
    };
    ground.records().raw(&mut keep).unwrap();
    assert_eq!(raw, fs::read(ground.log()).unwrap());
    let (fits, told) = verify(&raw);
    assert!(fits, "{told}");
    assert!(told.ends_with("44 entries fit\n"), "{told}");
    assert_eq!(told.matches("vouches").count(), 3);
    // The last bit of an entry that the first checkpoint vouches for.
    let mut bent = raw.clone();
    let at = raw.iter().position(|byte| *byte == b'\n').unwrap() - 2;
    bent[at] ^= 1;
    assert!(!verify(&bent).0);
    assert!(!verify(&raw[..raw.len() / 3]).0);
}
