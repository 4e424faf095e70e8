//! A root with releases, and something beside it that must stay as it is.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use caplink::manage::Releases;
use caplink::{Policy, Root};
use tempfile::TempDir;

pub(crate) struct Ground {
    pub(crate) base: TempDir,
    pub(crate) path: PathBuf,
    pub(crate) root: Root,
}

impl Ground {
    /// Releases of these names, each with a file that has its name.
    pub(crate) fn new(names: &[&str]) -> Ground {
        Ground::at(TempDir::new().unwrap(), names)
    }

    pub(crate) fn at(base: TempDir, names: &[&str]) -> Ground {
        let path = base.path().canonicalize().unwrap().join("root");
        fs::create_dir(&path).unwrap();
        fs::create_dir_all(base.path().join("canary/deep")).unwrap();
        fs::write(base.path().join("canary/deep/file"), "canary").unwrap();
        for name in names {
            fs::create_dir_all(path.join("releases").join(name)).unwrap();
            fs::write(path.join("releases").join(name).join("version"), name).unwrap();
        }
        let root = Root::open_ambient(&path, Policy::default(), ambient_authority()).unwrap();
        Ground { base, path, root }
    }

    pub(crate) fn app(&self) -> Releases {
        Releases::open(&self.root, "default").unwrap()
    }

    pub(crate) fn release(&self, name: &str) -> PathBuf {
        self.path.join("releases").join(name)
    }

    pub(crate) fn current(&self) -> Option<PathBuf> {
        fs::read_link(self.path.join("current")).ok()
    }

    /// Everything of the canary that a change would show in.
    pub(crate) fn canary(&self) -> Vec<String> {
        let mut seen = Vec::new();
        walk(&self.base.path().join("canary"), &mut seen);
        seen
    }
}

fn walk(path: &Path, seen: &mut Vec<String>) {
    let stat = fs::symlink_metadata(path).unwrap();
    let times = (stat.mtime(), stat.mtime_nsec());
    seen.push(format!("{path:?} {} {:o} {times:?} {:?}", stat.ino(), stat.mode(), fs::read(path).ok()));
    if stat.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            walk(&entry.unwrap().path(), seen);
        }
    }
}

/// Says aloud that a test was not run.
pub(crate) fn skipped(test: &str, reason: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {test}: {reason}");
}
