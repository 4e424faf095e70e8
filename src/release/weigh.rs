//! How many bytes the removal of a directory tree would give back.
//!
//! As the removal does, it goes down by descriptors, across no link and no mount, and keeps nothing but what is open.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use super::take_down::bytes;
use crate::error::FileKind;
use crate::root::Root;
use crate::sys::{self, Access, Fault, Handle};

/// Directories that are open at once. What lies deeper is not weighed.
const DEPTH_MAX: usize = 64;

/// Returns how many bytes the files below a directory have that have no other name; `None` where that cannot be known.
pub(super) fn weigh(root: &Root, dir: &Handle) -> Option<u64> {
    below(root, dir, 0).ok()
}

fn below(root: &Root, dir: &Handle, depth: usize) -> io::Result<u64> {
    if depth >= DEPTH_MAX {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let calls = root.calls();
    let (mut sum, mut failed) = (0, None);
    calls.list(dir, &mut |listed| {
        let weighed = match listed.kind {
            Some(FileKind::File) | None => {
                calls.stat_at(dir, listed.name).map(|stat| Some(stat).filter(|s| s.kind != FileKind::Dir))
            }
            Some(FileKind::Dir) => Ok(None),
            Some(_) => return ControlFlow::Continue(()),
        };
        let weighed = weighed.and_then(|file| match file {
            Some(stat) => Ok(bytes(&stat)),
            None => calls
                .open_dir(dir, Path::new(listed.name), false, Access::Read)
                .and_then(|dir| below(root, &dir, depth + 1)),
        });
        match weighed {
            Ok(bytes) => sum += bytes,
            // It went meanwhile, or is left by the removal.
            Err(source) if matches!(sys::fault(&source), Fault::Missing | Fault::Link | Fault::Crossing) => {}
            Err(source) => failed = Some(source),
        }
        if failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    failed.map_or(Ok(sum), Err)
}
