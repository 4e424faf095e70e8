//! The file systems on which a test can run once more, and what takes root to arrange.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::ground::ground;
use super::rows::{ROWS, rows};
use super::table::left_out;

/// The file systems that this host is asked for, in this order.
const FILE_SYSTEMS: &[&str] = &["tmpfs", "ext4", "xfs", "btrfs", "overlay"];

pub(crate) fn file_system() -> &'static str {
    match rustix::fs::statfs(ground()).expect("the ground is there").f_type {
        0xef53 => "ext4",
        0x0102_1994 => "tmpfs",
        0x5846_5342 => "xfs",
        0x9123_683e => "btrfs",
        0x794c_7630 => "overlay",
        _ => "other",
    }
}

/// Whether this test may mount, create devices and become other users.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Gives this thread a mount namespace: what it mounts is private, and goes with the thread.
pub(crate) fn own_mounts() {
    #[expect(deprecated, reason = "it is deprecated for the sake of another flag, and the other one is unsafe")]
    rustix::thread::unshare(rustix::thread::UnshareFlags::NEWNS).expect("root has its own mounts");
    must("mount", &["--make-rprivate", "/"]);
}

/// Runs a program.
///
/// # Panics
///
/// If it fails.
pub(crate) fn must(program: &str, arguments: &[&str]) {
    if let Err(said) = tried(program, arguments) {
        panic!("{program} {arguments:?}: {said}");
    }
}

/// Runs a program; the error is what it printed.
pub(crate) fn tried(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).output().map_err(|error| error.to_string())?;
    let said = || String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(said()) }
}

/// Mounts a new file system at `at`, or says why it cannot.
fn mount(kind: &str, at: &Path, scratch: &Path) -> Result<(), String> {
    let (at, scratch) = (at.to_str().expect("a plain name"), scratch.to_str().expect("a plain name"));
    match kind {
        "tmpfs" => tried("mount", &["-t", "tmpfs", "tmpfs", at]),
        "overlay" => {
            // Its layers must not be an overlay themselves.
            tried("mount", &["-t", "tmpfs", "tmpfs", scratch])?;
            let dirs = ["lower", "upper", "work"].map(|name| format!("{scratch}/{name}"));
            dirs.iter().try_for_each(fs::create_dir).map_err(|error| error.to_string())?;
            let options = format!("lowerdir={},upperdir={},workdir={}", dirs[0], dirs[1], dirs[2]);
            tried("mount", &["-t", "overlay", "overlay", "-o", &options, at])
        }
        _ => {
            let image = format!("{scratch}/image");
            fs::File::create(&image).and_then(|file| file.set_len(320 << 20)).map_err(|error| error.to_string())?;
            let force = if kind == "ext4" { "-F" } else { "-f" };
            tried(&format!("mkfs.{kind}"), &["-q", force, &image])?;
            tried("mount", &["-o", "loop", &image, at])
        }
    }
}

/// Runs this program once more on each file system that this host can make, with what `arrange` adds.
///
/// Called on a thread of its own, which gets a mount namespace.
pub(crate) fn on_each_file_system(id: &str, arrange: impl Fn(&str, &Path, &mut Command)) {
    if !is_root() {
        return left_out(id, "only root mounts");
    }
    own_mounts();
    for kind in FILE_SYSTEMS {
        let ground = tempfile::tempdir().unwrap();
        let (at, scratch) = (ground.path().join("at"), ground.path().join("scratch"));
        fs::create_dir(&at).unwrap();
        fs::create_dir(&scratch).unwrap();
        if let Err(said) = mount(kind, &at, &scratch) {
            left_out(id, &format!("{kind}: {}", said.trim()));
            continue;
        }
        let mut again = Command::new(std::env::current_exe().unwrap());
        arrange(kind, &at, &mut again);
        again.env("CAPLINK_TEST_DIR", &at).env(ROWS, rows()).stderr(Stdio::inherit());
        let output = again.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && !said.contains(" 0 passed"), "{kind}:\n{said}");
        for mounted in [&at, &scratch] {
            let _ = tried("umount", &["-l", mounted.to_str().unwrap()]);
        }
    }
}
