//! Removal: what is taken down, what is left, and that nothing outside is touched.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use caplink::Kind;
use caplink::manage::{Check, Deploy, Prune, Pruned, Releases, Switch};
use caplink::records::Author;

use crate::ground::{Ground, skipped};
use crate::support::rounds::Rounds;

/// Three releases, the first of which is the one that may be removed.
fn ground() -> Ground {
    let ground = Ground::new(&["1", "2", "3"]);
    for name in ["1", "2", "3"] {
        ground.app().deploy(name, &Deploy::default()).unwrap();
    }
    ground
}

fn prune(app: &Releases) -> caplink::Result<Vec<Pruned>> {
    let mut options = Prune::default();
    (options.keep, options.grace) = (Some(0), Some(Duration::ZERO));
    app.prune(&options)
}

fn removed(pruned: &[Pruned]) -> Vec<&str> {
    pruned.iter().filter(|pruned| pruned.removed).map(|pruned| pruned.view.release.as_str()).collect()
}

/// What is left of removals in the state directory and beside the releases.
fn private_places(ground: &Ground) -> Vec<String> {
    let names = |dir: &Path| {
        let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(".caplink-")).collect::<Vec<_>>()
    };
    [names(&ground.path.join(".caplink")), names(&ground.path.join("releases"))].concat()
}

#[test]
fn a_tree_of_any_shape_is_taken_down() {
    let ground = ground();
    let dir = ground.release("1");
    let long = "n".repeat(255);
    fs::create_dir(dir.join(&long)).unwrap();
    fs::write(dir.join(&long).join("m".repeat(255)), "x").unwrap();
    symlink(ground.base.path().join("canary"), dir.join("to canary")).unwrap();
    symlink("../../../canary/deep/file", dir.join(&long).join("relative")).unwrap();
    for number in 0..2000 {
        fs::write(dir.join(format!("file-{number}")), "").unwrap();
    }
    fs::hard_link(ground.base.path().join("canary/deep/file"), dir.join("hard")).unwrap();
    let before = ground.canary();
    assert_eq!(removed(&prune(&ground.app()).unwrap()), ["1"]);
    assert!(!dir.exists() && private_places(&ground).is_empty());
    assert_eq!(ground.canary().len(), before.len());
    assert_eq!(fs::read(ground.base.path().join("canary/deep/file")).unwrap(), b"canary");
}

#[test]
fn three_thousand_levels_are_taken_down_with_few_descriptors() {
    let ground = ground();
    let mut dir = cap_std::fs::Dir::open_ambient_dir(ground.release("1"), cap_std::ambient_authority()).unwrap();
    for _ in 0..3000 {
        dir.create_dir("d").unwrap();
        dir = dir.open_dir("d").unwrap();
    }
    dir.write("file", "").unwrap();
    drop(dir);
    let caplink = env!("CARGO_BIN_EXE_caplink");
    let script = format!("ulimit -n 64; exec {caplink} -C \"$0\" release prune --keep 0 --grace 0s");
    let pruned = Command::new("bash").args(["-c", &script]).arg(&ground.path).output().unwrap();
    assert!(pruned.status.success(), "{pruned:?}");
    assert!(!ground.release("1").exists() && private_places(&ground).is_empty());
}

/// A million entries with `CAPLINK_ROUNDS=full`.
#[test]
fn many_entries_are_taken_down_with_little_memory_and_few_descriptors() {
    let entries = if Rounds::asked_for() == Rounds::Full { 1_000_000 } else { 20_000 };
    let base = tempfile::TempDir::new_in("/dev/shm").or_else(|_| tempfile::TempDir::new()).unwrap();
    let ground = Ground::at(base, &["1", "2", "3"]);
    for name in ["1", "2", "3"] {
        ground.app().deploy(name, &Deploy::default()).unwrap();
    }
    // Half of them beside each other, the others a hundred to a directory; each with another name outside, which stays.
    let file = ground.base.path().join("canary/deep/file");
    let (mut made, mut dir, mut parts) = (0, ground.release("1"), 0);
    while made < entries {
        if made >= entries / 2 && made % 100 == 0 {
            parts += 1;
            dir = ground.release("1").join(format!("part-{parts}"));
            fs::create_dir(&dir).unwrap();
        }
        // Not every file system has so many names for one file.
        let name = dir.join(format!("{made}"));
        fs::hard_link(&file, &name).or_else(|_| fs::write(&name, "")).unwrap();
        made += 1;
    }
    let caplink = env!("CARGO_BIN_EXE_caplink");
    // Each thread would take 128 MiB of address space for its own, used or not.
    let script = "export MALLOC_ARENA_MAX=1; ulimit -n 64; ulimit -v 131072; exec \"$@\"";
    let mut pruning = Command::new("bash");
    pruning.args(["-c", script, "bash", caplink, "-C"]).arg(&ground.path);
    let pruned = pruning.args(["--json", "release", "prune", "--keep", "0", "--grace", "0s"]).output().unwrap();
    assert!(pruned.status.success(), "{pruned:?}");
    let said: serde_json::Value = serde_json::from_slice(&pruned.stdout).unwrap();
    // The file that has the release's name is all that nothing else keeps.
    assert_eq!((&said["items"][0]["outcome"], &said["items"][0]["bytes"]), (&"pruned".into(), &1.into()));
    assert!(!ground.release("1").exists() && private_places(&ground).is_empty());
    assert_eq!(fs::symlink_metadata(&file).unwrap().nlink(), 1);
}

