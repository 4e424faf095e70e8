//! An edit that confines the calling thread for good has the outcome that it has elsewhere.

use super::transcript::{listing, outcome_of};
use super::*;

const DENIED: Option<i32> = Some(libc::EACCES);

/// Runs on a thread of its own, which may stay confined.
fn on_a_thread<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(run).join().unwrap())
}

fn edits(at: &str) -> Vec<Edit> {
    let edit = |name: &str| path(&format!("{at}{name}"));
    vec![
        Edit::create(edit("l"), to("releases/1")).into(),
        Edit::create(edit("l"), to("releases/1")).into(),
        Edit::create(edit("d"), to("nowhere")).into(),
        Edit::create(edit("d"), to("nowhere")).allow_dangling(true).into(),
        Edit::ensure(edit("l"), to("releases/1")).into(),
        Edit::ensure(edit("l"), to("releases/2")).into(),
        Edit::ensure(edit("n"), to("releases/2")).durability(Durability::Dir).into(),
        Edit::ensure(edit("file"), to("releases/2")).into(),
        Edit::swap(edit("l"), to("releases/1"), "something else").into(),
        Edit::ensure(edit("p/q/l"), to("releases/1")).parents(true).into(),
        Edit::ensure(edit("p/q/l"), to("releases/2")).parents(true).into(),
        Edit::ensure(edit("file"), to("releases/1")).backup(true).into(),
        Edit::ensure(edit("p"), to("releases/1")).backup(true).into(),
        Edit::ensure(edit("b"), to("releases/1")).backup(true).into(),
        Edit::remove(edit("l")).expect("other").into(),
        Edit::remove(edit("l")).into(),
        Edit::remove(edit("l")).into(),
        Edit::remove(edit("l")).missing_ok(true).into(),
        Edit::create(edit(".caplink"), to("releases/1")).into(),
    ]
}

#[test]
fn the_last_edit_of_a_thread_comes_to_what_any_other_does() {
    for (setting, prepare) in SETTINGS {
        let (usual, last) = (tree(), tree());
        let usual_root = prepare(&usual, open(&usual, Policy::default()));
        let last_root = prepare(&last, open(&last, Policy::default()));
        let Some(usual_root) = confined("the_last_edit_of_a_thread_comes_to_what_any_other_does", &usual_root) else {
            return;
        };
        for at in ["", "a/b/", "shared/", "sticky/", "missing/", "file/", "shared/led/"] {
            for edit in edits(at) {
                let expected = usual_root.apply(&edit);
                let found = on_a_thread(|| last_root.apply_confining_thread(&edit, Enforcement::Require));
                assert_eq!(outcome_of(&expected), outcome_of(&found), "{setting}: {edit:?}");
                if let Ok(outcome) = &found {
                    assert_eq!(outcome.confinement, usual_root.confinement(), "{setting}: {edit:?}");
                }
            }
        }
        let tree_of = |dir: &TempDir| {
            let mut listed = String::new();
            listing(dir.path(), Path::new(""), &mut listed);
            listed
        };
        assert_eq!(tree_of(&usual), tree_of(&last), "{setting}");
    }
}

#[test]
fn the_thread_is_held_to_the_root_from_then_on() {
    let dir = tree();
    let root = open(&dir, Policy::default());
    if confined("the_thread_is_held_to_the_root_from_then_on", &root).is_none() {
        return;
    }
    let (inside, outside) = (dir.path().join("root/new"), dir.path().join("outside/new"));
    // An edit that changes nothing is no exception.
    let _ = root.ensure("l", to("a")).unwrap();
    let edits: [Edit; _] = [
        Edit::ensure(path("l"), to("a")).into(),
        Edit::ensure(path("l"), to("releases")).into(),
        Edit::create(path("m"), to("a")).into(),
        Edit::create(path("m"), to("a")).into(),
    ];
    for edit in edits {
        on_a_thread(|| {
            let level = root.confined(Enforcement::Require).unwrap().confinement();
            match root.apply_confining_thread(&edit, Enforcement::Auto) {
                Ok(outcome) => assert_eq!(outcome.confinement, level),
                Err(error) => assert_eq!(error.kind(), Kind::Exists),
            }
            let refused = || {
                let write = |path: &Path| fs::write(path, "").err().and_then(|error| error.raw_os_error());
                assert_eq!((write(&inside), write(&outside)), (DENIED, DENIED), "{edit:?}");
                let made = fs::create_dir(&inside).err().and_then(|error| error.raw_os_error());
                assert_eq!(made, DENIED, "{edit:?}");
            };
            refused();
            on_a_thread(refused);
            let status = fs::read_to_string("/proc/thread-self/status");
            // Nothing can be read any more, either.
            assert_eq!(status.unwrap_err().raw_os_error(), DENIED);
            assert!(rustix::thread::no_new_privs().unwrap());
            let _ = root.create("n", to("a")).unwrap();
            let _ = root.remove("n").unwrap();
        });
        fs::write(&inside, "").unwrap();
        fs::write(&outside, "").unwrap();
        assert!(!rustix::thread::no_new_privs().unwrap());
        fs::remove_file(&inside).unwrap();
        fs::remove_file(&outside).unwrap();
    }
}

