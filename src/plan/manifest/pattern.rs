//! Globs, compiled once for as many paths or texts as there are.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Globs of which one has to match. Matching takes time that grows with the length of what is matched, never faster.
#[derive(Clone)]
pub struct Pattern {
    globs: Arc<[Box<str>]>,
    set: Arc<GlobSet>,
}

/// What a `*` goes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Star {
    /// It stays within a component; `**` does not. For paths.
    Component,
    /// Anything. For the texts of links and for names.
    All,
}

/// The longest glob, in bytes.
const GLOB_MAX: usize = 1024;

impl Pattern {
    /// Compiles the globs; on failure returns which one it is, from 0, and why.
    pub(crate) fn new(globs: &[&str], star: Star) -> Result<Pattern, (usize, String)> {
        let mut set = GlobSetBuilder::new();
        for (index, glob) in globs.iter().enumerate() {
            if glob.is_empty() || glob.len() > GLOB_MAX {
                return Err((index, format!("a glob has 1 to {GLOB_MAX} bytes, this one has {}", glob.len())));
            }
            let built =
                GlobBuilder::new(glob).literal_separator(star == Star::Component).backslash_escape(true).build();
            set.add(built.map_err(|error| (index, format!("it is no glob: {}", error.kind())))?);
        }
        // What is too large as a whole is told at the first.
        let set = set.build().map_err(|error| (0, format!("the globs cannot be used: {}", error.kind())))?;
        Ok(Pattern { globs: globs.iter().map(|glob| (*glob).into()).collect(), set: Arc::new(set) })
    }

    /// Returns whether one of the globs matches, whole.
    pub fn matches(&self, text: impl AsRef<OsStr>) -> bool {
        self.set.is_match(Path::new(text.as_ref()))
    }

    /// Returns the globs.
    pub fn globs(&self) -> impl Iterator<Item = &str> {
        self.globs.iter().map(|glob| &**glob)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.globs == other.globs
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.globs.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn matches(glob: &str, star: Star, text: &str) -> bool {
        Pattern::new(&[glob], star).unwrap().matches(text)
    }

    #[test]
    fn a_star_stays_within_a_component_of_a_path_and_goes_over_all_of_a_text() {
        for (glob, text, path, whole) in [
            ("*/dotfiles/*", "/home/me/dotfiles/vim/rc", false, true),
            ("packages/*", "packages/a/b", false, true),
            ("packages/**", "packages/a/b", true, true),
            ("README*", "README.md", true, true),
            ("README*", "doc/README.md", false, false),
            ("**/*.md", "README.md", true, true),
            ("**/*.md", "a/b/x.md", true, true),
            ("{a,b}?", "b/", false, true),
        ] {
            assert_eq!(matches(glob, Star::Component, text), path, "{glob} on the path {text}");
            assert_eq!(matches(glob, Star::All, text), whole, "{glob} on the text {text}");
        }
    }

    #[test]
    fn a_glob_that_cannot_be_read_is_told_by_its_number() {
        for bad in ["", "[", "{a", "a\\", &"x".repeat(GLOB_MAX + 1), &format!("a{}", "{b,".repeat(300))] {
            assert_eq!(Pattern::new(&["fine", bad], Star::Component).unwrap_err().0, 1, "{bad}");
        }
    }

    #[test]
    fn no_glob_takes_time_that_explodes() {
        let text = "a".repeat(4000);
        for glob in ["*a".repeat(500) + "b", "{a,aa}".repeat(170), "**/".repeat(300) + "x", "[a-z]*".repeat(170) + "!"]
        {
            let start = Instant::now();
            let pattern = Pattern::new(&[&glob], Star::All).unwrap();
            assert!(!pattern.matches(format!("{text}c/")), "{}", &glob[..10]);
            // Exponential ones would take longer than the universe has been there.
            assert!(start.elapsed().as_secs() < 20, "{}: {:?}", &glob[..10], start.elapsed());
        }
    }
}
