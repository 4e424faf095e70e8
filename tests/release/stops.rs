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

/// Puts a directory in the place of release 1 right before it is moved away, and kills before a later call of this number.
struct Planter {
    release: PathBuf,
    at: Option<usize>,
    planted: bool,
    seen: usize,
}

impl Watch for Planter {
    fn before(&mut self, call: &Call, memory: &Memory) -> Verdict {
        let moves = call.number == libc::SYS_renameat2 && memory.text(call.args[1]) == "1";
        if moves && !self.planted {
            fs::rename(&self.release, self.release.with_file_name("own")).unwrap();
            fs::create_dir(&self.release).unwrap();
            fs::write(self.release.join("precious"), "a stranger's").unwrap();
            self.planted = true;
            return Verdict::Go;
        }
        self.seen += usize::from(self.planted);
        if self.at.is_some_and(|at| self.seen > at) { Verdict::Kill } else { Verdict::Go }
    }

    fn after(&mut self, _call: &Call, _result: i64) {}
}

fn plant(ground: &Ground, at: Option<usize>) -> usize {
    let mut planter = Planter { release: ground.release("1"), at, planted: false, seen: 0 };
    let line = "release prune --keep 0 --grace 0s";
    let mut command: Vec<OsString> =
        vec![env!("CARGO_BIN_EXE_caplink").into(), "-C".into(), ground.path.clone().into()];
    command.extend(line.split(' ').map(OsString::from));
    trace(&command, &mut planter).unwrap();
    assert!(planter.planted);
    planter.seen
}

#[test]
fn what_took_the_place_of_a_release_is_never_removed_wherever_pruning_is_stopped() {
    let name = "what_took_the_place_of_a_release_is_never_removed_wherever_pruning_is_stopped";
    if let Some(reason) = denied() {
        return skipped(name, &reason);
    }
    let calls = plant(&ground(), None);
    assert!(calls > 5, "{calls}");
    // The first calls behind the move are those that compare it and move it back.
    let step = if std::env::var("CAPLINK_SCHEDULES").as_deref() == Ok("all") { 1 } else { 7 };
    for at in (0..calls.min(12)).chain((12..calls).step_by(step)) {
        let ground = ground();
        plant(&ground, Some(at));
        for _ in 0..2 {
            let settled = Releases::recover(&ground.root, &caplink::records::Author::default(), false).unwrap();
            for settled in settled {
                assert_eq!(settled.unwrap().how, caplink::manage::Settlement::Kept, "killed at {at}");
            }
            let precious = fs::read_to_string(ground.release("1").join("precious")).ok();
            assert_eq!(precious.as_deref(), Some("a stranger's"), "killed at {at}");
            assert!(ground.release("own").join("a/b").exists(), "killed at {at}");
        }
    }
}

#[test]
fn a_release_that_came_into_use_is_moved_back_by_recover() {
    if let Some(reason) = denied() {
        return skipped("a_release_that_came_into_use_is_moved_back_by_recover", &reason);
    }
    /// Kills right after release 1 was moved away.
    struct AtTheMove(bool);
    impl Watch for AtTheMove {
        fn before(&mut self, call: &Call, memory: &Memory) -> Verdict {
            if self.0 {
                return Verdict::Kill;
            }
            self.0 = call.number == libc::SYS_renameat2 && memory.text(call.args[1]) == "1";
            Verdict::Go
        }
        fn after(&mut self, _call: &Call, _result: i64) {}
    }
    let ground = ground();
    let mut command: Vec<OsString> =
        vec![env!("CARGO_BIN_EXE_caplink").into(), "-C".into(), ground.path.clone().into()];
    command.extend("release prune --keep 0 --grace 0s".split(' ').map(OsString::from));
    trace(&command, &mut AtTheMove(false)).unwrap();
    assert!(!ground.release("1").exists(), "it was moved away");
    let places = fs::read_dir(ground.path.join(".caplink")).unwrap().map(|entry| entry.unwrap().path());
    let moved = places.map(|place| place.join("release")).find(|moved| moved.is_dir()).unwrap();
    let held = fs::File::open(moved).unwrap();
    rustix::fs::flock(&held, rustix::fs::FlockOperation::LockShared).unwrap();
    let recover = || Releases::recover(&ground.root, &caplink::records::Author::default(), false).unwrap();
    let settled: Vec<_> = recover().into_iter().map(|settled| settled.unwrap().how).collect();
    assert_eq!(settled, [caplink::manage::Settlement::Kept]);
    assert!(ground.release("1").join("a/b").exists());
    assert!(recover().is_empty());
}

/// A release that brings a directory for what is shared, and a link in the place of another.
fn bringing(kind: &str, link: &str) -> Ground {
    let ground = Ground::new(&["1"]);
    fs::create_dir_all(ground.release("1").join("storage")).unwrap();
    fs::write(ground.release("1").join("storage/data"), "precious").unwrap();
    fs::create_dir_all(ground.path.join("common")).unwrap();
    std::os::unix::fs::symlink(link, ground.release("1").join("log")).unwrap();
    let manifest = format!(
        "version = 1\nname = \"x\"\n\
         [[release.default.shared]]\nat = \"storage\"\nto = \"shared/deep/data\"\nkind = \"{kind}\"\nseed = \"move\"\n\
         [[release.default.shared]]\nat = \"log\"\nto = \"common\"\nkind = \"dir\"\nseed = \"aside\"\n"
    );
    fs::write(ground.path.join("caplink.toml"), manifest).unwrap();
    ground
}

