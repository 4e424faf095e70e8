//! The log's file: cut, bent, put in its place by others.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use caplink::records::{Checkpoint, Group, Query};
use caplink::{Edit, Kind, LinkPath};

use super::ground::{Ground, author, mutations, release};

/// Records with a few mutations.
fn written() -> Ground {
    let (ground, root) = Ground::recorded();
    for number in [1, 2, 3] {
        let _ = root.ensure("current", release(number)).unwrap();
    }
    ground
}

#[test]
fn a_log_that_was_cut_at_any_byte_of_its_last_entries_goes_on() {
    let ground = written();
    let whole = fs::read(ground.log()).unwrap();
    let ends: Vec<usize> = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    let first = ends[ends.len() - 3];
    for length in first..whole.len() {
        fs::write(ground.log(), &whole[..length]).unwrap();
        let is_whole = ends.contains(&length);
        let told = mutations(&ground.records(), &Query::default()).len();
        assert_eq!(
            told,
            1 + 1 + usize::from(length >= ends[ends.len() - 3]) + usize::from(length >= ends[ends.len() - 2])
        );
        let _ = ground.again().ensure("other", release(1)).unwrap();
        let _ = ground.again().remove("other").unwrap();
        let torn = ground.lines().iter().filter(|line| line.contains("\"entry\":\"torn\"")).count();
        assert_eq!(torn, usize::from(!is_whole), "{length}");
        let _ = ground.records().verify(&[]).unwrap_or_else(|error| panic!("{length}: {error}"));
        assert!(fs::read(ground.log()).unwrap().starts_with(&whole[..length]), "{length}");
    }
}

#[test]
fn an_entry_that_is_missing_before_the_last_is_noticed_by_the_next_mutation() {
    let ground = written();
    let _ = ground.again().remove("current").unwrap();
    let whole = ground.lines();
    for missing in 1..whole.len() - 1 {
        let kept: Vec<&str> =
            whole.iter().enumerate().filter(|(at, _)| *at != missing).map(|(_, line)| line.as_str()).collect();
        fs::write(ground.log(), kept.join("\n") + "\n").unwrap();
        let verified = ground.open().and_then(|records| records.expect("there are records").verify(&[]).map(drop));
        assert_eq!(verified.unwrap_err().kind(), Kind::Integrity, "{missing}");
        if missing == whole.len() - 2 {
            let error = ground.open().unwrap_err();
            assert_eq!(error.kind(), Kind::Integrity, "the intent of the last result");
        }
    }
}

/// Where the last entry begins, and from where on it tells what is open.
fn last_and_base(ground: &Ground) -> (u64, u64) {
    let log = fs::read(ground.log()).unwrap();
    let line = log.strip_suffix(b"\n").unwrap();
    let last = line.iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let entry: serde_json::Value = serde_json::from_slice(&line[last..]).unwrap();
    (last as u64, entry["base"].as_u64().unwrap())
}

#[test]
fn a_log_in_which_nothing_is_open_is_opened_by_its_last_entry_alone() {
    let (ground, root) = Ground::recorded();
    let edit = |number: u32| Edit::create(LinkPath::new(format!("l{number}")).unwrap(), release(1)).into();
    let edits: Vec<Edit> = (0..300).map(edit).collect();
    assert!(root.apply_all(&edits).iter().all(Result::is_ok));
    let (last, base) = last_and_base(&ground);
    assert_eq!(base, last, "of 300 edits that were announced together");
    let mut group = Group::new("batch");
    (300..310).for_each(|number| group.push(edit(number)));
    assert!(ground.root.apply_group(&ground.records(), &author(), &group).unwrap().stands);
    let (last, base) = last_and_base(&ground);
    assert_eq!(base, last, "of a group");
    // Whoever goes on from there is right about the rest.
    let _ = ground.again().remove("l7").unwrap();
    assert_eq!(ground.records().verify(&[]).unwrap().entries, 1 + 600 + 1 + 20 + 1 + 2);
}

