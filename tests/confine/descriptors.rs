//! The open descriptors of the program while it works, whatever it inherited.
//!
//! `CAPLINK_PROGRAM` names another build of the program than the one at hand, to be looked at in the same way.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use rustix::fd::{AsFd as _, AsRawFd as _};
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use rustix::process::{Resource, Rlimit, setrlimit};

use super::*;

/// A descriptor that one test lets the program inherit is not to be found by another test.
static INHERITED: Mutex<()> = Mutex::new(());

/// How long a program may take to start on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

type Opened = BTreeMap<i32, PathBuf>;

fn program() -> OsString {
    std::env::var_os("CAPLINK_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_caplink").into())
}

/// The program, started by a shell that redirects descriptors.
fn redirected(how: &str, program: &OsStr) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("exec \"$@\" {how}")).arg("sh").arg(program);
    shell
}

fn lock_of(root: &Path) -> fs::File {
    let lock = fs::File::open(root).unwrap();
    lock.lock().unwrap();
    lock
}

fn opened_by(child: &Child) -> Opened {
    // It can have ended, or close one meanwhile.
    let open = fs::read_dir(format!("/proc/{}/fd", child.id())).into_iter().flatten().flatten();
    let each = open.filter_map(|entry| {
        let number = entry.file_name().to_str()?.parse().ok()?;
        Some((number, fs::read_link(entry.path()).ok()?))
    });
    each.collect()
}