#[test]
fn what_a_release_brought_is_where_it_belongs_wherever_its_deploy_is_stopped() {
    let name = "what_a_release_brought_is_where_it_belongs_wherever_its_deploy_is_stopped";
    if let Some(reason) = denied() {
        return skipped(name, &reason);
    }
    let judge = |ground: &Ground, link: &str, at: usize| {
        let mut again = Command::new(env!("CARGO_BIN_EXE_caplink"));
        let again = again.arg("-C").arg(&ground.path).args(["release", "deploy", "1"]).output().unwrap();
        assert!(again.status.success(), "killed at {at}: {again:?}");
        for path in ["shared/deep/data/data", "releases/1/storage/data"] {
            let data = fs::read_to_string(ground.path.join(path)).ok();
            assert_eq!(data.as_deref(), Some("precious"), "{path}, killed at {at}");
        }
        let text = |path: &str| fs::read_link(ground.release("1").join(path)).ok();
        assert_eq!(text("storage").as_deref(), Some("../../shared/deep/data".as_ref()), "killed at {at}");
        assert_eq!(text("log").as_deref(), Some("../../common".as_ref()), "killed at {at}");
        assert_eq!(text("log.backup").as_deref(), Some(link.as_ref()), "killed at {at}");
        let names = fs::read_dir(ground.release("1")).unwrap().count();
        assert_eq!(names, 4, "killed at {at}: version, storage, log, log.backup");
    };
    let step = if std::env::var("CAPLINK_SCHEDULES").as_deref() == Ok("all") { 1 } else { 53 };
    for (number, (kind, link)) in [("dir", "/nowhere/log"), ("any", "../old")].into_iter().enumerate() {
        let whole = bringing(kind, link);
        let calls = run(&whole, "release deploy 1", None);
        judge(&whole, link, calls);
        for at in (number * 11..calls).step_by(step) {
            let ground = bringing(kind, link);
            run(&ground, "release deploy 1", Some(at));
            judge(&ground, link, at);
        }
    }
}

/// Lets the look behind a switch fail, and the undoing of the switch.
struct Failing {
    switched: bool,
}

impl Watch for Failing {
    fn before(&mut self, call: &Call, memory: &Memory) -> Verdict {
        let exchange = call.number == libc::SYS_renameat2 && memory.text(call.args[3]) == "current";
        match (self.switched, exchange, call.number) {
            (false, true, _) => {
                self.switched = true;
                Verdict::Go
            }
            (true, true, _) | (true, false, libc::SYS_readlinkat) => Verdict::Fail(nix::errno::Errno::EIO),
            _ => Verdict::Go,
        }
    }

    fn after(&mut self, _call: &Call, _result: i64) {}
}

#[test]
fn a_switch_that_cannot_be_undone_stays_open_and_recover_undoes_it() {
    if let Some(reason) = denied() {
        return skipped("a_switch_that_cannot_be_undone_stays_open_and_recover_undoes_it", &reason);
    }
    let ground = Ground::new(&["1", "2"]);
    ground.app().deploy("1", &Deploy::default()).unwrap();
    let command = [env!("CARGO_BIN_EXE_caplink").into(), "-C".into(), ground.path.clone().into()];
    let command: Vec<OsString> =
        command.into_iter().chain(["release", "deploy", "2", "--json"].map(OsString::from)).collect();
    let end = trace(&command, &mut Failing { switched: false }).unwrap();
    assert_eq!(end.code, Some(7), "{end:?}");
    assert!(end.stdout.contains("\"partial\""), "{end:?}");
    assert_eq!(ground.current().as_deref(), Some("releases/2".as_ref()));
    let recovered = Command::new(env!("CARGO_BIN_EXE_caplink")).arg("-C").arg(&ground.path).arg("recover").output();
    assert!(recovered.as_ref().unwrap().status.success(), "{recovered:?}");
    assert_eq!(ground.current().as_deref(), Some("releases/1".as_ref()), "{recovered:?}");
    assert_eq!(ground.app().look().unwrap().alarm, None);
}

#[test]
fn an_app_that_cannot_be_settled_keeps_no_other_from_it() {
    let ground = Ground::new(&[]);
    let app = |name: &str| {
        let app = Releases::open(&ground.root, name).unwrap();
        app.current(caplink::LinkPath::new(format!("{name}/current")).unwrap())
            .releases(format!("{name}/releases"))
            .unwrap()
    };
    for name in ["a", "b"] {
        for release in ["1", "2"] {
            fs::create_dir_all(ground.path.join(name).join("releases").join(release)).unwrap();
        }
        app(name).deploy("1", &Deploy::default()).unwrap();
        fs::write(
            ground.path.join("caplink.toml"),
            format!(
                "version = 1\nname = \"x\"\n[release.{name}]\nafter_switch = [[\"sh\", \"-c\", \"kill -KILL $PPID\"]]\n"
            ),
        )
        .unwrap();
        let mut killed = Command::new(env!("CARGO_BIN_EXE_caplink"));
        killed.arg("-C").arg(&ground.path).args(["release", "--app", name, "deploy", "2"]).output().unwrap();
    }
    fs::remove_file(ground.path.join("caplink.toml")).unwrap();
    fs::rename(ground.path.join("a"), ground.path.join("moved")).unwrap();
    std::os::unix::fs::symlink("moved", ground.path.join("a")).unwrap();
    let leads = |path: &str| fs::read_link(ground.path.join(path)).unwrap();
    assert_eq!(leads("b/current").as_path(), std::path::Path::new("releases/2"));
    let settled = Releases::recover(&ground.root, &caplink::records::Author::default(), false).unwrap();
    let kinds: Vec<_> =
        settled.iter().map(|settled| settled.as_ref().map(|s| s.app.as_str()).map_err(|e| e.kind())).collect();
    assert_eq!(kinds, [Err(caplink::Kind::SymlinkInPath), Ok("b")]);
    assert_eq!(leads("b/current").as_path(), std::path::Path::new("releases/1"));
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
