//! The paths that where a link leads hangs on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::model::{Finding, Spelling, Start, Status};
use crate::resolve::{Hop, WalkOptions, walk};
use crate::root::Root;

/// How many ways of one link are kept. It takes a text that is made for it to have more; the look at everything covers those.
const WAYS_MAX: usize = 64;

/// The paths whose coming or going, or that of a directory above them, changes where the link leads.
pub(super) fn ways(root: &Root, finding: &Finding) -> Vec<Arc<Path>> {
    let Some(text) = &finding.target else { return Vec::new() };
    let from = finding.link.parent().unwrap_or(Path::new(""));
    let spelling = Spelling::new(text);
    if finding.hops == 1 && finding.status != Status::Loop {
        match spelling.start(from, root.anchor()) {
            Start::Plain(path) => return vec![path.into()],
            Start::Outside | Start::Climbs(_) => return Vec::new(),
            Start::Winding | Start::Absolute(_) => {}
        }
    }
    let going = WalkOptions { cross: root.policy().cross_mounts, remember: true, ..WalkOptions::default() };
    let hops = walk(root, Path::new(""), finding.link.as_os_str(), going).hops;
    let mut ways: Vec<Arc<Path>> = turns(&hops).map(|hop| Arc::from(&*hop.at)).collect();
    if finding.status != Status::Ok {
        ways.extend(hops.last().and_then(|last| misses(root, last)).map(Arc::from));
    }
    ways.sort_unstable();
    ways.dedup();
    ways.truncate(WAYS_MAX);
    ways
}

/// The components behind which the walk does not go on below them, but for the link itself.
fn turns(hops: &[Hop]) -> impl Iterator<Item = &Hop> {
    let ends = |index: usize, hop: &Hop| hops.get(index + 1).is_none_or(|next| !next.at.starts_with(&hop.at));
    hops.iter().enumerate().filter(move |(index, hop)| ends(*index, hop)).map(|(_, hop)| hop)
}

/// Where the text of the last link that was met leads, or begins, if the walk stopped there.
fn misses(root: &Root, last: &Hop) -> Option<PathBuf> {
    let text = last.target.as_ref()?;
    let dir = last.at.parent().unwrap_or(Path::new(""));
    match Spelling::new(text).start(dir, root.anchor()) {
        Start::Plain(path) | Start::Absolute(path) => Some(path),
        Start::Winding => Some(dir.to_path_buf()),
        Start::Outside | Start::Climbs(_) => None,
    }
}
