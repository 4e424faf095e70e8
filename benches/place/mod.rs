//! The file systems that benchmarks measure on: a tmpfs, and an ext4 on a loop image where root allows it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

/// Says that this process has a mount namespace of its own.
const OWN_MOUNTS: &str = "--own-mounts";

/// What an ext4 is made on.
pub(super) struct Image {
    /// Where the image lies: what is cold is read from there.
    pub(super) dir: &'static str,
    /// Its size; it is sparse.
    pub(super) bytes: u64,
    pub(super) mkfs: &'static [&'static str],
    pub(super) mount: &'static str,
}

/// An image on the disk, with an inode for every file of so many bytes: what a sync or a cold look costs is measured.
pub(super) const fn on_disk(mkfs: &'static [&'static str]) -> Image {
    Image { dir: env!("CARGO_TARGET_TMPDIR"), bytes: 4 << 30, mkfs, mount: "loop,noatime" }
}

/// What a bench was asked for on its command line.
pub(super) struct Asked(pub(super) Vec<String>);

impl Asked {
    pub(super) fn read() -> Asked {
        Asked(std::env::args().skip(1).filter(|argument| argument != "--bench").collect())
    }

    pub(super) fn for_option(&self, option: &str) -> bool {
        self.0.iter().any(|argument| argument == option)
    }

    /// All places to measure in; none where a process with mounts of its own has done it. `--here` takes no loop image.
    pub(super) fn places(&self, image: &Image) -> Result<Vec<Place>> {
        let is_done = !self.for_option("--here") && reenter(&self.0)?;
        if is_done { Ok(Vec::new()) } else { all(&self.0, image) }
    }
}

/// A directory on a file system.
pub(super) struct Place {
    pub(super) name: String,
    on_disk: bool,
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
    /// Whether dropping the caches makes it cold.
    pub(super) fn can_be_cold(&self) -> bool {
        self.on_disk && is_root()
    }

    /// A new directory in this place.
    pub(super) fn room(&self, name: &str) -> Result<PathBuf> {
        let room = self.dir.path().join(name);
        if room.exists() {
            std::fs::remove_dir_all(&room)?;
        }
        std::fs::create_dir(&room)?;
        Ok(room)
    }
}

/// Whether this process was started with mounts of its own.
pub(super) fn has_own_mounts(arguments: &[String]) -> bool {
    arguments.iter().any(|argument| argument == OWN_MOUNTS)
}

/// Starts this program again where mounts are its own, if it may; true if that was done.
pub(super) fn reenter(arguments: &[String]) -> Result<bool> {
    let works = || Command::new("unshare").args(["-m", "true"]).status().is_ok_and(|status| status.success());
    if has_own_mounts(arguments) || !is_root() || !works() {
        return Ok(false);
    }
    let status =
        Command::new("unshare").arg("-m").arg(std::env::current_exe()?).args(arguments).arg(OWN_MOUNTS).status()?;
    if status.success() { Ok(true) } else { Err(format!("the measuring process ended with {status}").into()) }
}

/// All that this host has. Without mounts of its own a process measures where the temporary files are.
pub(super) fn all(arguments: &[String], image: &Image) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    let shm = Path::new("/dev/shm");
    if shm.is_dir() {
        let dir = tempfile::tempdir_in(shm)?;
        places.push(Place { name: file_system(dir.path())?, on_disk: false, dir, _mount: None });
    }
    if has_own_mounts(arguments) {
        places.push(journaled(image)?);
    } else {
        let dir = tempfile::tempdir()?;
        let found = file_system(dir.path())?;
        let name = format!("{found}, {}, for want of a loop image", dir.path().display());
        places.push(Place { name, on_disk: found != "tmpfs", dir, _mount: None });
    }
    Ok(places)
}

fn journaled(wanted: &Image) -> Result<Place> {
    let image = tempfile::NamedTempFile::new_in(wanted.dir)?;
    image.as_file().set_len(wanted.bytes)?;
    // Not among the temporary files: whoever removes the mount point there takes the mount away.
    let point = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let done = |command: &mut Command| match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))),
        Err(error) => Err(format!("{command:?}: {error}")),
    };
    done(Command::new("mkfs.ext4").args(["-q", "-F"]).args(wanted.mkfs).arg(image.path()))?;
    done(Command::new("mount").args(["-o", wanted.mount]).arg(image.path()).arg(point.path()))?;
    let name = format!("{}, journaled, loop image in {}", file_system(point.path())?, file_system(image.path())?);
    let dir = tempfile::tempdir_in(point.path())?;
    Ok(Place { name, on_disk: true, dir, _mount: Some(Mount { point, _image: image }) })
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn file_system(dir: &Path) -> Result<String> {
    let output = Command::new("stat").args(["-f", "-c", "%T"]).arg(dir).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().replace("ext2/ext3", "ext4"))
}
