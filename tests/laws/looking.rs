//! Laws 7 to 10: what is said, planned, bounded and named.

use super::*;

#[test]
fn law_7_ensure_twice_is_ensure_once() {
    for abilities in ABILITIES {
        let ground = Ground::new();
        let root = ground.open(abilities);
        for (name, target) in
            [("l", Target::relative("u")), ("d/n", Target::verbatim("../t")), ("d/n", Target::absolute("t"))]
        {
            assert!(root.ensure(name, target.clone()).unwrap().effect.is_change());
            let before = (tree(&ground.at("root")), fs::metadata(ground.at("root/d")).unwrap());
            let again = root.ensure(name, target).unwrap();
            assert_eq!(again.effect, Effect::Unchanged);
            // The times of the directories as well.
            assert_eq!(tree(&ground.at("root")), before.0);
            let status = |meta: &fs::Metadata| {
                use std::os::unix::fs::MetadataExt as _;
                (meta.ctime(), meta.ctime_nsec())
            };
            assert_eq!(status(&fs::metadata(ground.at("root/d")).unwrap()), status(&before.1));
        }
    }
}

#[test]
fn law_8_planning_is_pure() {
    let names = ["new", "d/new", "n/m/new", "l", "d/l", "t", "d", "missing/x", "out/x", "fifo"];
    let to = |text: &str| Target::relative(text);
    for abilities in ABILITIES {
        for name in names {
            let edits: [Edit; _] = [
                Edit::create(path(name), to("t")).into(),
                Edit::create(path(name), to("gone")).into(),
                Edit::create(path(name), to("u")).parents(true).into(),
                Edit::ensure(path(name), to("u")).into(),
                Edit::ensure(path(name), to("u")).backup(true).into(),
                Edit::swap(path(name), to("u"), "t").into(),
                Edit::swap(path(name), Target::verbatim("/etc"), "t").into(),
                Edit::remove(path(name)).into(),
                Edit::remove(path(name)).missing_ok(true).expect("t").into(),
                Edit::ensure(path(name), to("u")).replace(false).into(),
                Edit::ensure(path(name), to("u")).replace(false).backup(true).into(),
                Edit::exchange(path(name), path("d/m")).allow_dangling(true).into(),
            ];
            for edit in edits {
                let ground = Ground::new();
                let root = ground.open(abilities);
                let before = tree(&ground.at("root"));
                let (first, second) = (told(root.preview(&edit)), told(root.preview(&edit)));
                assert_eq!(first, second, "{edit:?}");
                assert_eq!(tree(&ground.at("root")), before, "{edit:?}");
                assert_eq!(told(root.apply(&edit)), first, "{abilities:?}: {edit:?}");
            }
        }
    }
}

/// What a caller is told, but for whether it was a dry run.
fn told(result: Result<Outcome>) -> String {
    match result {
        Ok(mut outcome) => {
            outcome.dry_run = false;
            outcome.counterpart.iter_mut().for_each(|counterpart| counterpart.dry_run = false);
            format!("{outcome:?}")
        }
        Err(error) => format!("{:?} {error}", error.kind()),
    }
}

#[test]
fn law_9_every_walk_is_bounded() {
    // What does not end is not waited for, also on a busy machine.
    const BOUND: Duration = Duration::from_secs(300);
    let (done, ended) = mpsc::channel();
    let walks = thread::spawn(move || {
        walk_everything();
        let _ = done.send(());
    });
    let in_time = ended.recv_timeout(BOUND) != Err(mpsc::RecvTimeoutError::Timeout);
    assert!(in_time, "a walk has no end");
    walks.join().unwrap();
}

