//! The globs of a manifest, each list compiled once.

use std::collections::HashMap;
use std::path::{Component, Path};

use crate::plan::{Pattern, Star};

/// How many different lists of globs, and how many globs in them, a manifest may have: each takes some kilobytes.
const LISTS_MAX: usize = 1000;
const GLOBS_MAX: usize = 4000;

/// What was compiled so far.
#[derive(Default)]
pub(super) struct Globs {
    known: HashMap<(Star, Vec<String>), Pattern>,
    count: usize,
}

impl Globs {
    /// Compiles a list; on failure returns which one of it is at fault, and why.
    pub(super) fn compile(&mut self, globs: &[&str], star: Star) -> Result<Pattern, (usize, String)> {
        let mut list = Vec::with_capacity(globs.len());
        for (index, glob) in globs.iter().enumerate() {
            list.push(
                if star == Star::Component { on_paths(glob).map_err(|why| (index, why))? } else { glob }.to_owned(),
            );
        }
        let key = (star, list);
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        self.count += globs.len();
        if self.known.len() == LISTS_MAX || self.count > GLOBS_MAX {
            let reason = format!("a manifest has at most {LISTS_MAX} different lists of {GLOBS_MAX} globs together");
            return Err((0, reason));
        }
        let texts: Vec<&str> = key.1.iter().map(String::as_str).collect();
        let pattern = Pattern::new(&texts, star)?;
        self.known.insert(key, pattern.clone());
        Ok(pattern)
    }
}

/// A glob as paths below the root are spelled: `./a/` is `a`.
pub(super) fn on_paths(glob: &str) -> Result<&str, String> {
    let mut plain = glob;
    while let Some(rest) = plain.strip_prefix("./") {
        plain = rest.trim_start_matches('/');
    }
    let plain = plain.trim_end_matches('/');
    if glob.starts_with('/') {
        return Err("a glob is on paths below the root and does not begin with `/`".to_owned());
    }
    if plain.is_empty() || plain == "." {
        return Err("a glob is on paths below a directory, which `.` is not".to_owned());
    }
    if Path::new(plain).components().any(|component| component == Component::ParentDir) {
        return Err("no path below the root has a `..`".to_owned());
    }
    Ok(plain)
}
