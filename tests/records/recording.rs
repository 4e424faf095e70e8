//! What is recorded of edits.

use std::fs;
use std::sync::Arc;

use caplink::records::{Actor, Author, Group, Made, Query, Records, Settings, Time};
use caplink::wire::Text;
use caplink::{Edit, Event, Intent, Kind, LinkPath, Recorder, Target};

use super::ground::{Ground, author, mutations, release};

fn path(path: &str) -> LinkPath {
    LinkPath::new(path).unwrap()
}

#[test]
fn a_change_is_announced_and_then_told() {
    let (ground, root) = Ground::recorded();
    let _ = root.ensure("current", release(1)).unwrap();
    let _ = root.ensure("current", release(2)).unwrap();
    let _ = root.remove("current").unwrap();
    assert_eq!(ground.told(), ["ensure current created", "ensure current replaced", "remove current removed"]);
    let [_, _, replaced, _] = &ground.mutations()[..] else { panic!("four mutations") };
    let text = |text: &Option<caplink::wire::Text>| text.as_ref().map(|text| text.as_path().display().to_string());
    assert_eq!(text(&replaced.previous).as_deref(), Some("releases/1"));
    assert_eq!(text(&replaced.target).as_deref(), Some("releases/2"));
    assert_eq!(replaced.seq, 3);
    assert_eq!(replaced.verified, Some(true));
    assert_eq!(replaced.actor.user.as_deref(), Some("somebody"));
    let verified = ground.records().verify(&[]).unwrap();
    assert_eq!((verified.entries, verified.unvouched()), (7, 7));
}

#[test]
fn what_changes_nothing_is_not_recorded() {
    let (ground, root) = Ground::recorded();
    let _ = root.ensure("current", release(1)).unwrap();
    let before = ground.lines();
    let _ = root.ensure("current", release(1)).unwrap();
    assert_eq!(root.create("current", release(1)).unwrap_err().kind(), Kind::Exists);
    let _ = root.preview(&Edit::remove(path("current"))).unwrap();
    assert_eq!(ground.lines(), before);
}

/// Takes a link away from whoever was just allowed to change it.
struct Saboteur(std::path::PathBuf);

impl Recorder for Saboteur {
    fn asks(&self) -> bool {
        true
    }