#[test]
fn each_last_edit_gets_the_rights_that_it_needs_and_no_more() {
    let dir = tree();
    let root = open(&dir, Policy::default());
    if confined("each_last_edit_gets_the_rights_that_it_needs_and_no_more", &root).is_none() {
        return;
    }
    let base = dir.path().join("root");
    for (edit, makes, moves) in [
        (Edit::ensure(path("1"), to("a")), false, false),
        (Edit::ensure(path("2"), to("a")).parents(true), true, false),
        (Edit::ensure(path("3"), to("a")).backup(true), true, true),
    ] {
        on_a_thread(|| {
            let _ = root.apply_confining_thread(&edit, Enforcement::Require).unwrap();
            let made = base.join(format!("made by {}", edit.path()));
            assert_eq!(fs::create_dir(made).is_ok(), makes, "{edit:?}");
            let moved = fs::rename(base.join("file"), base.join("moved"));
            assert_eq!(moved.is_ok(), moves, "{edit:?}");
        });
    }
}

#[test]
fn the_thread_stays_free_where_another_has_to_be_started() {
    struct Writes(std::path::PathBuf);
    impl Recorder for Writes {
        fn after(&self, events: &[Event<'_>]) -> Result<()> {
            events
                .iter()
                .flat_map(Event::changes)
                .for_each(|change| fs::write(&self.0, change.effect.as_str()).unwrap());
            Ok(())
        }
    }
    let dir = tree();
    let root = open(&dir, Policy::default());
    let Some(held) = confined("the_thread_stays_free_where_another_has_to_be_started", &root) else { return };
    let outside = dir.path().join("outside/new");
    let free = |root: &Root, edit: &Edit| {
        on_a_thread(|| {
            let outcome = root.apply_confining_thread(edit, Enforcement::Require).unwrap();
            assert_eq!(outcome.confinement, held.confinement());
            fs::write(&outside, "").unwrap();
            assert!(!rustix::thread::no_new_privs().unwrap());
            outcome
        })
    };
    // Where others can write, the link is staged in the state directory, which is made outside the domain.
    let _ = root.create("shared/l", to("a")).unwrap();
    let outcome = free(&root, &Edit::ensure(path("shared/l"), to("releases")).into());
    assert_eq!((outcome.staging, root.check_state()), (Staging::Private, StateCheck::Absent));
    // The recorder writes a log.
    let log = dir.path().join("outside/log");
    let watched = root.recorded_by(std::sync::Arc::new(Writes(log.clone())));
    let _ = free(&watched, &Edit::create(path("l"), to("a")).into());
    assert_eq!(fs::read_to_string(log).unwrap(), "created");
    // It is confined already.
    let _ = free(&held, &Edit::remove(path("l")).into());
}

#[test]
fn a_directory_that_is_opened_to_others_meanwhile_is_contended() {
    let dir = tree();
    let root = open(&dir, Policy::default());
    if confined("a_directory_that_is_opened_to_others_meanwhile_is_contended", &root).is_none() {
        return;
    }
    let base = dir.path().join("root/a");
    symlink("0", base.join("l")).unwrap();
    let stop = AtomicBool::new(false);
    let (mut stagings, mut contended) = ([0_usize; 2], 0_usize);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for mode in [0o777, 0o755].into_iter().cycle() {
                fs::set_permissions(&base, fs::Permissions::from_mode(mode)).unwrap();
                if stop.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let _stop = StopOnDrop(&stop);
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut turn = 0_u32;
        while (turn < 300 || contended == 0 || stagings.contains(&0)) && Instant::now() < deadline {
            turn += 1;
            let edit = Edit::ensure(path("a/l"), Target::verbatim(turn.to_string())).allow_dangling(true);
            match on_a_thread(|| root.apply_confining_thread(&edit, Enforcement::Require)) {
                Ok(outcome) => {
                    stagings[usize::from(outcome.staging == Staging::Private)] += 1;
                    assert_eq!(fs::read_link(base.join("l")).unwrap(), Path::new(&turn.to_string()));
                }
                Err(error) => {
                    assert_eq!((error.kind(), error.operation()), (Kind::Contended, "ensure"), "{error:?}");
                    assert!(error.left().is_empty() && error.preserved().is_empty(), "{error:?}");
                    contended += 1;
                }
            }
        }
    });
    assert!(contended > 0 && !stagings.contains(&0), "all happen: {stagings:?}, contended {contended}");
    assert_eq!(root.check_state(), StateCheck::Absent);
    assert_eq!(fs::read_dir(&base).unwrap().count(), 2, "`b` and `l`");
}