fn walk_everything() {
    let ground = Ground::new();
    // Each link goes to the one before it many times over: without a bound that is 40 levels of hundreds.
    symlink("d", ground.at("root/b0")).unwrap();
    for level in 1..45 {
        let back = format!("b{}/../", level - 1).repeat(300) + &format!("b{}", level - 1);
        symlink(back, ground.at(format!("root/b{level}"))).unwrap();
    }
    // The longest texts that go in and out of a directory, one after the other.
    symlink("t", ground.at("root/w0")).unwrap();
    for level in 1..40 {
        let winding = "d/e/../../".repeat(400) + &format!("w{}", level - 1);
        symlink(winding, ground.at(format!("root/w{level}"))).unwrap();
    }
    symlink("loop", ground.at("root/loop")).unwrap();
    symlink("grows/x", ground.at("root/grows")).unwrap();
    for abilities in ABILITIES {
        let root = ground.open(abilities);
        for link in ["b44", "b2", "b1", "w39", "w3", "loop", "grows"] {
            let begun = busy();
            let _ = root.resolve(link);
            let _ = root.inspect(link).unwrap();
            let _ = root.explain(link).unwrap();
            let _ = root.create("new", Target::relative(link));
            let _ = root.remove("new");
            let took = busy() - begun;
            // Two seconds for each of five operations.
            assert!(took < Duration::from_secs(10), "{abilities:?}: {link}: {took:?}");
        }
    }
}

/// The processor's time of this thread: what others take of it does not count.
fn busy() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(now).unwrap()
}

/// What an operation came to, and the kind and the component that are owed.
type Failure<'a> = (Result<()>, Kind, Option<(&'a str, usize)>);

#[test]
fn law_10_a_failure_names_the_component_the_reason_and_the_link() {
    let ground = Ground::new();
    symlink("loop", ground.at("root/loop")).unwrap();
    let root = ground.open(Abilities::ALL);
    let t = || Target::relative("t");
    let long = "x".repeat(256);
    let failures: Vec<Failure<'_>> = vec![
        (root.create("../x", t()).map(drop), Kind::Escape, Some(("..", 0))),
        (root.create("d/../../x", t()).map(drop), Kind::Escape, Some(("..", 2))),
        (root.create("d/../x", t()).map(drop), Kind::InvalidPath, Some(("..", 1))),
        (root.create("/x", t()).map(drop), Kind::Escape, Some(("/", 0))),
        (root.create(format!("d/{long}"), t()).map(drop), Kind::TooLong, Some((&long, 1))),
        (root.create("out/x", t()).map(drop), Kind::SymlinkInPath, Some(("out", 0))),
        (root.create("d/missing/x", t()).map(drop), Kind::NotFound, Some(("missing", 1))),
        (root.create("d/f/x", t()).map(drop), Kind::NotFound, Some(("f", 1))),
        (root.create("new", Target::relative("d/gone/x")).map(drop), Kind::Dangling, Some(("gone", 1))),
        (root.create("new", Target::relative("out/x")).map(drop), Kind::Escape, Some(("out", 0))),
        (root.create("new", Target::relative("loop")).map(drop), Kind::Loop, Some(("loop", 0))),
        (root.resolve("d/missing").map(drop), Kind::NotFound, Some(("missing", 1))),
        (root.resolve("out/x").map(drop), Kind::Escape, Some(("out", 0))),
        (root.resolve("loop/x").map(drop), Kind::Loop, Some(("loop", 0))),
        (root.create("t", t()).map(drop), Kind::Exists, None),
        (root.ensure("d", t()).map(drop), Kind::NotALink, None),
        (root.swap("l", t(), "u").map(drop), Kind::Mismatch, None),
        (root.remove("missing").map(drop), Kind::NotFound, None),
    ];
    for (failure, kind, component) in failures {
        let error = failure.unwrap_err();
        let at = error.component().map(|at| (at.name.to_str().unwrap(), at.index));
        assert_eq!((error.kind(), at), (kind, component), "{error:?}");
        let shown = error.to_string();
        assert!(shown.starts_with("cannot ") && !shown.ends_with('.') && !shown.contains('\n'), "{shown}");
        let (verb, link) = (error.operation(), error.link().expect("the link is named").display().to_string());
        assert!(shown.contains(verb) && shown.contains(&link), "{shown}");
        if let Some((name, index)) = component {
            assert!(shown.contains(&format!("`{name}` ({index})")), "{shown}");
        }
    }
}
