//! A root with two directories of the same files, and the manifest that leads a link to each file of one of them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use caplink::{Policy, Root};

use crate::Result;

/// So many links are in one directory.
const IN_ONE: usize = 500;

/// The two directories that links lead to.
pub(super) const SIDES: [&str; 2] = ["v1", "v2"];

/// The root of one way. It goes when it is dropped: a file system has inodes for a few at a time.
pub(super) struct Ground {
    pub(super) dir: PathBuf,
    links: usize,
}

impl Ground {
    pub(super) fn new(dir: PathBuf, links: usize) -> Result<Ground> {
        let ground = Ground { dir, links };
        for side in SIDES {
            let mut last = PathBuf::new();
            for name in ground.names() {
                let file = ground.dir.join("src").join(side).join(name);
                if file.parent() != Some(&*last) {
                    last = file.parent().map(Path::to_path_buf).unwrap_or_default();
                    fs::create_dir_all(&last)?;
                }
                fs::write(file, "")?;
            }
        }
        fs::create_dir(ground.dir.join("out"))?;
        ground.declare(SIDES[0])?;
        Ok(ground)
    }

    /// Every file, below its side, and every link, below `out`.
    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        (0..self.links).map(|number| format!("d{:03}/file-{number:06}", number / IN_ONE))
    }

    /// The directories that the files are in.
    pub(super) fn dirs(&self) -> impl Iterator<Item = String> {
        (0..self.links.div_ceil(IN_ONE)).map(|number| format!("d{number:03}"))
    }

    pub(super) fn manifest(&self, side: &str) -> String {
        let mut text = format!("version = 1\nname = \"bench\"\nsource = \"src\"\n[vars]\nside = \"{side}\"\n[links]\n");
        for name in self.names() {
            let _never_fails = writeln!(text, "\"out/{name}\" = \"{{side}}/{name}\"");
        }
        text
    }

    pub(super) fn declare(&self, side: &str) -> Result<()> {
        Ok(fs::write(self.dir.join("caplink.toml"), self.manifest(side))?)
    }

    pub(super) fn root(&self) -> Result<Root> {
        Ok(Root::open_ambient(&self.dir, Policy::default(), ambient_authority())?)
    }

    /// How many of the links lead to a side, or are there at all.
    pub(super) fn leading_to(&self, side: &str) -> (usize, usize) {
        let (mut to_it, mut there) = (0, 0);
        for name in self.names() {
            if let Ok(text) = fs::read_link(self.dir.join("out").join(&name)) {
                there += 1;
                to_it += usize::from(text.ends_with(Path::new(side).join(&name)));
            }
        }
        (to_it, there)
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.dir);
    }
}

pub(super) fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}