#[test]
fn a_mutation_reads_the_end_of_the_log_and_verify_all_of_it() {
    let ground = written();
    let log = fs::read_to_string(ground.log()).unwrap();
    let bent = log.replacen("releases/1\",\"will\"", "releases/3\",\"will\"", 1);
    assert_ne!(bent, log);
    fs::write(ground.log(), &bent).unwrap();
    let _ = ground.again().remove("current").unwrap();
    let error = ground.records().verify(&[]).unwrap_err();
    assert_eq!((error.kind(), error.seq()), (Kind::Integrity, Some(2)));
    let mut all = |_| true;
    assert_eq!(ground.records().mutations(&Query::default(), &mut all).unwrap_err().kind(), Kind::Integrity);
}

#[test]
fn what_ends_a_line_that_was_cut_can_be_cut_as_well() {
    let ground = written();
    let whole = fs::read(ground.log()).unwrap();
    fs::write(ground.log(), &whole[..whole.len() - 20]).unwrap();
    let _ = ground.again().ensure("other", release(1)).unwrap();
    let ended = fs::read(ground.log()).unwrap();
    for length in whole.len() - 19..ended.len() {
        fs::write(ground.log(), &ended[..length]).unwrap();
        let _ = ground.again().ensure("third", release(1)).unwrap();
        let _ = ground.again().remove("third").unwrap();
        let _ = ground.records().verify(&[]).unwrap_or_else(|error| panic!("{length}: {error}"));
    }
}

#[test]
fn a_bit_that_was_flipped_anywhere_is_found() {
    let ground = written();
    let checkpoint = ground.records().checkpoint().unwrap();
    let whole = fs::read(ground.log()).unwrap();
    for at in 0..whole.len() {
        let mut bent = whole.clone();
        bent[at] ^= 1 << (at % 8);
        fs::write(ground.log(), &bent).unwrap();
        let found = ground.open().and_then(|records| records.unwrap().verify(std::slice::from_ref(&checkpoint)));
        assert_eq!(found.unwrap_err().kind(), Kind::Integrity, "byte {at}");
        // Where it is not the end that was bent, the chain itself shows it.
        if at < whole.len() - 400 {
            let found = ground.open().and_then(|records| records.unwrap().verify(&[]));
            let error = found.unwrap_err();
            let line = whole[..at].iter().filter(|byte| **byte == b'\n').count() as u64;
            assert_eq!(error.kind(), Kind::Integrity, "byte {at}");
            assert!(error.seq().is_some_and(|seq| seq == line || seq == line + 1), "byte {at} of {line}: {error}");
        }
    }
}

#[test]
fn a_mutation_is_refused_before_anything_changes_where_the_end_is_bent() {
    let ground = written();
    let whole = fs::read(ground.log()).unwrap();
    let before = whole.iter().rposition(|byte| *byte == b'{').unwrap();
    let mut bent = whole.clone();
    bent[before + 2] ^= 1;
    fs::write(ground.log(), &bent).unwrap();
    assert_eq!(ground.open().unwrap_err().kind(), Kind::Integrity);
    assert_eq!(fs::read(ground.log()).unwrap(), bent);
}

#[test]
fn an_older_copy_is_shown_by_a_checkpoint() {
    let ground = written();
    let old = fs::read(ground.log()).unwrap();
    let _ = ground.again().ensure("other", release(1)).unwrap();
    let checkpoint = ground.records().checkpoint().unwrap();
    assert_eq!(checkpoint.size, 9);
    let new = fs::read(ground.log()).unwrap();
    fs::write(ground.log(), &old).unwrap();
    let error = ground.records().verify(std::slice::from_ref(&checkpoint)).unwrap_err();
    assert_eq!((error.kind(), error.seq()), (Kind::Integrity, Some(7)));
    // Another end of the same length is as well.
    let _ = ground.again().remove("other").unwrap();
    assert_eq!(ground.records().verify(std::slice::from_ref(&checkpoint)).unwrap_err().kind(), Kind::Integrity);
    fs::write(ground.log(), &new).unwrap();
    let verified = ground.records().verify(std::slice::from_ref(&checkpoint)).unwrap();
    assert_eq!((verified.vouched, verified.unvouched()), (9, 0));
}