#[test]
fn what_cannot_be_taken_down_is_residue_and_goes_on_later() {
    let ground = ground();
    let file = ground.release("1").join("deep/immutable");
    fs::create_dir(file.parent().unwrap()).unwrap();
    fs::write(&file, "").unwrap();
    let attribute =
        |how: &str, file: &Path| Command::new("chattr").arg(how).arg(file).status().is_ok_and(|s| s.success());
    if !attribute("+i", &file) {
        return skipped("what_cannot_be_taken_down_is_residue_and_goes_on_later", "no file can be made immutable here");
    }
    let pruned = prune(&ground.app()).unwrap();
    let residue = pruned[0].residue.as_ref().expect("something is left");
    assert_eq!((residue.kind(), pruned[0].removed), (Kind::Residue, true));
    let left = ground.path.join(&residue.left()[0]);
    assert!(left.join("release/deep/immutable").exists(), "{left:?}");
    assert!(!ground.release("1").join("version").exists());
    let still = Releases::recover(&ground.root, &Author::default(), false).unwrap();
    assert_eq!(still[0].as_ref().unwrap_err().kind(), Kind::Residue);
    assert!(attribute("-i", &left.join("release/deep/immutable")));
    let recovered = Releases::recover(&ground.root, &Author::default(), false).unwrap();
    assert_eq!(recovered[0].as_ref().unwrap().how.as_str(), "removed");
    assert!(private_places(&ground).is_empty());
    assert!(Releases::recover(&ground.root, &Author::default(), false).unwrap().is_empty());
}

#[test]
fn a_mount_in_a_release_is_not_crossed() {
    let ground = ground();
    let at = ground.release("1").join("mounted");
    fs::create_dir(&at).unwrap();
    let mount = |args: &[&str]| Command::new("mount").args(args).status().is_ok_and(|status| status.success());
    let canary = ground.base.path().join("canary");
    if !mount(&["--bind", canary.to_str().unwrap(), at.to_str().unwrap()]) {
        return skipped("a_mount_in_a_release_is_not_crossed", "nothing can be mounted here");
    }
    let before = ground.canary();
    let pruned = prune(&ground.app()).unwrap();
    let after = ground.canary();
    let left = pruned[0].residue.as_ref().map(|residue| ground.path.join(&residue.left()[0]));
    let mounted = left.unwrap_or(ground.release("1").parent().unwrap().join("1"));
    let at = if mounted.join("release/mounted").exists() { mounted.join("release/mounted") } else { at };
    assert!(Command::new("umount").arg(&at).status().unwrap().success(), "{at:?}");
    assert_eq!(before, after);
    assert!(pruned[0].residue.is_some() || !pruned[0].removed);
    let _settled = Releases::recover(&ground.root, &Author::default(), false).unwrap();
    let _again = prune(&ground.app()).unwrap();
    assert!(private_places(&ground).is_empty());
    assert_eq!(ground.canary(), before);
}

