//! What is owned: with an index it is what the log says, and the log is not read for it.

use std::fs;

use caplink::records::{Group, GroupStep, Owned, Records};
use caplink::{Edit, LinkPath, Root};

use super::ground::{Ground, author, release};

/// Links of nobody, until the log is long enough for an index.
fn pad(root: &Root, edits: u32) {
    for round in 0..edits.div_ceil(500) {
        let path = |number: u32| LinkPath::new(format!("u{number}")).unwrap();
        let edit = |number| Edit::ensure(path(number), release(round % 2 + 1)).into();
        let edits: Vec<Edit> = (0..500).map(edit).collect();
        assert!(root.apply_all(&edits).iter().all(Result::is_ok));
    }
}

/// What the log alone says: a directory has the index's name.
fn of_the_log(ground: &Ground) -> Vec<Owned> {
    let index = ground.state().join("index.redb");
    let aside = ground.state().join("index.aside");
    let had_one = fs::rename(&index, &aside).is_ok();
    fs::create_dir(&index).unwrap();
    let owned = ground.records().owned().unwrap();
    fs::remove_dir(&index).unwrap();
    if had_one {
        fs::rename(&aside, &index).unwrap();
    }
    owned
}

/// Choices that are the same each time.
struct Choices(u64);

impl Choices {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// A few steps for one of two manifests, or a group that is undone. Returns whether it stands.
fn change(ground: &Ground, records: &Records, choices: &mut Choices, groups: &mut Vec<String>) -> bool {
    let root = &ground.root;
    if choices.below(4) == 0 && !groups.is_empty() {
        let at = usize::try_from(choices.below(groups.len() as u64)).unwrap();
        let undoing = records.undoing(&groups.swap_remove(at)).unwrap();
        return root.apply_group(records, &author(), &undoing).is_ok_and(|report| report.stands);
    }
    let verb = if choices.below(5) == 0 { "unapply" } else { "apply" };
    let owner = ["one", "two"][usize::try_from(choices.below(2)).unwrap()];
    let mut group = Group::new(verb).owned_by(owner);
    for name in 0..6 {
        let path = LinkPath::new(format!("d{}/l{name}", choices.below(2))).unwrap();
        match choices.below(4) {
            0 => group.push(Edit::ensure(path, release(1 + u32::try_from(choices.below(3)).unwrap())).parents(true)),
            1 => group.push(Edit::remove(path).missing_ok(true)),
            2 if verb == "apply" => group.push(GroupStep::MakeDir(LinkPath::new(format!("e{name}")).unwrap())),
            _ => {}
        }
    }
    let Ok(report) = root.apply_group(records, &author(), &group) else { return false };
    groups.extend(Some(report.group).filter(|id| !id.is_empty()));
    report.stands
}

#[test]
fn what_is_owned_by_the_index_is_what_the_log_says() {
    let (ground, root) = Ground::recorded();
    pad(&root, 1000);
    let (mut choices, mut groups, mut stood, mut most) = (Choices(7), Vec::new(), 0, 0);
    for round in 0..120 {
        let records = ground.records();
        stood += usize::from(change(&ground, &records, &mut choices, &mut groups));
        // The index takes several changes at once, or each by itself.
        if choices.below(3) == 0 {
            let expected = of_the_log(&ground);
            assert_eq!(ground.records().owned().unwrap(), expected, "round {round}");
            assert!(ground.state().join("index.redb").is_file());
            most = most.max(expected.len());
        }
    }
    assert!(stood > 60 && most > 5, "{stood} groups stood, at most {most} were owned");
    // It is the same where the index is made at once.
    let expected = of_the_log(&ground);
    fs::remove_file(ground.state().join("index.redb")).unwrap();
    assert_eq!(ground.records().owned().unwrap(), expected);
}

/// The bytes that this thread read in files so far; none where that is not told.
pub(crate) fn bytes_read() -> Option<u64> {
    let told = fs::read_to_string("/proc/thread-self/io").ok()?;
    told.lines().find_map(|line| line.strip_prefix("rchar: "))?.parse().ok()
}

#[test]
fn what_is_owned_is_known_without_reading_the_log_of_others() {
    if bytes_read().is_none() {
        eprintln!("SKIPPED: this host does not count what a thread reads");
        return;
    }
    let (ground, root) = Ground::recorded();
    let mut group = Group::new("apply").owned_by("one");
    for name in 0..10 {
        group.push(Edit::ensure(LinkPath::new(format!("l{name}")).unwrap(), release(1)));
    }
    assert!(root.apply_group(&ground.records(), &author(), &group).unwrap().stands);
    let mut read = Vec::new();
    for edits in [2000, 8000] {
        pad(&root, edits);
        let records = ground.records();
        assert_eq!(records.owned().unwrap().len(), 10, "and the index is brought up to date");
        let before = bytes_read().unwrap();
        assert_eq!(records.owned().unwrap().len(), 10);
        read.push(bytes_read().unwrap() - before);
    }
    let log = fs::metadata(ground.log()).unwrap().len();
    assert!(log > 4 << 20, "{log}");
    // What is read are pages of the index.
    assert!(read[1] < log / 8, "{read:?} bytes of {log}");
}