#[test]
fn every_checkpoint_that_the_log_went_through_is_vouched_for() {
    let (ground, root) = Ground::recorded();
    let mut checkpoints = vec![];
    for number in [1, 2, 1, 3] {
        let _ = root.ensure("current", release(number)).unwrap();
        checkpoints.push(ground.records().checkpoint().unwrap());
    }
    let records = ground.records();
    let sizes: Vec<u64> = checkpoints.iter().map(|checkpoint| checkpoint.size).collect();
    assert_eq!(sizes, [3, 5, 7, 9]);
    for checkpoint in &checkpoints {
        let verified = records.verify(std::slice::from_ref(checkpoint)).unwrap();
        assert_eq!((verified.vouched, verified.unvouched()), (checkpoint.size, 9 - checkpoint.size));
    }
    assert_eq!(records.verify(&checkpoints).unwrap().vouched, 9);
    let wrong = Checkpoint { root: checkpoints[1].root, ..checkpoints[0].clone() };
    assert_eq!(records.verify(&[wrong]).unwrap_err().seq(), Some(2));
    let others = Checkpoint { id: "another".into(), ..checkpoints[0].clone() };
    assert_eq!(records.verify(&[others]).unwrap_err().kind(), Kind::Integrity);
}

#[test]
fn anything_else_in_the_place_of_the_log_is_refused() {
    let ground = written();
    let aside = ground.dir.path().join("aside");
    fs::rename(ground.log(), &aside).unwrap();
    let private = |mode| fs::set_permissions(ground.log(), fs::Permissions::from_mode(mode)).unwrap();
    for what in ["a link", "a hard link", "a directory", "an empty file", "a file open to others", "a fifo"] {
        match what {
            "a link" => symlink(&aside, ground.log()).unwrap(),
            "a hard link" => fs::hard_link(&aside, ground.log()).unwrap(),
            "a directory" => fs::create_dir(ground.log()).unwrap(),
            "an empty file" => {
                fs::write(ground.log(), "").unwrap();
                private(0o600);
            }
            "a file open to others" => {
                fs::copy(&aside, ground.log()).unwrap();
                private(0o640);
            }
            _ => nix::unistd::mkfifo(&ground.log(), nix::sys::stat::Mode::S_IRWXU).unwrap(),
        }
        let error = ground.open().unwrap_err();
        assert_eq!(error.kind(), Kind::Integrity, "{what}: {error}");
        if what == "a directory" { fs::remove_dir(ground.log()) } else { fs::remove_file(ground.log()) }.unwrap();
    }
    fs::rename(&aside, ground.log()).unwrap();
    assert_eq!(ground.told().len(), 3);
}

#[test]
fn the_log_of_another_root_is_refused() {
    let (ground, other) = (written(), written());
    fs::copy(other.log(), ground.log()).unwrap();
    let error = ground.open().unwrap_err();
    assert_eq!(error.kind(), Kind::Integrity);
    assert!(error.to_string().contains("another root"), "{error}");
}

#[test]
fn a_later_format_is_refused() {
    let ground = written();
    let log = fs::read_to_string(ground.log()).unwrap();
    fs::write(ground.log(), log.replacen("\"format\":1", "\"format\":2", 1)).unwrap();
    let error = ground.open().unwrap_err();
    assert_eq!((error.kind(), error.seq()), (Kind::Integrity, Some(0)));
    assert!(error.to_string().contains("their format is 2"), "{error}");
}

#[test]
fn what_stands_behind_the_last_entry_must_be_the_beginning_of_one() {
    let ground = written();
    for (end, fits) in [(&b"{\"seq\":"[..], true), (b"\0\0\0\0", true), (b"garbage", false), (b"{\"seq\":9}x", false)] {
        let whole = fs::read(ground.log()).unwrap();
        OpenOptions::new().append(true).open(ground.log()).unwrap().write_all(end).unwrap();
        let result = ground.again().ensure("other", release(1));
        assert_eq!(result.as_ref().err().map(caplink::Error::kind), (!fits).then_some(Kind::Integrity), "{end:?}");
        if fits {
            let _ = ground.again().remove("other").unwrap();
        } else {
            assert!(fs::symlink_metadata(ground.dir.path().join("other")).is_err());
            fs::write(ground.log(), whole).unwrap();
        }
        let _ = ground.records().verify(&[]).unwrap();
    }
}