/// Somebody who may write the release renames, replaces and fills while it is taken down.
#[test]
fn whoever_writes_the_release_meanwhile_leads_nothing_out() {
    for round in 0..6 {
        let ground = ground();
        let dir = ground.release("1");
        for number in 0..60 {
            let below = dir.join(format!("d{number}/e/f"));
            fs::create_dir_all(&below).unwrap();
            fs::write(below.join("file"), "").unwrap();
        }
        let before = ground.canary();
        let canary = ground.base.path().join("canary");
        let done = AtomicBool::new(false);
        // The directory is held open: wherever it is moved to, it is found by its descriptor.
        let held = fs::File::open(&dir).unwrap();
        let own = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&held));
        thread::scope(|scope| {
            scope.spawn(|| {
                let own = Path::new(&own);
                let mut number = 0;
                while !done.load(Ordering::Relaxed) && number < 20_000 {
                    number += 1;
                    let name = own.join(format!("d{}", number % 60));
                    match (number + round) % 3 {
                        0 => {
                            let _ = fs::rename(name.join("e"), own.join(format!("moved{number}")));
                            let _ = symlink(&canary, name.join("e"));
                        }
                        1 => {
                            let _ = fs::rename(&name, own.join(format!("away{number}")));
                            let _ = symlink(&canary, &name);
                        }
                        _ => {
                            let _ = fs::create_dir_all(name.join("filled"));
                            let _ = fs::write(name.join("filled/file"), "");
                        }
                    }
                }
            });
            let pruned = prune(&ground.app());
            done.store(true, Ordering::Relaxed);
            // The open directory may count as a use of it, of this very process.
            assert!(pruned.is_ok(), "{pruned:?}");
        });
        drop(held);
        for _ in 0..3 {
            let _settled = Releases::recover(&ground.root, &Author::default(), false).unwrap();
        }
        assert_eq!(ground.canary(), before, "round {round}");
        assert!(private_places(&ground).is_empty());
    }
}

#[test]
fn a_private_place_that_others_can_enter_by_now_is_not_used() {
    let ground = ground();
    let dir = ground.release("1").join("deep");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("immutable"), "").unwrap();
    let attribute =
        |how: &str, file: &Path| Command::new("chattr").arg(how).arg(file).status().is_ok_and(|s| s.success());
    if !attribute("+i", &dir.join("immutable")) {
        return skipped(
            "a_private_place_that_others_can_enter_by_now_is_not_used",
            "no file can be made immutable here",
        );
    }
    let pruned = prune(&ground.app()).unwrap();
    let left = ground.path.join(&pruned[0].residue.as_ref().unwrap().left()[0]);
    assert!(attribute("-i", &left.join("release/deep/immutable")));
    fs::set_permissions(&left, fs::Permissions::from_mode(0o777)).unwrap();
    let recovered = Releases::recover(&ground.root, &Author::default(), false).unwrap();
    assert_eq!(recovered[0].as_ref().unwrap_err().kind(), Kind::UnsafeState);
    assert!(left.join("release/deep/immutable").exists());
}

#[test]
fn a_release_that_becomes_a_link_is_not_followed() {
    let ground = ground();
    let before = ground.canary();
    fs::rename(ground.release("1"), ground.path.join("elsewhere")).unwrap();
    symlink(ground.base.path().join("canary"), ground.release("1")).unwrap();
    let pruned = prune(&ground.app()).unwrap();
    assert!(removed(&pruned).is_empty(), "{pruned:?}");
    assert_eq!(pruned[0].view.reason.as_deref(), Some("replaced"));
    assert_eq!(ground.canary(), before);
    assert!(ground.path.join("elsewhere/version").exists());
}

#[test]
fn the_release_before_is_known_after_a_failed_switch_back_to_it_however_many_there_were() {
    let ground = Ground::new(&["a", "c", "b"]);
    let app = ground.app();
    let switch = |app: &Releases, name: &str| app.switch(name, &Switch::default()).map(drop);
    for name in ["a", "c", "b"] {
        app.deploy(name, &Deploy::default()).unwrap();
    }
    // So many that not every activation is kept.
    for name in ["c", "a"].repeat(30).into_iter().chain(["b"]) {
        switch(&app, name).unwrap();
    }
    let failing = ground.app().check_after(vec![Check::closure("ill", |_| Err("ill".to_owned()))]);
    assert_eq!(switch(&failing, "a").unwrap_err().error().kind(), Kind::CheckFailed);
    assert_eq!(app.look().unwrap().release.as_deref(), Some("b"));
    let pruned = prune(&app).unwrap();
    let kept: Vec<_> = pruned.iter().map(|pruned| (&*pruned.view.release, pruned.view.reason.as_deref())).collect();
    // `a` was active before `b`; `c` is what is rolled back to.
    assert_eq!(kept, [("a", Some("before")), ("c", Some("before")), ("b", Some("active"))]);
}
