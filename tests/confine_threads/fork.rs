//! Confined roots in a program that forks, or that starts other programs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::fork::{Fork, waitpid_nohang};
use caplink::{Abilities, Confinement};

use super::alone::alone;
use super::*;

/// Runs in a forked child; returns its answer, or false if it panics or hangs.
pub(super) fn in_child(run: impl FnOnce() -> bool) -> bool {
    match ::fork::fork().unwrap() {
        Fork::Child => {
            let done = catch_unwind(AssertUnwindSafe(run)).unwrap_or(false);
            std::process::exit(if done { 0 } else { 1 });
        }
        Fork::Parent(child) => {
            // On a busy machine it takes its time; one that hangs never ends.
            let deadline = Instant::now() + Duration::from_secs(60);
            while Instant::now() < deadline {
                if let Some(status) = waitpid_nohang(child).unwrap() {
                    return status == 0;
                }
                std::thread::sleep(Duration::from_micros(200));
            }
            let pid = rustix::process::Pid::from_raw(child).unwrap();
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
            panic!("the child hangs");
        }
    }
}

#[test]
fn a_forked_child_makes_its_edits_on_a_thread_of_its_own() {
    if !alone("fork::a_forked_child_makes_its_edits_on_a_thread_of_its_own") {
        return;
    }
    let Some((_turn, dir, root)) = ground("a_forked_child_makes_its_edits_on_a_thread_of_its_own") else { return };
    let entry = root.entry("by_entry").unwrap();
    let _ = root.create("before", Target::relative(".")).unwrap();
    let child = in_child(|| {
        assert_eq!(confined_threads(), 0);
        let outcome = root.create("by_child", Target::relative(".")).unwrap();
        assert!(matches!(outcome.confinement, Confinement::Landlock(2..)));
        assert_eq!(confined_threads(), 1);
        let _ = entry.apply(&Edit::create(path("by_entry"), Target::relative("."))).unwrap();
        let _ = root.apply(&Edit::create(path("p/l"), Target::relative(".")).parents(true)).unwrap();
        assert_eq!(confined_threads(), 2);
        // The last handle ends them, as it does in the parent.
        drop((entry.apply(&Edit::remove(path("by_entry"))), root.subroot("p").unwrap()));
        in_child(|| root.remove("by_child").is_ok())
    });
    assert!(child);
    let _ = root.create("after", Target::relative(".")).unwrap();
    assert_eq!(confined_threads(), 1);
    for (name, there) in [("before", true), ("after", true), ("p/l", true), ("by_child", false), ("by_entry", false)] {
        assert_eq!(dir.path().join(name).symlink_metadata().is_ok(), there, "{name}");
    }
    assert!(in_child(move || {
        drop((entry, root));
        true
    }));
}

#[test]
fn a_child_that_is_forked_at_a_bad_moment_says_so_and_does_not_hang() {
    if !alone("fork::a_child_that_is_forked_at_a_bad_moment_says_so_and_does_not_hang") {
        return;
    }
    let Some((_turn, _dir, root)) = ground("a_child_that_is_forked_at_a_bad_moment_says_so_and_does_not_hang") else {
        return;
    };
    const DONE: i32 = 0;
    const REFUSED: i32 = 3;
    let mut seen = [0_usize; 2];
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut round = 0_u32;
    while (round < 150 || seen.contains(&0)) && Instant::now() < deadline {
        round += 1;
        // No thread of this root is started yet.
        let fresh = root.with_abilities(Abilities::ALL);
        let edit = |name: String| Edit::create(path(&name), Target::relative("."));
        std::thread::scope(|scope| {
            let (fresh, edit) = (&fresh, &edit);
            scope.spawn(move || drop(fresh.apply(&edit(format!("parent-{round}"))).unwrap()));
            let begin = Instant::now();
            while begin.elapsed() < Duration::from_micros(u64::from(round) * 7 % 400) {}
            let child = match ::fork::fork().unwrap() {
                Fork::Child => std::process::exit(match fresh.apply(&edit(format!("child-{round}"))) {
                    Ok(outcome) if matches!(outcome.confinement, Confinement::Landlock(_)) => DONE,
                    Err(error) if error.kind() == Kind::Io && error.to_string().contains("confine") => REFUSED,
                    _ => 1,
                }),
                Fork::Parent(child) => child,
            };
            let hung = Instant::now() + Duration::from_secs(5);
            let status = loop {
                match waitpid_nohang(child).unwrap() {
                    Some(status) => break status,
                    None if Instant::now() > hung => {
                        let pid = rustix::process::Pid::from_raw(child).unwrap();
                        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
                        panic!("the child hangs");
                    }
                    None => std::thread::sleep(Duration::from_micros(100)),
                }
            };
            match status >> 8 {
                DONE => seen[0] += 1,
                REFUSED => seen[1] += 1,
                _ => panic!("{status:#x}"),
            }
        });
    }
    assert!(!seen.contains(&0), "both happen: {seen:?} in {round}");
}

#[test]
fn a_child_that_was_forked_during_an_edit_does_not_keep_its_lock() {
    if !alone("fork::a_child_that_was_forked_during_an_edit_does_not_keep_its_lock") {
        return;
    }
    let dir = temp_dir();
    symlink(".", dir.path().join("l")).unwrap();
    let root = Root::open_ambient(dir.path(), Policy::default(), ambient_authority()).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let edits = scope.spawn(|| {
            let texts = ["./", "."].into_iter().cycle().take_while(|_| !stop.load(Ordering::Relaxed));
            texts.map(|text| root.ensure("l", Target::verbatim(text))).find_map(Result::err)
        });
        let children: Vec<_> = std::iter::repeat_with(|| match ::fork::fork().unwrap() {
            // It has a copy of each descriptor that was open at that moment, until it ends.
            Fork::Child => loop {
                std::thread::sleep(Duration::from_secs(1));
            },
            Fork::Parent(child) => {
                std::thread::sleep(Duration::from_millis(1));
                rustix::process::Pid::from_raw(child).unwrap()
            }
        })
        .take(40)
        .collect();
        let after = root.ensure("l", Target::verbatim("./."));
        stop.store(true, Ordering::Relaxed);
        for child in children {
            rustix::process::kill_process(child, rustix::process::Signal::KILL).unwrap();
            rustix::process::waitpid(Some(child), rustix::process::WaitOptions::empty()).unwrap();
        }
        assert!(edits.join().unwrap().is_none());
        let _ = after.unwrap();
    });
}

#[test]
fn a_program_that_is_started_is_not_confined() {
    let Some((_turn, dir, root)) = ground("a_program_that_is_started_is_not_confined") else { return };
    let _ = root.ensure("l", Target::verbatim("./")).unwrap();
    let elsewhere = temp_dir();
    for at in [dir.path(), elsewhere.path()] {
        let script = "echo content > file && mkdir dir && rmdir dir && grep '^NoNewPrivs:.*0' /proc/self/status";
        let output = Command::new("sh").args(["-c", script]).current_dir(at).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(fs::read_to_string(at.join("file")).unwrap(), "content\n");
    }
    let _ = root.ensure("l", Target::verbatim(".")).unwrap();
}
