//! Groups as the library carries them out: every kind of step, through narrower roots, with the state elsewhere.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use caplink::records::{Author, Group, GroupStep, Records, Settings};
use caplink::{Edit, Effect, Error, Event, Intent, Kind, LinkPath, Policy, Recorder, Root, Target};
use tempfile::TempDir;

use super::ground::{Ground, author, release};

#[test]
fn a_group_through_a_narrower_root_is_recorded_by_the_paths_of_the_records_root() {
    let ground = Ground::new();
    fs::create_dir_all(ground.dir.path().join("tenant/v1")).unwrap();
    let recorded = ground.init();
    let narrow = recorded.subroot("tenant").unwrap();
    let _ = narrow.ensure("single", Target::relative("v1")).unwrap();
    let mut group = Group::new("batch").owned_by("dotfiles");
    group.push(Edit::ensure(LinkPath::new("current").unwrap(), Target::relative("v1")));
    let report = narrow.apply_group(&ground.records(), &author(), &group).unwrap();
    assert!(report.stands, "{report:?}");
    let told: Vec<_> =
        ground.mutations().into_iter().filter_map(|mutation| Some((mutation.link?, mutation.owner))).collect();
    let told: Vec<_> = told.iter().map(|(link, owner)| (link.to_string(), owner.as_deref())).collect();
    assert_eq!(told, [("tenant/single".to_owned(), None), ("tenant/current".to_owned(), Some("dotfiles"))]);
    let undo = ground.records().undoing(&report.group).unwrap();
    assert!(ground.root.apply_group(&ground.records(), &author(), &undo).unwrap().stands);
    assert!(!ground.dir.path().join("tenant/current").exists());
}

#[test]
fn an_object_is_adopted_and_given_back_in_one_step_each() {
    let (ground, root) = Ground::recorded();
    let at = |path: &str| ground.dir.path().join(path);
    fs::create_dir_all(at("home/vim")).unwrap();
    fs::write(at("home/vim/rc"), "mine").unwrap();
    let path = |path: &str| LinkPath::new(path).unwrap();
    let mut group = Group::new("adopt");
    group.push(GroupStep::MakeDir(path("store")));
    group.push(GroupStep::Adopt { link: path("home/vim"), to: path("store/vim") });
    let preview = root.preview_group(&group);
    let report = root.apply_group(&ground.records(), &author(), &group).unwrap();
    assert!(preview.stands && report.stands, "{report:?}");
    let effects: Vec<Effect> = report.results.iter().map(|result| result.as_ref().unwrap().effect).collect();
    assert_eq!(effects, [Effect::Created, Effect::Adopted]);
    assert_eq!(fs::read_link(at("home/vim")).unwrap(), Path::new("../store/vim"));
    assert_eq!(fs::read_to_string(at("store/vim/rc")).unwrap(), "mine");
    let undo = ground.records().undoing(&report.group).unwrap();
    let undone = root.apply_group(&ground.records(), &author(), &undo).unwrap();
    assert!(undone.stands, "{undone:?}");
    assert!(at("home/vim").symlink_metadata().unwrap().is_dir() && !at("store").exists());
    // Into itself, over something, and of what is no object.
    fs::create_dir_all(at("store/vim")).unwrap();
    symlink("vim", at("home/link")).unwrap();
    for (link, to, kind) in [
        ("home", "home/vim/in", Kind::Loop),
        ("home/vim", "store/vim", Kind::Exists),
        ("home/link", "store/link", Kind::NotALink),
        ("home/none", "store/none", Kind::NotFound),
    ] {
        let mut group = Group::new("adopt");
        group.push(GroupStep::Adopt { link: path(link), to: path(to) });
        let report = root.apply_group(&ground.records(), &author(), &group).unwrap();
        assert_eq!(report.results[0].as_ref().unwrap_err().kind(), kind, "{link}");
    }
}

#[test]
fn a_directory_goes_only_if_it_is_empty_and_one_that_is_there_stays() {
    let (ground, root) = Ground::recorded();
    let path = |path: &str| LinkPath::new(path).unwrap();
    let at = |path: &str| ground.dir.path().join(path);
    for dir in ["full", "empty"] {
        fs::create_dir(at(dir)).unwrap();
        symlink("../releases/1", at(dir).join("l")).unwrap();
    }
    fs::write(at("full/file"), "x").unwrap();
    let mut group = Group::new("apply");
    group.push(Edit::remove(path("full/l")));
    group.push(Edit::remove(path("empty/l")));
    group.extend(["full", "empty", "none"].map(|dir| GroupStep::RemoveDir(path(dir))));
    group.push(GroupStep::MakeDir(path("releases")));
    let report = root.apply_group(&ground.records(), &author(), &group).unwrap();
    let effects: Vec<Effect> = report.results.iter().map(|result| result.as_ref().unwrap().effect).collect();
    let unchanged = Effect::Unchanged;
    assert_eq!(effects, [Effect::Removed, Effect::Removed, unchanged, Effect::Removed, unchanged, unchanged]);
    assert!(at("full/file").exists() && !at("empty").exists());
    // A link makes room for a directory, and a directory for a link.
    symlink("releases/1", at("turn")).unwrap();
    let mut group = Group::new("apply");
    group.push(Edit::remove(path("turn")));
    group.push(GroupStep::MakeDir(path("turn")));
    group.push(Edit::create(path("turn/in"), release(1)));
    let report = root.apply_group(&ground.records(), &author(), &group).unwrap();
    assert!(report.stands, "{report:?}");
    assert_eq!(fs::read_link(at("turn/in")).unwrap(), Path::new("../releases/1"));
    let mut group = Group::new("apply");
    group.push(Edit::remove(path("turn/in")));
    group.push(GroupStep::RemoveDir(path("turn")));
    group.push(Edit::create(path("turn"), release(2)));
    let report = root.apply_group(&ground.records(), &author(), &group).unwrap();
    assert!(report.stands, "{report:?}");
    assert_eq!(fs::read_link(at("turn")).unwrap(), Path::new("releases/2"));
    assert!(ground.records().verify(&[]).is_ok());
}

