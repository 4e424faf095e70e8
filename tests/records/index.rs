//! The index is a cache: whatever becomes of it, the answers are those of the log.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use caplink::records::{Mutation, Query};
use caplink::{Edit, Kind, LinkPath};
use sha2::{Digest as _, Sha256};

use super::ground::{Ground, mutations, release};

/// Records long enough for an index: 1,500 mutations of 500 links.
fn long() -> Ground {
    let (ground, root) = Ground::recorded();
    fs::create_dir(ground.dir.path().join("d")).unwrap();
    let path = |number: u32| {
        let dir = if number.is_multiple_of(5) { "d/" } else { "" };
        LinkPath::new(format!("{dir}l{number}")).unwrap()
    };
    for round in 1..=3 {
        let edits: Vec<Edit> = (0..500).map(|number| Edit::ensure(path(number), release(round)).into()).collect();
        assert!(root.apply_all(&edits).iter().all(Result::is_ok));
    }
    let _ = root.apply(&Edit::exchange(path(1), path(2))).unwrap();
    ground
}

fn index(ground: &Ground) -> PathBuf {
    ground.state().join("index.redb")
}

fn queries() -> Vec<Query> {
    let link = |glob: &str| Query::default().link(glob).unwrap();
    vec![
        link("l7"),
        link("l7").link("d/l5").unwrap(),
        link("d/*").limit(20),
        link("*").outcome("exchanged"),
        link("nothing"),
        Query::default().limit(10),
        Query::default().limit(3).outcome("created"),
        link("l1").limit(2),
        Query::default().group("none"),
    ]
}

fn answers(ground: &Ground) -> Vec<Vec<Mutation>> {
    let records = ground.records();
    let mut answers: Vec<_> = queries().iter().map(|query| mutations(&records, query)).collect();
    assert_eq!(records.checkpoint().unwrap().root, records.verify(&[]).unwrap().root);
    assert_eq!(answers[0].len(), 3);
    assert_eq!(answers[5].len(), 10);
    answers.push(mutations(&records, &Query::default()));
    answers
}

/// The answers of the log alone: a directory has the index's name.
fn of_the_log(ground: &Ground) -> Vec<Vec<Mutation>> {
    let _gone = fs::remove_file(index(ground));
    fs::create_dir(index(ground)).unwrap();
    let answers = answers(ground);
    fs::remove_dir(index(ground)).unwrap();
    answers
}

#[test]
fn the_answers_with_an_index_are_those_of_the_log() {
    let ground = long();
    let expected = of_the_log(&ground);
    assert!(!index(&ground).exists());
    assert_eq!(answers(&ground), expected);
    assert!(index(&ground).is_file());
    assert_eq!(answers(&ground), expected, "by the index that is there");
    // It is brought up to date.
    let _ = ground.again().ensure("l7", release(1)).unwrap();
    assert_eq!(mutations(&ground.records(), &queries()[0]).len(), 4);
}

#[test]
fn a_short_log_has_no_index() {
    let (ground, root) = Ground::recorded();
    let _ = root.ensure("l7", release(1)).unwrap();
    assert_eq!(mutations(&ground.records(), &Query::default().link("l7").unwrap()).len(), 1);
    assert!(!index(&ground).exists());
}

#[test]
fn a_damaged_index_is_built_anew() {
    let ground = long();
    let expected = of_the_log(&ground);
    let _made = answers(&ground);
    let whole = fs::read(index(&ground)).unwrap();
    let places = (0..6).map(|place| place * 20).chain((0..10).map(|part| 4096 + part * (whole.len() - 4096) / 10));
    for at in places {
        let mut bent = whole.clone();
        bent[at] ^= 1 << (at % 8);
        fs::write(index(&ground), &bent).unwrap();
        let found = mutations(&ground.records(), &queries()[1]);
        assert_eq!(found, expected[1], "byte {at}");
    }
    for length in [0, 100, 5000, whole.len() - 1] {
        fs::write(index(&ground), &whole[..length]).unwrap();
        assert_eq!(answers(&ground), expected, "{length} bytes");
    }
    for garbage in [vec![0; whole.len()], vec![0xff; whole.len()], b"index".repeat(10_000)] {
        fs::write(index(&ground), garbage).unwrap();
        assert_eq!(answers(&ground), expected);
    }
}

