//! What only newer versions of Landlock forbid, and what none does.

use std::fs::Permissions;
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt as _;

use rustix::fs::{OFlags, Timespec, Timestamps, UTIME_NOW};

use super::*;

/// The version at hand; 0 where there is none.
fn version(tree: &Tree) -> u32 {
    let calls = calls(&tree.root).unwrap();
    let domain = Calls::domain(&*calls, &tree.root, None, Rights::Links);
    domain.and_then(|domain| std::thread::spawn(move || domain.enter()).join().unwrap()).unwrap_or(0)
}

/// `O_RDWR | O_WRONLY`: neither reading nor writing, which leaves `ioctl`.
fn open_for_ioctl(path: &str) -> rustix::io::Result<rustix::fd::OwnedFd> {
    rustix::fs::open(path, OFlags::RDWR | OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
}

/// `FIONREAD`, which the driver of a device answers, or refuses as none of its own.
fn ioctl(device: &impl rustix::fd::AsFd) -> io::Result<u64> {
    Ok(rustix::io::ioctl_fionread(device)?)
}

#[test]
fn what_newer_versions_forbid_is_forbidden_from_the_first_that_can() {
    let tree = tree();
    let version = version(&tree);
    let (file, socket) = (tree.inside.join("file"), tree.outside.join("listening"));
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = tcp.local_addr().unwrap();
    let name = SocketAddr::from_abstract_name(format!("caplink-test-{}", std::process::id())).unwrap();
    let _abstract = UnixListener::bind_addr(&name).unwrap();
    let _by_path = UnixListener::bind(&socket).unwrap();
    let mut child = Command::new("sleep").arg("60").spawn().unwrap();
    let pid = rustix::process::Pid::from_child(&child);
    let opened_before = open_for_ioctl("/dev/null").unwrap();
    type Probe = Box<dyn Fn() -> Option<i32> + Send>;
    let signal = move || rustix::process::kill_process(pid, rustix::process::Signal::CONT).map_err(Into::into);
    let device = || open_for_ioctl("/dev/null").map_err(Into::into).and_then(|device| ioctl(&device));
    let truncate = move || nix::unistd::truncate(&file, 3).map_err(Into::into);
    let probes: Vec<(u32, &str, Option<i32>, Probe)> = vec![
        (3, "truncate a file by its path", DENIED, Box::new(move || errno(truncate()))),
        (4, "connect by TCP", DENIED, Box::new(move || errno(TcpStream::connect(to)))),
        (4, "listen by TCP", DENIED, Box::new(|| errno(TcpListener::bind("127.0.0.1:0")))),
        (5, "control a device", DENIED, Box::new(move || errno(device()))),
        (6, "connect to an abstract socket", Some(1), Box::new(move || errno(UnixStream::connect_addr(&name)))),
        (6, "send a signal", Some(1), Box::new(move || errno::<()>(signal()))),
        (9, "connect to a socket by its path", DENIED, Box::new(move || errno(UnixStream::connect(&socket)))),
    ];
    // Outside of a domain nothing of this is refused for want of a right.
    for (_, what, refused, probe) in &probes {
        assert_ne!(probe(), *refused, "{what}");
    }
    inside("what_newer_versions_forbid_is_forbidden_from_the_first_that_can", &tree, Rights::Backups, move || {
        for (since, what, refused, probe) in &probes {
            if version >= *since {
                assert_eq!(probe(), *refused, "{what}");
            } else {
                aloud(&format!("to {what} is forbidden from version {since} of Landlock on, this is {version}"));
            }
        }
        // The driver says that it knows no such call.
        assert_eq!(errno(ioctl(&opened_before)), Some(25));
    });
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn what_no_version_forbids_stays_possible() {
    let tree = tree();
    let (top, away) = (tree.inside.clone(), tree.outside.clone());
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let now = Timestamps { last_access: now, last_modification: now };
    inside("what_no_version_forbids_stays_possible", &tree, Rights::Links, move || {
        for file in [top.join("file"), away.join("file")] {
            assert_eq!(file.metadata().unwrap().len(), 7);
            rustix::fs::open(&file, OFlags::PATH, Mode::empty()).unwrap();
            fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
            rustix::fs::utimensat(CWD, &file, &now, rustix::fs::AtFlags::empty()).unwrap();
        }
        assert_eq!(fs::read_link(away.join("link")).unwrap(), Path::new("old"));
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"x", "127.0.0.1:9").unwrap();
    });
    assert_eq!(fs::metadata(tree.outside.join("file")).unwrap().permissions().mode() & 0o777, 0o600);
}