/// Refuses whatever it is asked about.
struct Frozen;

impl Recorder for Frozen {
    fn asks(&self) -> bool {
        true
    }

    fn before(&self, _: &[Intent<'_>]) -> caplink::Result<()> {
        Err(Error::refusal("releases are frozen"))
    }

    fn after(&self, _: &[Event<'_>]) -> caplink::Result<()> {
        Ok(())
    }
}

#[test]
fn another_recorder_can_refuse_a_group() {
    let (ground, root) = Ground::recorded();
    let root = root.recorded_by(std::sync::Arc::new(Frozen));
    let mut group = Group::new("batch");
    group.push(Edit::ensure(LinkPath::new("current").unwrap(), release(1)));
    let refused = root.apply_group(&ground.records(), &author(), &group).unwrap_err();
    assert_eq!(refused.kind(), Kind::Policy);
    assert!(!ground.dir.path().join("current").exists() && ground.told().is_empty());
}

#[test]
fn a_state_directory_on_another_file_system_serves_as_well() {
    let (Ok(here), Ok(there)) = (TempDir::new(), TempDir::new_in("/dev/shm")) else { return };
    use std::os::unix::fs::MetadataExt as _;
    if here.path().metadata().unwrap().dev() == there.path().metadata().unwrap().dev() {
        eprintln!("SKIPPED: groups on another file system: /tmp and /dev/shm are one");
        return;
    }
    fs::create_dir_all(here.path().join("v1")).unwrap();
    let authority = cap_std::ambient_authority();
    let state = cap_std::fs::Dir::open_ambient_dir(there.path(), authority).unwrap();
    let root = Root::open_ambient(here.path(), Policy::default(), authority).unwrap();
    let root = root.with_state(&state, "state").unwrap();
    let (records, _) = Records::init(&root, Settings::default(), &Author::default()).unwrap();
    for root in [root.clone(), root.confined(caplink::Enforcement::Auto).unwrap()] {
        let mut group = Group::new("batch");
        group.push(Edit::ensure(LinkPath::new("new/link").unwrap(), Target::relative("v1")).parents(true));
        group.push(Edit::ensure(LinkPath::new("current").unwrap(), Target::relative("v1")));
        let report = root.apply_group(&records, &Author::default(), &group).unwrap();
        assert!(report.stands, "{report:?}");
        let undo = records.undoing(&report.group).unwrap();
        let undone = root.apply_group(&records, &Author::default(), &undo).unwrap();
        assert!(undone.stands && undone.results.iter().all(Result::is_ok));
    }
    let left: Vec<_> = fs::read_dir(here.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "the marker of the records and `v1`: {left:?}");
}

/// The manifest, link and text of all that is owned.
fn owned(records: &Records) -> Vec<String> {
    let owned = records.owned().unwrap();
    let shown = |text: &Option<caplink::wire::Text>| text.as_ref().map_or("-".to_owned(), ToString::to_string);
    owned.iter().map(|owned| format!("{} {} {}", owned.owner, owned.link, shown(&owned.target))).collect()
}

#[test]
fn what_a_manifest_made_is_its_own_until_it_takes_it_away() {
    let (ground, root) = Ground::recorded();
    let path = |path: &str| LinkPath::new(path).unwrap();
    let apply = |owner: &str, edits: Vec<GroupStep>| {
        let mut group = Group::new("apply").owned_by(owner);
        group.extend(edits);
        let report = root.apply_group(&ground.records(), &author(), &group).unwrap();
        assert!(report.stands, "{report:?}");
        report.group
    };
    let ensure = |link: &str, number| GroupStep::from(Edit::ensure(path(link), release(number)).parents(true));
    apply("one", vec![ensure("d/a", 1), ensure("b", 1)]);
    apply("two", vec![ensure("c", 1)]);
    assert_eq!(owned(&ground.records()), ["one b releases/1", "one d -", "one d/a ../releases/1", "two c releases/1"]);
    // Somebody's own change is not the manifest's, and what the manifest did stays known.
    let _ = root.ensure("b", release(2)).unwrap();
    let second = apply("one", vec![ensure("d/a", 2)]);
    assert_eq!(owned(&ground.records())[..3], ["one b releases/1", "one d -", "one d/a ../releases/2"]);
    let undo = ground.records().undoing(&second).unwrap();
    assert!(root.apply_group(&ground.records(), &author(), &undo).unwrap().stands);
    assert_eq!(owned(&ground.records())[2], "one d/a ../releases/1");
    apply("two", vec![Edit::remove(path("c")).into()]);
    assert_eq!(owned(&ground.records()), ["one b releases/1", "one d -", "one d/a ../releases/1"]);
    // It is taken over by records that go on from damaged ones.
    let expected = ground.records().owned().unwrap();
    let mut log = fs::read(ground.log()).unwrap();
    log.extend_from_slice(b"{}\n");
    fs::write(ground.log(), log).unwrap();
    let why = Author::new(Default::default(), Some("restored")).unwrap();
    let (renewed, what) = Records::renew(&ground.root, &why).unwrap();
    assert!(what.is_some());
    assert_eq!(renewed.owned().unwrap(), expected);
}