/// What the program has open after it opened its root: it waits there for a lock, for a second at most.
///
/// A listing is not one moment: what was opened while it was read can be missing. So only one that is read twice counts.
fn opened_at_work(dir: &TempDir, start: &dyn Fn(&OsStr) -> Command) -> Opened {
    let root = dir.path().canonicalize().unwrap().join("root");
    let link = root.join("l");
    let _ = fs::remove_file(&link);
    symlink("releases/1", &link).unwrap();
    let mut lock = lock_of(&root);
    let deadline = Instant::now() + DEADLINE;
    while Instant::now() < deadline {
        let mut command = start(&program());
        command.arg("-C").arg(&root).args(["ensure", "l", "--to", "releases/2"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while child.try_wait().unwrap().is_none() {
            let opened = opened_by(&child);
            if opened.values().any(|place| *place == root) && opened == opened_by(&child) {
                drop(lock);
                // On a busy machine its second can be over by now: then it gave up, and is asked again.
                if child.wait().unwrap().success() {
                    assert_eq!(fs::read_link(&link).unwrap(), Path::new("releases/2"));
                    return opened;
                }
                lock = lock_of(&root);
            }
        }
    }
    panic!("the program was never seen at work");
}

/// The descriptors that are neither standard ones, nor below the root, nor a Landlock ruleset.
fn beyond(dir: &TempDir, opened: &Opened) -> Vec<(i32, PathBuf)> {
    let root = dir.path().canonicalize().unwrap().join("root");
    let own = |place: &Path| place.starts_with(&root) || place == Path::new("anon_inode:[landlock-ruleset]");
    let beyond = opened.iter().filter(|(number, place)| **number > 2 && !own(place));
    beyond.map(|(number, place)| (*number, place.clone())).collect()
}

#[test]
fn what_a_parent_left_open_is_closed_before_the_tree_is_touched() {
    let dir = tree();
    let outside = dir.path().canonicalize().unwrap().join("outside");
    fs::write(outside.join("log"), "").unwrap();
    let (socket, _other_end) = UnixStream::pair().unwrap();
    let high = fcntl_dupfd_cloexec(&socket, 500).unwrap();
    fcntl_setfd(high.as_fd(), FdFlags::empty()).unwrap();
    let how = format!("3<'{0}' 7>>'{0}/log'", outside.display());
    let start = |program: &OsStr| redirected(&how, program);

    // Any other program keeps what it inherited.
    let mut other = start(OsStr::new("sleep")).arg("60").spawn().unwrap();
    let deadline = Instant::now() + DEADLINE;
    let expected = [3, 7, high.as_raw_fd()];
    let mut kept = Opened::new();
    while !expected.iter().all(|number| kept.contains_key(number)) && Instant::now() < deadline {
        kept = opened_by(&other);
    }
    other.kill().unwrap();
    other.wait().unwrap();
    let at = |number: i32| kept.get(&number).unwrap_or_else(|| panic!("{number} was never seen: {kept:?}"));
    assert_eq!((at(3), at(7)), (&outside, &outside.join("log")), "{kept:?}");
    assert!(at(expected[2]).to_string_lossy().starts_with("socket:"), "{kept:?}");

    assert_eq!(beyond(&dir, &opened_at_work(&dir, &start)), []);
}

/// The same without `/proc`, which lists the descriptors; `None` if it cannot be unmounted.
fn without_proc(test: &str, how: String) -> Option<impl Fn(&OsStr) -> Command> {
    let start = move |program: &OsStr| {
        let mut shell = Command::new("unshare");
        shell.args(["--mount", "--propagation", "private", "sh", "-c"]);
        shell.arg(format!("umount -l /proc && exec \"$@\" {how}")).arg("sh").arg(program);
        shell
    };
    let hidden = start(OsStr::new("test")).args(["!", "-e", "/proc/self"]).stderr(Stdio::null()).status();
    if hidden.is_ok_and(|status| status.success()) {
        return Some(start);
    }
    let _ = writeln!(std::io::stderr(), "SKIPPED: {test}: /proc cannot be unmounted here");
    None
}

#[test]
fn what_a_parent_left_open_is_closed_where_nothing_lists_it() {
    let _turn = INHERITED.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = tree();
    let how = format!("3<'{}' 7</dev/zero", dir.path().display());
    let Some(start) = without_proc("what_a_parent_left_open_is_closed_where_nothing_lists_it", how) else { return };
    assert_eq!(beyond(&dir, &opened_at_work(&dir, &start)), []);
}

#[test]
fn a_number_beyond_those_that_are_tried_stays_open_where_nothing_lists_it() {
    const TEST: &str = "a_number_beyond_those_that_are_tried_stays_open_where_nothing_lists_it";
    let _turn = INHERITED.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = tree();
    let Some(start) = without_proc(TEST, String::new()) else { return };
    let room = Rlimit { current: Some(70_000), maximum: Some(70_000) };
    let high = setrlimit(Resource::Nofile, room).and_then(|()| fcntl_dupfd_cloexec(std::io::stderr(), 65_535));
    let Ok(last_tried) = high else {
        let _ = writeln!(std::io::stderr(), "SKIPPED: {TEST}: so many descriptors cannot be opened here");
        return;
    };
    let first_left = fcntl_dupfd_cloexec(&last_tried, 65_536).unwrap();
    for number in [&last_tried, &first_left] {
        fcntl_setfd(number.as_fd(), FdFlags::empty()).unwrap();
    }
    let left = beyond(&dir, &opened_at_work(&dir, &start));
    assert_eq!(left.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [65_536]);
}

#[test]
fn no_descriptor_of_the_program_takes_the_place_of_a_standard_one() {
    let dir = tree();
    let names = |dir: &TempDir| {
        let mut names: Vec<_> =
            fs::read_dir(dir.path().join("root")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = names(&dir);
    for (how, closed) in [("<&- >&- 2>&-", &[0, 1, 2][..]), ("<&-", &[0]), (">&-", &[1]), ("2>&-", &[2])] {
        let opened = opened_at_work(&dir, &|program| redirected(how, program));
        assert_eq!(beyond(&dir, &opened), [], "{how}");
        for number in closed {
            assert_eq!(opened.get(number).map(PathBuf::as_path), Some(Path::new("/dev/null")), "{how}: {opened:?}");
        }
        fs::remove_file(dir.path().join("root/l")).unwrap();
        assert_eq!(names(&dir), before, "{how}");
    }
}