#[test]
fn what_is_no_index_of_these_records_is_not_used() {
    let (ground, other) = (long(), long());
    let expected = of_the_log(&ground);
    let _made = answers(&other);
    fs::copy(index(&other), index(&ground)).unwrap();
    assert_eq!(answers(&ground), expected, "another's");
    fs::remove_file(index(&ground)).unwrap();
    symlink(index(&other), index(&ground)).unwrap();
    let others = fs::read(index(&other)).unwrap();
    assert_eq!(answers(&ground), expected, "a link");
    assert_eq!(fs::read(index(&other)).unwrap(), others);
    fs::remove_file(index(&ground)).unwrap();
    fs::hard_link(index(&other), index(&ground)).unwrap();
    assert_eq!(answers(&ground), expected, "a hard link");
    assert_eq!(fs::read(index(&other)).unwrap(), others);
    fs::remove_file(index(&ground)).unwrap();
    nix::unistd::mkfifo(&index(&ground), nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(answers(&ground), expected, "a fifo");
}

/// One of another format may lack what this one is asked for.
#[test]
fn an_index_of_another_format_is_built_anew() {
    let ground = long();
    let expected = of_the_log(&ground);
    assert_eq!(answers(&ground), expected);
    let mut bytes = fs::read(index(&ground)).unwrap();
    assert_eq!(bytes[..16], *b"caplink index 3\n");
    bytes[14] = b'1';
    // Nor is it believed what the log was.
    bytes[72..104].fill(0);
    let sum = Sha256::digest(&bytes[..104]);
    bytes[104..136].copy_from_slice(&sum);
    fs::write(index(&ground), bytes).unwrap();
    assert_eq!(answers(&ground), expected);
    assert_eq!(fs::read(index(&ground)).unwrap()[..16], *b"caplink index 3\n");
}

#[test]
fn an_older_index_is_brought_up_to_date() {
    let ground = long();
    let _made = answers(&ground);
    let old = fs::read(index(&ground)).unwrap();
    let _ = ground.again().ensure("l7", release(1)).unwrap();
    let _ = ground.again().remove("d/l0").unwrap();
    let expected = mutations(&ground.records(), &Query::default().limit(4));
    fs::write(index(&ground), old).unwrap();
    assert_eq!(mutations(&ground.records(), &Query::default().limit(4)), expected);
    assert_eq!(mutations(&ground.records(), &queries()[0]).len(), 4);
}

#[test]
fn a_log_that_became_shorter_or_another_than_the_index_knew_is_refused() {
    let ground = long();
    let _made = answers(&ground);
    let whole = fs::read(ground.log()).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for length in [last, whole.len() - 1] {
        fs::write(ground.log(), &whole[..length]).unwrap();
        let error = ground.open().unwrap_err();
        assert_eq!(error.kind(), Kind::Integrity, "{error}");
    }
    // Another end of the same length.
    let mut other = whole.clone();
    let at = last + 60;
    other[at] = if other[at] == b'A' { b'B' } else { b'A' };
    fs::write(ground.log(), &other).unwrap();
    assert_eq!(ground.open().unwrap_err().kind(), Kind::Integrity);
    fs::write(ground.log(), &whole).unwrap();
    assert!(ground.open().is_ok());
}

#[test]
fn an_index_that_another_uses_is_not_waited_for() {
    let ground = long();
    let expected = of_the_log(&ground);
    let _made = answers(&ground);
    let file = fs::File::open(index(&ground)).unwrap();
    file.lock().unwrap();
    let before = std::time::Instant::now();
    assert_eq!(answers(&ground), expected);
    let _ = ground.again().ensure("l7", release(1)).unwrap();
    assert!(before.elapsed() < std::time::Duration::from_secs(60));
}
