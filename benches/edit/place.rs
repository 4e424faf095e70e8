//! The file systems that are measured on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

/// Says that this process has a mount namespace of its own.
const OWN_MOUNTS: &str = "--own-mounts";

/// The size of the loop image. It is sparse, and lies in memory, so that no disk is waited for.
const IMAGE_BYTES: u64 = 512 << 20;

/// A directory on a file system.
pub(super) struct Place {
    pub(super) name: String,
    dir: tempfile::TempDir,
    _mount: Option<Mount>,
}

/// A mounted image; what is dropped first is what lies on it.
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
    /// A new directory in this place.
    pub(super) fn room(&self, name: &str) -> Result<PathBuf> {
        let room = self.dir.path().join(name);
        if room.exists() {
            fs::remove_dir_all(&room)?;
        }
        fs::create_dir(&room)?;
        Ok(room)
    }
}

/// Starts this program again where mounts are its own, if it may; true if that was done.
///
/// The one that measures goes before other programs, where it may.
pub(super) fn reenter(arguments: &[String]) -> Result<bool> {
    let own = arguments.iter().any(|argument| argument == OWN_MOUNTS);
    if own {
        // A session is scheduled as one (sched_autogroup), whatever the priorities of its processes.
        let _leader = rustix::process::setsid();
        let _priority = fs::write("/proc/self/autogroup", "-20");
    }
    let works = || Command::new("unshare").args(["-m", "true"]).status().is_ok_and(|status| status.success());
    if own || !rustix::process::geteuid().is_root() || !works() {
        return Ok(false);
    }
    let status =
        Command::new("unshare").arg("-m").arg(std::env::current_exe()?).args(arguments).arg(OWN_MOUNTS).status()?;
    if status.success() { Ok(true) } else { Err(format!("the measuring process ended with {status}").into()) }
}

/// All that this host has.
pub(super) fn all() -> Result<Vec<Place>> {
    let shm = Path::new("/dev/shm");
    let mut places = Vec::new();
    if shm.is_dir() {
        let dir = tempfile::tempdir_in(shm)?;
        places.push(Place { name: file_system(dir.path())?, dir, _mount: None });
    }
    match std::env::args().any(|argument| argument == OWN_MOUNTS).then(|| journaled(shm)).transpose()? {
        Some(place) => places.push(place),
        None => {
            let dir = tempfile::tempdir()?;
            let name = format!("{}, {}, for want of a loop image", file_system(dir.path())?, dir.path().display());
            places.push(Place { name, dir, _mount: None });
        }
    }
    Ok(places)
}

fn journaled(images: &Path) -> Result<Place> {
    let image = tempfile::NamedTempFile::new_in(images)?;
    image.as_file().set_len(IMAGE_BYTES)?;
    // Not among the temporary files: whoever removes the mount point there takes the mount away.
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let done = |command: &mut Command| match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))),
        Err(error) => Err(format!("{command:?}: {error}")),
    };
    done(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(image.path()))?;
    done(Command::new("mount").args(["-o", "loop"]).arg(image.path()).arg(dir.path()))?;
    let name = format!("{}, journaled, loop image in memory", file_system(dir.path())?);
    let inside = tempfile::tempdir_in(dir.path())?;
    Ok(Place { name, dir: inside, _mount: Some(Mount { point: dir, _image: image }) })
}

fn file_system(dir: &Path) -> Result<String> {
    let output = Command::new("stat").args(["-f", "-c", "%T"]).arg(dir).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().replace("ext2/ext3", "ext4"))
}
