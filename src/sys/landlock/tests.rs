mod by_version;

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use cap_tempfile::TempDir;
use rustix::fs::{CWD, FileType, Mode, RenameFlags};
use rustix::io::Errno;

use super::super::{Calls, Handle, Rights, calls, root_handle};

/// A tree with everything that a probe needs, made before the domain is entered.
struct Tree {
    _dir: TempDir,
    root: Handle,
    inside: PathBuf,
    outside: PathBuf,
}

const KINDS: [&str; 6] = ["file", "empty", "fifo", "socket", "char", "block"];

fn tree() -> Tree {
    let dir = cap_tempfile::tempdir(cap_std::ambient_authority()).unwrap();
    let handle = root_handle(dir.try_clone().unwrap());
    let base =
        fs::read_link(format!("/proc/self/fd/{}", rustix::fd::AsRawFd::as_raw_fd(&rustix::fd::AsFd::as_fd(&handle))))
            .unwrap();
    let (inside, outside) = (base.join("root"), base.join("outside"));
    for top in [&inside, &outside] {
        fs::create_dir_all(top.join("dir/below")).unwrap();
        fs::create_dir(top.join("empty")).unwrap();
        fs::write(top.join("file"), "content").unwrap();
        symlink("old", top.join("link")).unwrap();
        symlink("old", top.join("dir/link")).unwrap();
        rustix::fs::mknodat(CWD, top.join("fifo"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        drop(UnixListener::bind(top.join("socket")).unwrap());
        for (name, kind) in [("char", FileType::CharacterDevice), ("block", FileType::BlockDevice)] {
            // Needs the privilege to make devices; without it the kernel's refusal is shown on the others.
            let _made = rustix::fs::mknodat(CWD, top.join(name), kind, Mode::from_raw_mode(0o600), 0x103);
        }
    }
    let root = root_handle(dir.open_dir("root").unwrap());
    Tree { _dir: dir, root, inside, outside }
}

fn skipped(test: &str, error: &io::Error) {
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    aloud(&format!("{test}: {error}"));
}

/// Past the capture of the test harness.
fn aloud(what: &str) {
    io::stderr().write_all(format!("SKIPPED: {what}\n").as_bytes()).unwrap();
}

/// Runs a probe on a thread that has entered the domain; none where the kernel has no Landlock.
fn inside<T: Send>(test: &str, tree: &Tree, grant: Rights, probe: impl FnOnce() -> T + Send) -> Option<T> {
    let calls = calls(&tree.root).unwrap();
    let domain = match Calls::domain(&*calls, &tree.root, None, grant) {
        Ok(domain) => domain,
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            skipped(test, &error);
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    std::thread::scope(|scope| {
        let confined = scope.spawn(move || {
            assert!(domain.enter().unwrap() >= 2);
            probe()
        });
        Some(confined.join().unwrap())
    })
}

fn errno<T>(result: io::Result<T>) -> Option<i32> {
    result.err().map(|error| error.raw_os_error().expect("an error of the system"))
}

const DENIED: Option<i32> = Some(13);

fn exchange(a: &Path, b: &Path) -> io::Result<()> {
    Ok(rustix::fs::renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE)?)
}

fn rename_new(a: &Path, b: &Path) -> io::Result<()> {
    Ok(rustix::fs::renameat_with(CWD, a, CWD, b, RenameFlags::NOREPLACE)?)
}

#[test]
fn links_are_made_moved_exchanged_and_removed_below_the_root() {
    let tree = tree();
    let top = tree.inside.clone();
    let done = inside("links_are_made_moved_exchanged_and_removed_below_the_root", &tree, Rights::Links, move || {
        symlink("new", top.join("made")).unwrap();
        exchange(&top.join("made"), &top.join("dir/link")).unwrap();
        rename_new(&top.join("made"), &top.join("dir/below/moved")).unwrap();
        fs::remove_file(top.join("dir/below/moved")).unwrap();
        assert_eq!(fs::read_dir(top.join("dir")).unwrap().count(), 2);
        let dir = File::open(top.join("dir")).unwrap();
        rustix::fs::fsync(&dir).unwrap();
        rustix::fs::syncfs(&dir).unwrap();
    });
    if done.is_some() {
        assert_eq!(fs::read_link(tree.inside.join("dir/link")).unwrap(), Path::new("new"));
    }
}

#[test]
fn nothing_but_links_is_made_written_or_removed_below_the_root() {
    let tree = tree();
    let top = tree.inside.clone();
    inside("nothing_but_links_is_made_written_or_removed_below_the_root", &tree, Rights::Links, move || {
        let at = |name: &str| top.join(name);
        let probes: Vec<(&str, Option<i32>)> = vec![
            ("create a file", errno(File::create_new(at("new")))),
            ("read a file", errno(File::open(at("file")))),
            ("write a file", errno(OpenOptions::new().write(true).open(at("file")))),
            ("append to a file", errno(OpenOptions::new().append(true).open(at("file")))),
            ("truncate a file by opening it", errno(File::create(at("file")))),
            ("make a directory", errno(fs::create_dir(at("new")))),
            ("remove a directory", errno(fs::remove_dir(at("empty")))),
            ("rename a directory", errno(fs::rename(at("empty"), at("new")))),
            ("rename a file", errno(fs::rename(at("file"), at("new")))),
            ("rename a file over a link", errno(fs::rename(at("file"), at("link")))),
            ("give a file a second name", errno(fs::hard_link(at("file"), at("new")))),
            ("make a socket", errno(UnixListener::bind(at("new")))),
            ("make a fifo", errno(mknod(&at("new"), FileType::Fifo))),
            ("make a character device", errno(mknod(&at("new"), FileType::CharacterDevice))),
            ("make a block device", errno(mknod(&at("new"), FileType::BlockDevice))),
        ];
        for (what, got) in probes {
            // Devices take a privilege; whoever lacks it is refused for that.
            assert!(got == DENIED || (what.contains("device") && got == Some(1)), "{what}: {got:?}");
        }
        assert!(!top.join("new").exists());
    });
    assert_eq!(fs::read_to_string(tree.inside.join("file")).unwrap(), "content");
}

fn mknod(path: &Path, kind: FileType) -> io::Result<()> {
    Ok(rustix::fs::mknodat(CWD, path, kind, Mode::from_raw_mode(0o600), 0x103)?)
}

#[test]
fn a_link_is_exchanged_with_nothing_but_a_link() {
    let tree = tree();
    let top = tree.inside.clone();
    inside("a_link_is_exchanged_with_nothing_but_a_link", &tree, Rights::Links, move || {
        for kind in KINDS.into_iter().filter(|kind| top.join(kind).symlink_metadata().is_ok()) {
            for link in ["link", "dir/link"] {
                let (link, other) = (top.join(link), top.join(kind));
                for (a, b) in [(&link, &other), (&other, &link)] {
                    let refused = errno(exchange(a, b));
                    assert!(matches!(refused, Some(13 | 18)), "{a:?} with {b:?}: {refused:?}");
                }
            }
        }
    });
}

#[test]
fn nothing_at_all_is_done_outside_the_root() {
    let tree = tree();
    let (top, away) = (tree.inside.clone(), tree.outside.clone());
    inside("nothing_at_all_is_done_outside_the_root", &tree, Rights::Backups, move || {
        let at = |name: &str| away.join(name);
        let probes = [
            ("make a link", errno(symlink("x", at("new")))),
            ("remove a link", errno(fs::remove_file(at("link")))),
            ("move a link out", errno(fs::rename(top.join("link"), at("new")))),
            ("move a link in", errno(fs::rename(at("link"), top.join("new")))),
            ("exchange links", errno(exchange(&top.join("link"), &at("link")))),
            ("exchange links out there", errno(exchange(&at("dir/link"), &at("link")))),
            ("create a file", errno(File::create(at("new")))),
            ("read a file", errno(File::open(at("file")))),
            ("list a directory", errno(fs::read_dir(&away))),
            ("make a directory", errno(fs::create_dir(at("new")))),
            ("remove a directory", errno(fs::remove_dir(at("empty")))),
            ("run a program", errno(Command::new("/bin/true").status())),
        ];
        for (what, got) in probes {
            assert!(matches!(got, Some(13 | 18)), "{what}: {got:?}");
        }
    });
}

#[test]
fn a_directory_that_is_moved_out_takes_its_rights_along_with_nothing() {
    let tree = tree();
    let moved = File::open(tree.inside.join("dir")).unwrap();
    fs::rename(tree.inside.join("dir"), tree.outside.join("moved")).unwrap();
    inside("a_directory_that_is_moved_out_takes_its_rights_along_with_nothing", &tree, Rights::Links, move || {
        assert_eq!(rustix::fs::symlinkat("x", &moved, "new"), Err(Errno::ACCESS));
        assert_eq!(rustix::fs::unlinkat(&moved, "link", rustix::fs::AtFlags::empty()), Err(Errno::ACCESS));
    });
}

#[test]
fn each_grant_adds_what_it_says_and_no_more() {
    for (grant, makes, moves) in
        [(Rights::Links, false, false), (Rights::Parents, true, false), (Rights::Backups, true, true)]
    {
        let tree = tree();
        let top = tree.inside.clone();
        inside("each_grant_adds_what_it_says_and_no_more", &tree, grant, move || {
            assert_eq!(fs::create_dir(top.join("made")).is_ok(), makes, "{grant:?}");
            assert_eq!(exchange(&top.join("link"), &top.join("file")).is_ok(), moves, "{grant:?}");
            assert_eq!(exchange(&top.join("dir/link"), &top.join("dir/below")).is_ok(), moves, "{grant:?}");
            assert!(exchange(&top.join("link"), &top.join("fifo")).is_err(), "{grant:?}");
            assert_eq!(errno(UnixListener::bind(top.join("new"))), DENIED, "{grant:?}");
        });
    }
}

#[test]
fn a_descriptor_that_was_opened_before_stays_usable() {
    let tree = tree();
    let mut file = OpenOptions::new().write(true).open(tree.outside.join("file")).unwrap();
    let done = inside("a_descriptor_that_was_opened_before_stays_usable", &tree, Rights::Links, move || {
        file.write_all(b"CONTENT").unwrap();
    });
    if done.is_some() {
        assert_eq!(fs::read_to_string(tree.outside.join("file")).unwrap(), "CONTENT");
    }
}

#[test]
fn a_state_directory_elsewhere_takes_no_files_and_directories_only_where_they_are_needed() {
    for grant in [Rights::Links, Rights::Backups] {
        let tree = tree();
        let calls = calls(&tree.root).unwrap();
        let (top, state) = (tree.inside.clone(), tree.outside.join("dir"));
        let opened = Handle::from(rustix::fd::OwnedFd::from(File::open(&state).unwrap()));
        let domain = match Calls::domain(&*calls, &tree.root, Some(&opened), grant) {
            Ok(domain) => domain,
            Err(error) => return skipped("a_state_directory_elsewhere_takes_no_files", &error),
        };
        let probe = move || {
            domain.enter().unwrap();
            symlink("staged", state.join("staged")).unwrap();
            exchange(&state.join("staged"), &top.join("link")).unwrap();
            rename_new(&top.join("dir/link"), &state.join("aside")).unwrap();
            rename_new(&state.join("aside"), &top.join("dir/link")).unwrap();
            fs::remove_file(state.join("staged")).unwrap();
            let refused = |from: &Path, to: &Path| matches!(errno(rename_new(from, to)), Some(13 | 18));
            assert!(refused(&top.join("file"), &state.join("file")), "{grant:?}");
            let takes_directories = grant == Rights::Backups;
            assert_eq!(errno(fs::create_dir(state.join("new"))), (!takes_directories).then_some(DENIED).flatten());
            assert_eq!(refused(&top.join("dir"), &state.join("moved")), !takes_directories, "{grant:?}");
            // Beside it nothing is allowed.
            assert_eq!(errno(symlink("x", state.with_file_name("new"))), DENIED);
            assert_eq!(errno(fs::remove_file(state.with_file_name("link"))), DENIED);
            assert_eq!(errno(fs::create_dir(state.with_file_name("new"))), DENIED);
        };
        std::thread::spawn(probe).join().unwrap();
    }
}
