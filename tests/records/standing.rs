//! An index that knows the log up to its end is read as it is: by several at a time, and without a write.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;

use caplink::records::{Group, Owned};
use caplink::{Edit, LinkPath};
use sha2::{Digest as _, Sha256};

use super::ground::{Ground, author, release};
use super::ownership::bytes_read;

const LINKS: usize = 1000;

/// A root whose links are those of a manifest, with an index that is up to date.
fn applied() -> Ground {
    let (ground, root) = Ground::recorded();
    let mut group = Group::new("apply").owned_by("one");
    for number in 0..LINKS {
        group.push(Edit::ensure(LinkPath::new(format!("l{number}")).unwrap(), release(1)));
    }
    assert!(root.apply_group(&ground.records(), &author(), &group).unwrap().stands);
    assert_eq!(owned(&ground).0.len(), LINKS);
    assert!(index(&ground).is_file());
    ground
}

fn index(ground: &Ground) -> std::path::PathBuf {
    ground.state().join("index.redb")
}

/// What is owned, and whether the index was used: else the whole log is read. Nothing, where reading is not counted.
fn owned(ground: &Ground) -> (Vec<Owned>, Option<bool>) {
    let records = ground.records();
    let before = bytes_read();
    let owned = records.owned().unwrap();
    let read = before.zip(bytes_read()).map(|(before, after)| after - before);
    // Nor were two indexes read, one that was of no use and a new one.
    (owned, read.map(|read| read < fs::metadata(ground.log()).unwrap().len()))
}

/// What tells whether a file was written.
fn stamp(ground: &Ground) -> (u64, i64, i64, i64, i64, Vec<u8>) {
    let stat = fs::metadata(index(ground)).unwrap();
    let bytes = fs::read(index(ground)).unwrap();
    (stat.ino(), stat.mtime(), stat.mtime_nsec(), stat.ctime(), stat.ctime_nsec(), bytes)
}

#[test]
fn an_index_that_is_up_to_date_is_used_and_not_written() {
    let ground = applied();
    let before = stamp(&ground);
    for _ in 0..3 {
        let (owned, used) = owned(&ground);
        assert_eq!(owned.len(), LINKS);
        assert_ne!(used, Some(false));
    }
    assert!(stamp(&ground) == before, "it was written");
    // Where the log has more, it is brought up to date once.
    let _ = ground.again().ensure("u", release(1)).unwrap();
    assert_eq!(owned(&ground).0.len(), LINKS);
    let after = stamp(&ground);
    assert!(after != before, "it was not brought up to date");
    assert_ne!(owned(&ground).1, Some(false));
    assert!(stamp(&ground) == after, "it was written again");
}

#[test]
fn several_read_an_index_at_a_time_and_whoever_is_to_bring_it_up_to_date_does_not_wait() {
    let ground = applied();
    let before = stamp(&ground);
    let reader = File::open(index(&ground)).unwrap();
    reader.lock_shared().unwrap();
    let (all, used) = owned(&ground);
    assert_eq!((all.len(), used.unwrap_or(true)), (LINKS, true));
    let _ = ground.again().ensure("u", release(1)).unwrap();
    assert_eq!(owned(&ground).0.len(), LINKS, "by the log");
    assert!(stamp(&ground) == before, "it was written while another read it");
    reader.unlock().unwrap();
    assert_eq!(owned(&ground).0.len(), LINKS);
    assert!(stamp(&ground) != before, "it was not brought up to date");
}

#[test]
fn a_damaged_index_is_left_to_whoever_reads_it_and_goes_with_the_last_of_them() {
    let ground = applied();
    let whole = fs::read(index(&ground)).unwrap();
    let mut bent = whole.clone();
    bent[4096 + 5000..].fill(0xff);
    fs::write(index(&ground), &bent).unwrap();
    let before = stamp(&ground);
    let reader = File::open(index(&ground)).unwrap();
    reader.lock_shared().unwrap();
    assert_eq!(owned(&ground).0.len(), LINKS);
    assert!(stamp(&ground) == before, "it was taken from another who reads it");
    reader.unlock().unwrap();
    assert_eq!(owned(&ground).0.len(), LINKS);
    assert_ne!(stamp(&ground).0, before.0, "it was not made anew");
    assert_ne!(owned(&ground).1, Some(false));
}

/// redb marks a file that is being written; who is stopped there leaves the mark.
#[test]
fn an_index_that_nobody_closed_is_closed_by_who_finds_it() {
    const BLOCK: std::ops::Range<usize> = 4096..8192;
    let ground = applied();
    let mut bytes = fs::read(index(&ground)).unwrap();
    assert_eq!(bytes[4096..4100], *b"redb");
    assert_eq!(bytes[4096 + 9] & 2, 0, "it was closed");
    bytes[4096 + 9] |= 2;
    let sum = Sha256::new().chain_update(0_u64.to_le_bytes()).chain_update(&bytes[BLOCK]).finalize();
    bytes[8192..8200].copy_from_slice(&sum[..8]);
    fs::write(index(&ground), &bytes).unwrap();
    assert_eq!(owned(&ground).0.len(), LINKS);
    assert_eq!(fs::read(index(&ground)).unwrap()[4096 + 9] & 2, 0, "it is closed now");
    let closed = stamp(&ground);
    assert_ne!(owned(&ground).1, Some(false));
    assert!(stamp(&ground) == closed, "it was written again");
}

/// The index cannot be written there, and need not be.
#[test]
fn an_index_on_a_read_only_file_system_is_used() {
    let ground = applied();
    let Some(_guard) = super::unusable::ReadOnly::of(ground.state()) else {
        eprintln!("SKIPPED: no read-only file system can be mounted");
        return;
    };
    let (all, used) = owned(&ground);
    assert_eq!((all.len(), used.unwrap_or(true)), (LINKS, true));
}