    fn before(&self, _: &[Intent<'_>]) -> caplink::Result<()> {
        fs::remove_file(&self.0).unwrap();
        std::os::unix::fs::symlink("elsewhere", &self.0).unwrap();
        Ok(())
    }

    fn after(&self, _: &[Event<'_>]) -> caplink::Result<()> {
        Ok(())
    }
}

#[test]
fn a_change_that_fails_is_recorded_as_failed() {
    let (ground, root) = Ground::recorded();
    let _ = root.ensure("current", release(1)).unwrap();
    let sabotaged = root.recorded_by(Arc::new(Saboteur(ground.dir.path().join("current"))));
    let error = sabotaged.apply(&Edit::swap(path("current"), release(2), "releases/1")).unwrap_err();
    assert_eq!(error.kind(), Kind::Mismatch);
    assert_eq!(ground.told(), ["ensure current created", "swap current failed"]);
    assert_eq!(ground.mutations().last().unwrap().kind.as_deref(), Some("mismatch"));
}

#[test]
fn a_change_that_another_recorder_refuses_is_recorded_as_failed() {
    struct Frozen;
    impl Recorder for Frozen {
        fn asks(&self) -> bool {
            true
        }
        fn before(&self, _: &[Intent<'_>]) -> caplink::Result<()> {
            Err(caplink::Error::refusal("frozen"))
        }
        fn after(&self, _: &[Event<'_>]) -> caplink::Result<()> {
            Ok(())
        }
    }
    let (ground, root) = Ground::recorded();
    let error = root.recorded_by(Arc::new(Frozen)).ensure("current", release(1)).unwrap_err();
    assert_eq!(error.kind(), Kind::Policy);
    assert_eq!(ground.told(), ["ensure current failed"]);
}

#[test]
fn many_edits_share_the_sync_of_their_intents_and_that_of_their_results() {
    let (ground, root) = Ground::recorded();
    let edits: Vec<Edit> =
        (0..100).map(|number| Edit::create(path(&format!("l{number}")), release(1)).into()).collect();
    assert!(root.apply_all(&edits).iter().all(Result::is_ok));
    let kinds: Vec<bool> = ground.lines()[1..].iter().map(|line| line.contains("\"entry\":\"intent\"")).collect();
    assert!(kinds[..100].iter().all(|intent| *intent) && !kinds[100..].iter().any(|intent| *intent));
    assert_eq!(ground.told().len(), 100);
    let _ = ground.records().verify(&[]).unwrap();
}

#[test]
fn an_exchange_is_one_mutation_of_two_links() {
    let (ground, root) = Ground::recorded();
    let _ = root.ensure("a", release(1)).unwrap();
    let _ = root.ensure("b", release(2)).unwrap();
    let _ = root.apply(&Edit::exchange(path("a"), path("b"))).unwrap();
    for link in ["a", "b"] {
        let found = mutations(&ground.records(), &Query::default().link(link).unwrap());
        assert_eq!(found.last().unwrap().outcome, "exchanged", "{link}");
        assert_eq!(found.len(), 2);
    }
}

#[test]
fn a_reason_is_demanded_where_the_settings_say_so() {
    let ground = Ground::new();
    let demanding = Settings::default().require_reason(true);
    let (records, made) = Records::init(&ground.root, Settings::default(), &author()).unwrap();
    assert_eq!(made, Made::Initialised);
    let (_, again) = Records::init(&ground.root, Settings::default(), &author()).unwrap();
    assert_eq!(again, Made::Unchanged);
    let (_, set) = Records::init(&ground.root, demanding, &author()).unwrap();
    assert_eq!(set, Made::Set);
    let error = ground.root.recorded(&records, author()).ensure("current", release(1)).unwrap_err();
    assert_eq!(error.kind(), Kind::Policy, "{error}");
    assert!(fs::symlink_metadata(ground.dir.path().join("current")).is_err());
    let reasoned = Author::new(Actor::default(), Some("ticket 7")).unwrap();
    let _ = ground.root.recorded(&ground.records(), reasoned).ensure("current", release(1)).unwrap();
    assert_eq!(ground.mutations().last().unwrap().reason.as_deref(), Some("ticket 7"));
    assert!(ground.records().settings().require_reason);
    let _ = ground.records().verify(&[]).unwrap();
}

#[test]
fn the_log_is_asked_by_link_time_outcome_and_number() {
    let (ground, root) = Ground::recorded();
    fs::create_dir_all(ground.dir.path().join("a/b")).unwrap();
    for link in ["x", "a/x", "a/b/x", "a/y"] {
        let _ = root.ensure(link, release(1)).unwrap();
    }
    let between = Time::now();
    let _ = root.remove("x").unwrap();
    let records = ground.records();
    let count = |query: Query| mutations(&records, &query).len();
    let link = |glob: &str| Query::default().link(glob).unwrap();
    assert_eq!(count(link("x")), 2);
    assert_eq!(count(link("*")), 2);
    assert_eq!(count(link("a/*")), 2);
    assert_eq!(count(link("a/**")), 3);
    assert_eq!(count(link("**/x")), 4);
    assert_eq!(count(link("x").link("a/y").unwrap()), 3);
    assert_eq!(count(Query::default()), 6);
    assert_eq!(count(Query::default().since(between)), 1);
    assert_eq!(count(Query::default().until(between)), 5);
    assert_eq!(count(Query::default().outcome("removed")), 1);
    assert_eq!(count(Query::default().group("none")), 0);
    let newest = mutations(&records, &Query::default().limit(2));
    assert_eq!(newest.iter().map(|mutation| mutation.seq).collect::<Vec<_>>(), [7, 9]);
    assert_eq!(count(Query::default().limit(0)), 0);
    assert_eq!(Query::default().link("a[").unwrap_err().kind(), Kind::Usage);
}

#[test]
fn backups_and_directories_that_are_made_below_a_narrower_root_have_their_whole_path() {
    let (ground, root) = Ground::recorded();
    fs::create_dir(ground.dir.path().join("tenant")).unwrap();
    fs::write(ground.dir.path().join("tenant/file"), "in the way").unwrap();
    fs::write(ground.dir.path().join("tenant/other"), "in the way").unwrap();
    let narrow = root.subroot("tenant").unwrap();
    let over = |name: &str| -> Edit {
        Edit::ensure(path(name), Target::verbatim("x")).allow_dangling(true).backup(true).into()
    };
    let deep = |name: &str| -> Edit {
        Edit::ensure(path(name), Target::verbatim("x")).allow_dangling(true).parents(true).into()
    };
    for edit in [over("file"), deep("p/q/l")] {
        let _ = narrow.apply(&edit).unwrap();
    }
    let mut group = Group::new("batch");
    group.push(over("other"));
    group.push(deep("r/l"));
    assert!(narrow.apply_group(&ground.records(), &author(), &group).unwrap().stands);
    let shown = |text: &Text| text.as_path().display().to_string();
    let told: Vec<_> = ground
        .mutations()
        .iter()
        .filter_map(|mutation| {
            let backup = mutation.backup.as_ref().map(shown);
            Some((shown(mutation.link.as_ref()?), backup, mutation.made.iter().map(shown).collect::<Vec<_>>()))
        })
        .filter(|(_, backup, made)| backup.is_some() || !made.is_empty())
        .collect();
    let backup = |link: &str| (link.to_owned(), Some(format!("{link}.backup")), vec![]);
    let made = |link: &str, made: &[&str]| (link.to_owned(), None, made.iter().map(|dir| (*dir).to_owned()).collect());
    assert_eq!(
        told,
        [
            backup("tenant/file"),
            made("tenant/p/q/l", &["tenant/p", "tenant/p/q"]),
            backup("tenant/other"),
            made("tenant/r/l", &["tenant/r"]),
        ]
    );
}
