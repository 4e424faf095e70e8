//! The file systems that are measured on.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

/// Says that this process has a mount namespace of its own.
const OWN_MOUNTS: &str = "--own-mounts";

/// The size of the loop image; it is sparse. It lies on the disk, so that a cold scan reads from there.
const IMAGE_BYTES: u64 = 4 << 30;

pub(super) struct Place {
    pub(super) name: String,
    /// Dropping the caches makes it cold.
    pub(super) can_be_cold: bool,
    dir: tempfile::TempDir,
    _mount: Option<Mount>,
}

struct Mount {
    point: tempfile::TempDir,
    _image: tempfile::NamedTempFile,
}

impl Drop for Mount {
    fn drop(&mut self) {
        // If it fails the mount goes with the namespace.
        let _status = Command::new("umount").arg(self.point.path()).status();
    }
}

impl Place {
    pub(super) fn dir(&self) -> PathBuf {
        self.dir.path().to_path_buf()
    }
}

/// Starts this program again where mounts are its own, if it may; true if that was done.
pub(super) fn reenter(arguments: &[String]) -> Result<bool> {
    let asked = |option: &str| arguments.iter().any(|argument| argument == option);
    let works = || Command::new("unshare").args(["-m", "true"]).status().is_ok_and(|status| status.success());
    if asked(OWN_MOUNTS) || asked("--here") || !is_root() || !works() {
        return Ok(false);
    }
    let status =
        Command::new("unshare").arg("-m").arg(std::env::current_exe()?).args(arguments).arg(OWN_MOUNTS).status()?;
    if status.success() { Ok(true) } else { Err(format!("the measuring process ended with {status}").into()) }
}

pub(super) fn all(arguments: &[String]) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    let shm = Path::new("/dev/shm");
    if shm.is_dir() {
        let dir = tempfile::tempdir_in(shm)?;
        places.push(Place { name: file_system(dir.path())?, can_be_cold: false, dir, _mount: None });
    }
    if arguments.iter().any(|argument| argument == OWN_MOUNTS) {
        places.push(journaled()?);
    } else {
        let dir = tempfile::tempdir()?;
        let name = file_system(dir.path())?;
        places.push(Place { can_be_cold: is_root() && name != "tmpfs", name, dir, _mount: None });
    }
    Ok(places)
}

fn journaled() -> Result<Place> {
    let target = env!("CARGO_TARGET_TMPDIR");
    let image = tempfile::NamedTempFile::new_in(target)?;
    image.as_file().set_len(IMAGE_BYTES)?;
    let point = tempfile::tempdir_in(target)?;
    let done = |command: &mut Command| match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))),
        Err(error) => Err(format!("{command:?}: {error}")),
    };
    // An inode for every file.
    done(Command::new("mkfs.ext4").args(["-q", "-F", "-i", "2048"]).arg(image.path()))?;
    done(Command::new("mount").args(["-o", "loop,noatime"]).arg(image.path()).arg(point.path()))?;
    let name = format!("{}, loop image", file_system(point.path())?);
    let dir = tempfile::tempdir_in(point.path())?;
    Ok(Place { name, can_be_cold: true, dir, _mount: Some(Mount { point, _image: image }) })
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn file_system(dir: &Path) -> Result<String> {
    let output = Command::new("stat").args(["-f", "-c", "%T"]).arg(dir).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().replace("ext2/ext3", "ext4"))
}
