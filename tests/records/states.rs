//! Where records may be, which root they are of, and the ways out where they do not fit.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use cap_std::ambient_authority;
use caplink::records::{Actor, Author, Made, Records, Settings};
use caplink::{Kind, Policy, Root};
use tempfile::TempDir;

use super::ground::{Ground, author, release};

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn open(path: &Path) -> Root {
    Root::open_ambient(path, Policy::default(), ambient_authority()).unwrap()
}

#[test]
fn a_root_without_records_has_none() {
    let ground = Ground::new();
    assert!(ground.open().unwrap().is_none());
    assert!(Records::open_for_mutation(&ground.root).unwrap().is_none());
    fs::create_dir(ground.state()).unwrap();
    mode(&ground.state(), 0o755);
    assert!(ground.open().unwrap().is_none());
}

#[test]
fn a_state_directory_that_others_can_change_is_refused() {
    let (ground, _) = Ground::recorded();
    for unsafe_mode in [0o750, 0o701, 0o777] {
        mode(&ground.state(), unsafe_mode);
        assert_eq!(ground.open().unwrap_err().kind(), Kind::UnsafeState, "{unsafe_mode:o}");
    }
    mode(&ground.state(), 0o700);
    for (above, refused) in [(0o770, true), (0o757, true), (0o1777, false), (0o755, false)] {
        mode(ground.dir.path(), above);
        assert_eq!(ground.open().err().map(|error| error.kind()), refused.then_some(Kind::UnsafeState), "{above:o}");
    }
}

/// Gives a user of that number all rights by an access control list; false where the file system has none.
#[cfg(target_os = "linux")]
fn let_in(path: &Path, user: u32) -> bool {
    const ANY: u32 = u32::MAX;
    let entries = [(1_u16, 7_u16, ANY), (2, 7, user), (4, 0, ANY), (0x10, 7, ANY), (0x20, 0, ANY)];
    let entry = |(tag, rights, of): (u16, u16, u32)| {
        [&tag.to_le_bytes()[..], &rights.to_le_bytes(), &of.to_le_bytes()].concat()
    };
    let list: Vec<u8> = 2_u32.to_le_bytes().into_iter().chain(entries.into_iter().flat_map(entry)).collect();
    rustix::fs::setxattr(path, "system.posix_acl_access", &list, rustix::fs::XattrFlags::empty()).is_ok()
}

#[cfg(target_os = "linux")]
#[test]
fn whom_an_access_control_list_lets_in_counts() {
    let (ground, _) = Ground::recorded();
    if !let_in(&ground.state(), 12_345) {
        eprintln!("SKIPPED: whom_an_access_control_list_lets_in_counts: the file system has no such lists");
        return;
    }
    assert_eq!(ground.open().unwrap_err().kind(), Kind::UnsafeState, "of the state directory");
    let clear = |path: &Path, was: u32| {
        rustix::fs::removexattr(path, "system.posix_acl_access").unwrap();
        mode(path, was);
        assert!(ground.open().is_ok());
    };
    clear(&ground.state(), 0o700);
    assert!(let_in(ground.dir.path(), 12_345));
    assert_eq!(ground.open().unwrap_err().kind(), Kind::UnsafeState, "of the directory above");
    clear(ground.dir.path(), 0o700);
    assert!(let_in(&ground.log(), 12_345));
    assert_eq!(ground.open().unwrap_err().kind(), Kind::Integrity, "of the log");
    clear(&ground.log(), 0o600);
}

#[test]
fn a_root_whose_records_are_elsewhere_says_so() {
    let (ground, place) = (Ground::new(), TempDir::new().unwrap());
    let dir = cap_std::fs::Dir::open_ambient_dir(place.path(), ambient_authority()).unwrap();
    let root = ground.root.with_state(&dir, "state").unwrap();
    let (records, _) = Records::init(&root, Settings::default(), &author()).unwrap();
    let marker = ground.dir.path().join(".caplink-records");
    assert_eq!(fs::read_to_string(&marker).unwrap(), format!("{}\n", records.id()));
    assert!(Records::open_for_mutation(&root).unwrap().is_some());
    assert_eq!(Records::open_for_mutation(&ground.root).unwrap_err().kind(), Kind::UnsafeState);
    let other = ground.root.with_state(&dir, "other").unwrap();
    assert_eq!(Records::open_for_mutation(&other).unwrap_err().kind(), Kind::UnsafeState);
    // It guards against forgetting only: what is no file tells nothing.
    fs::remove_file(&marker).unwrap();
    symlink("state", &marker).unwrap();
    assert!(Records::open_for_mutation(&other).unwrap().is_none());
}

