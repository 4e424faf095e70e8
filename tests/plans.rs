//! Plans, and the recorders that are asked before a change and informed after it.

use std::sync::{Arc, Mutex};

use cap_tempfile::TempDir;
use caplink::{
    Durability, Edit, Effect, Error, Event, Intent, Kind, LinkPath, OnError, Outcome, Plan, Policy, Recorder, Root,
    Target,
};

fn tree() -> (TempDir, Root) {
    let dir = cap_tempfile::tempdir(cap_std::ambient_authority()).unwrap();
    for name in ["v1", "v2", "d"] {
        dir.create_dir(name).unwrap();
    }
    let root = Root::from_dir(dir.try_clone().unwrap(), Policy::default()).unwrap();
    (dir, root)
}

fn path(link: &str) -> LinkPath {
    LinkPath::new(link).unwrap()
}

fn ensure(link: &str, target: &str) -> Edit {
    Edit::ensure(path(link), Target::relative(target)).into()
}

/// What results say, in short.
fn said(results: &[caplink::Result<Outcome>]) -> Vec<String> {
    let word = |result: &caplink::Result<Outcome>| match result {
        Ok(outcome) => outcome.effect.as_str().to_owned(),
        Err(error) => error.kind().as_str().to_owned(),
    };
    results.iter().map(word).collect()
}

/// Writes down what it is asked and what it is informed of; refuses a link of this name.
#[derive(Default)]
struct Log {
    refuses: Option<&'static str>,
    fails_after: bool,
    lines: Mutex<Vec<String>>,
}

impl Log {
    fn lines(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines.lock().unwrap())
    }
}

impl Recorder for Log {
    fn asks(&self) -> bool {
        true
    }

