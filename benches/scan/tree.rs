//! The tree that is scanned.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, openat, symlinkat};

use crate::Result;

/// Entries of one directory with files: of each hundred ten are links.
const WIDTH: usize = 100;

/// Such directories in one directory above.
const FAN: usize = 100;

/// What a scan of the tree must come to. A chain is counted apart from the others that lead to something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) entries: u64,
    pub(super) ok: u64,
    pub(super) dangling: u64,
    pub(super) escape: u64,
    pub(super) chain: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Grown {
    pub(super) dir: PathBuf,
    pub(super) counts: Counts,
}

/// Makes a tree of about this many entries below `place`.
pub(super) fn grow(place: &Path, entries: usize) -> Result<Grown> {
    let dir = place.join(format!("tree-{entries}"));
    std::fs::create_dir(&dir)?;
    let mut counts = Counts::default();
    let mut links = 0;
    let leaves = entries / (WIDTH + 1);
    for top in 0..leaves.div_ceil(FAN) {
        std::fs::create_dir(dir.join(format!("top-{top}")))?;
        counts.entries += 1;
        for leaf in (top * FAN..leaves).take(FAN) {
            let path = dir.join(format!("top-{top}/leaf-{leaf}"));
            std::fs::create_dir(&path)?;
            counts.entries += 1;
            fill(&std::fs::File::open(&path)?.into(), leaf, top * FAN, &mut links, &mut counts)?;
        }
    }
    Ok(Grown { dir, counts })
}

/// Files and links: of each hundred links 90 lead to a file, half of them beside it, 5 to nothing, 3 outside, 2 over the
/// first link of their directory.
fn fill(leaf: &OwnedFd, index: usize, first: usize, links: &mut usize, counts: &mut Counts) -> Result<()> {
    for file in 0..WIDTH - 10 {
        let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
        drop(openat(leaf, format!("file-{file}.txt"), flags, Mode::RUSR | Mode::WUSR)?);
    }
    for link in 0..10 {
        let (text, count) = match *links % 100 {
            81..=85 => (format!("missing-{index}"), &mut counts.dangling),
            91 => ("/etc/passwd".to_owned(), &mut counts.escape),
            92 | 93 => ("../../../../outside".to_owned(), &mut counts.escape),
            95 | 96 => ("link-0".to_owned(), &mut counts.chain),
            even if even % 2 == 0 => (format!("file-{link}.txt"), &mut counts.ok),
            _ => (format!("../leaf-{first}/file-{link}.txt"), &mut counts.ok),
        };
        *count += 1;
        symlinkat(&*text, leaf, format!("link-{link}"))?;
        *links += 1;
    }
    counts.entries += WIDTH as u64;
    Ok(())
}