#[test]
fn records_that_were_moved_with_their_root_are_bound_to_it_anew() {
    let (ground, root) = Ground::recorded();
    let _ = root.ensure("current", release(1)).unwrap();
    let copy = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap();
    fs::create_dir_all(copy.path().join("releases/2")).unwrap();
    fs::create_dir(copy.path().join(".caplink")).unwrap();
    mode(&copy.path().join(".caplink"), 0o700);
    fs::copy(ground.log(), copy.path().join(".caplink/log.jsonl")).unwrap();
    let moved = open(copy.path());
    assert_eq!(Records::open(&moved).unwrap_err().kind(), Kind::Integrity);
    assert!(Records::rebindable(&moved).unwrap().1);
    let (_, rebound) = Records::rebind(&moved, &author()).unwrap();
    assert!(rebound);
    let (records, again) = Records::rebind(&moved, &author()).unwrap();
    assert!(!again);
    let _ = moved.recorded(&records, author()).ensure("current", release(2)).unwrap();
    let records = Records::open(&moved).unwrap().unwrap();
    let _ = records.verify(&[]).unwrap();
    assert_eq!(records.root_shown().path.unwrap().as_path(), copy.path());
}

#[test]
fn damaged_records_are_kept_and_new_ones_name_them() {
    let (ground, root) = Ground::recorded();
    for number in [1, 2, 3] {
        let _ = root.ensure("current", release(number)).unwrap();
    }
    let reasoned = Author::new(Actor::default(), Some("bent by hand")).unwrap();
    assert!(Records::renew(&ground.root, &reasoned).unwrap().1.is_none(), "they fit");
    let old = ground.records().id();
    let mut log = fs::read_to_string(ground.log()).unwrap();
    let at = log.match_indices('\n').nth(4).unwrap().0 - 5;
    log.replace_range(at..=at, "~");
    fs::write(ground.log(), &log).unwrap();
    assert_eq!(
        Records::open(&ground.root).and_then(|records| records.unwrap().verify(&[])).unwrap_err().kind(),
        Kind::Integrity
    );
    assert_eq!(Records::renew(&ground.root, &author()).unwrap_err().kind(), Kind::Usage);
    let (records, renewed) = Records::renew(&ground.root, &reasoned).unwrap();
    let renewed = renewed.unwrap();
    assert_eq!((renewed.id.as_deref(), renewed.good, renewed.lost), (Some(old.as_str()), 4, 3));
    let kept = ground.state().join(renewed.kept.as_path()).join("log.jsonl");
    assert_eq!(fs::read_to_string(kept).unwrap(), log);
    assert_ne!(records.id(), old);
    let _ = ground.again().ensure("current", release(1)).unwrap();
    let _ = ground.records().verify(&[]).unwrap();
    assert_eq!(ground.told(), ["ensure current replaced"]);
}

#[test]
fn whatever_is_in_the_place_of_the_log_can_be_moved_aside() {
    let reasoned = Author::new(Actor::default(), Some("restored")).unwrap();
    for what in ["directory", "link", "empty"] {
        let (ground, _) = Ground::recorded();
        fs::remove_file(ground.log()).unwrap();
        match what {
            "directory" => fs::create_dir(ground.log()).unwrap(),
            "link" => symlink("/etc/passwd", ground.log()).unwrap(),
            _ => {
                fs::write(ground.log(), "").unwrap();
                mode(&ground.log(), 0o600);
            }
        }
        let (_, renewed) = Records::renew(&ground.root, &reasoned).unwrap();
        assert_eq!(renewed.unwrap().good, 0, "{what}");
        let _ = ground.again().ensure("current", release(1)).unwrap();
    }
    assert_eq!(Records::renew(&Ground::new().root, &reasoned).unwrap_err().kind(), Kind::NoRecords);
}

#[test]
fn of_two_programs_that_make_records_at_once_none_is_told_settings_that_do_not_hold() {
    for _ in 0..40 {
        let ground = Ground::new();
        let together = std::sync::Barrier::new(2);
        let init = |require_reason| {
            let root = open(ground.dir.path());
            let settings = Settings::default().require_reason(require_reason);
            let author = Author::new(Actor::default(), Some("set")).unwrap();
            together.wait();
            Records::init(&root, settings, &author).unwrap().1
        };
        let mut made = std::thread::scope(|scope| {
            let init = &init;
            let programs = [false, true].map(|require_reason| scope.spawn(move || init(require_reason)));
            programs.map(|program| program.join().unwrap())
        });
        made.sort_by_key(|made| *made == Made::Set);
        assert_eq!(made, [Made::Initialised, Made::Set]);
    }
}

#[test]
fn the_file_that_says_where_the_records_are_is_left_by_the_next_init_where_the_first_was_stopped() {
    let ground = Ground::new();
    let state = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap();
    let above = cap_std::fs::Dir::open_ambient_dir(state.path(), ambient_authority()).unwrap();
    let root = open(ground.dir.path()).with_state(&above, "state").unwrap();
    let marker = ground.dir.path().join(".caplink-records");
    let (records, _) = Records::init(&root, Settings::default(), &author()).unwrap();
    fs::remove_file(&marker).unwrap();
    let (_, made) = Records::init(&root, Settings::default(), &author()).unwrap();
    assert_eq!(made, Made::Unchanged);
    assert_eq!(fs::read_to_string(&marker).unwrap().trim(), records.id());
}