    fn before(&self, intents: &[Intent<'_>]) -> caplink::Result<()> {
        let line = |intent: &Intent<'_>| format!("{} {}", intent.foreseen.effect.as_str(), intent.edit.path());
        self.lines.lock().unwrap().push(format!("? {}", intents.iter().map(line).collect::<Vec<_>>().join(", ")));
        match self.refuses {
            Some(name) if intents.iter().any(|intent| intent.edit.path().to_string() == name) => {
                Err(Error::refusal(format!("`{name}` is frozen")))
            }
            _ => Ok(()),
        }
    }

    fn after(&self, events: &[Event<'_>]) -> caplink::Result<()> {
        for event in events {
            let word = said(std::slice::from_ref(event.result)).remove(0);
            self.lines.lock().unwrap().push(format!("{word} {}", event.edit.path()));
        }
        if self.fails_after { Err(Error::refusal("no room in the log")) } else { Ok(()) }
    }
}

#[test]
fn the_first_error_stops_a_plan_and_the_rest_is_skipped() {
    let (_dir, root) = tree();
    let edits = [ensure("a", "v1"), ensure("b", "missing"), ensure("c", "v1")];
    let plan = Plan::new(edits.clone());
    assert_eq!(said(&root.preview_plan(&plan)), ["created", "dangling", "skipped"]);
    assert_eq!(said(&root.apply_plan(&plan, &())), ["created", "dangling", "skipped"]);
    let plan = Plan::new(edits).on_error(OnError::KeepGoing);
    assert_eq!(said(&root.preview_plan(&plan)), ["unchanged", "dangling", "created"]);
    assert_eq!(said(&root.apply_plan(&plan, &())), ["unchanged", "dangling", "created"]);
}

/// Effect or kind of each, and the directories made.
fn said_with_made(results: &[caplink::Result<Outcome>]) -> Vec<(String, Vec<std::path::PathBuf>)> {
    let made =
        |result: &caplink::Result<Outcome>| result.as_ref().map(|outcome| outcome.made.clone()).unwrap_or_default();
    said(results).into_iter().zip(results.iter().map(made)).collect()
}

#[test]
fn the_way_to_a_link_is_judged_as_the_edits_before_leave_it() {
    let create = |link: &str, parents: bool| -> Edit {
        Edit::create(path(link), Target::relative("v1")).parents(parents).into()
    };
    let remove = |link: &str| -> Edit { Edit::remove(path(link)).missing_ok(true).into() };
    let plans: [(Vec<Edit>, &[&str]); 6] = [
        (vec![remove("l"), create("l/x", true)], &["removed", "created"]),
        (vec![remove("l"), create("l/x", false), remove("l/x")], &["removed", "not_found", "unchanged"]),
        (
            vec![
                remove("l"),
                create("l/in/x", true),
                create("l/in/y", false),
                create("l/other/z", false),
                create("l/other/z", true),
            ],
            &["removed", "created", "created", "not_found", "created"],
        ),
        (vec![create("new", false), create("new/x", true)], &["created", "symlink_in_path"]),
        (
            vec![create("d/new", false), create("d/new/x", false), remove("d/new/x")],
            &["created", "symlink_in_path", "symlink_in_path"],
        ),
        (
            vec![create("in/x", true), create("in/x/y", true), remove("in/x"), create("in/x/y", true)],
            &["created", "symlink_in_path", "removed", "created"],
        ),
    ];
    for (edits, expected) in plans {
        for is_asked in [false, true] {
            let (dir, root) = tree();
            dir.symlink("v1", "l").unwrap();
            let root = if is_asked { root.recorded_by(Arc::new(Log::default())) } else { root };
            let plan = Plan::new(edits.clone()).on_error(OnError::KeepGoing);
            let foreseen = root.preview_plan(&plan);
            assert_eq!(said(&foreseen), expected, "{edits:?}");
            assert_eq!(said_with_made(&foreseen), said_with_made(&root.apply_plan(&plan, &())), "{is_asked} {edits:?}");
        }
    }
}

#[test]
fn a_plan_syncs_each_changed_directory_once_and_says_so() {
    let (_dir, root) = tree();
    let plan = Plan::new([ensure("a", "v1"), ensure("d/b", "v1"), ensure("a", "v1")]).durability(Durability::Dir);
    let levels = |results: Vec<caplink::Result<Outcome>>| results.into_iter().map(|it| it.unwrap().durability);
    let expected = [Durability::Dir, Durability::Dir, Durability::None];
    assert!(levels(root.apply_plan(&plan, &())).eq(expected));
}

#[test]
fn a_recorder_is_asked_about_changes_together_and_informed_of_everything() {
    let (_dir, root) = tree();
    let log = Arc::new(Log::default());
    let root = root.recorded_by(log.clone());
    let _ = root.ensure("a", Target::relative("v1")).unwrap();
    assert_eq!(log.lines(), ["? created a", "created a"]);
    let _ = root.ensure("a", Target::relative("v1")).unwrap();
    assert_eq!(log.lines(), ["unchanged a"], "nothing is to be changed, so there is nothing to ask");
    assert_eq!(root.create("a", Target::relative("v2")).unwrap_err().kind(), Kind::Exists);
    assert_eq!(log.lines(), ["exists a"]);
    let edits = [ensure("a", "v2"), ensure("b", "v2"), ensure("c", "missing"), ensure("c", "v1"), ensure("a", "v1")];
    assert_eq!(said(&root.apply_all(&edits)), ["replaced", "created", "dangling", "created", "replaced"]);
    let expected = [
        "? replaced a, created b",
        "replaced a",
        "created b",
        "dangling c",
        "? created c, replaced a",
        "created c",
        "replaced a",
    ];
    assert_eq!(log.lines(), expected);
    let exchange = Edit::exchange(path("a"), path("b"));
    let _ = root.apply(&exchange).unwrap();
    assert_eq!(log.lines(), ["? exchanged a", "exchanged a"]);
    let _ = root.entry("c").unwrap().apply(&Edit::remove(path("c"))).unwrap();
    assert_eq!(log.lines(), ["? removed c", "removed c"]);
}

#[test]
fn what_a_recorder_refuses_is_not_done() {
    let (_dir, root) = tree();
    let log = Log { refuses: Some("b"), ..Log::default() };
    let plan = Plan::new([ensure("a", "v1"), ensure("b", "v1")]);
    let results = root.apply_plan(&plan, &log);
    assert_eq!(results[0].as_ref().unwrap_err().to_string(), "cannot ensure `a`: `b` is frozen");
    assert_eq!(said(&results), ["policy", "skipped"]);
    assert_eq!(said(&root.apply_plan(&plan.on_error(OnError::KeepGoing), &log)), ["policy", "policy"]);
    for link in ["a", "b"] {
        assert_eq!(root.read_link(link).unwrap_err().kind(), Kind::NotFound, "{link}");
    }
}

#[test]
fn what_was_asked_about_and_not_tried_is_reported_to_the_recorder_as_skipped() {
    let (dir, root) = tree();
    struct Deletes<'a>(&'a TempDir, Log);
    impl Recorder for Deletes<'_> {
        fn asks(&self) -> bool {
            true
        }
        fn before(&self, intents: &[Intent<'_>]) -> caplink::Result<()> {
            // Somebody is quicker than the edits.
            let _ = self.0.create("b");
            self.1.before(intents)
        }
        fn after(&self, events: &[Event<'_>]) -> caplink::Result<()> {
            self.1.after(events)
        }
    }
    let recorder = Deletes(&dir, Log::default());
    let plan = Plan::new([ensure("a", "v1"), ensure("b", "v1"), ensure("c", "v1")]);
    assert_eq!(said(&root.apply_plan(&plan, &recorder)), ["created", "not_a_link", "skipped"]);
    let expected = ["? created a, created b, created c", "created a", "not_a_link b", "skipped c"];
    assert_eq!(recorder.1.lines(), expected);
    assert_eq!(root.read_link("c").unwrap_err().kind(), Kind::NotFound);
}

#[test]
fn a_change_whose_record_fails_stands_and_says_so() {
    let (_dir, root) = tree();
    let log = Arc::new(Log { fails_after: true, ..Log::default() });
    let outcome = root.recorded_by(log).ensure("a", Target::relative("v1")).unwrap();
    assert_eq!(outcome.effect, Effect::Created);
    let shortfalls: Vec<String> = outcome.shortfalls.iter().map(ToString::to_string).collect();
    assert_eq!(shortfalls, ["cannot record `a`: no room in the log"]);
    assert_eq!(root.read_link("a").unwrap(), "v1");
}

#[test]
fn where_both_links_of_an_exchange_are_refused_a_preview_names_the_same_one_as_the_edit() {
    let (dir, _) = tree();
    dir.symlink("../..", "out").unwrap();
    let root = Root::from_dir(dir.try_clone().unwrap(), Policy::default().follow(true)).unwrap();
    for (link, with) in [("out/l", "gone/l"), ("gone/l", "out/l")] {
        let edit: Edit = Edit::exchange(path(link), path(with)).into();
        let said = |came: caplink::Result<Outcome>| format!("{:?}", came.unwrap_err());
        assert_eq!(said(root.preview(&edit)), said(root.apply(&edit)), "{link}");
    }
}
