//! Which mutations of the log are asked for.

use std::collections::VecDeque;
use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

use super::mutation::Mutation;
use super::time::Time;
use crate::error::{Error, Kind, Result};

/// Which mutations are asked for: all, unless something is said.
#[derive(Clone, Debug, Default)]
pub struct Query {
    links: Vec<GlobMatcher>,
    since: Option<Time>,
    until: Option<Time>,
    group: Option<String>,
    outcome: Option<String>,
    limit: Option<usize>,
}

impl Query {
    /// Asks for mutations of links that one of these patterns fits: `*` stops at `/`, `**` does not. Either link of an
    /// exchange counts.
    ///
    /// # Errors
    ///
    /// `usage` if the pattern makes no sense.
    pub fn link(mut self, glob: &str) -> Result<Query> {
        let built = GlobBuilder::new(glob).literal_separator(true).backslash_escape(true).build();
        let glob = built.map_err(|error| {
            let reason = format!("`{glob}` is no pattern: {}", error.kind());
            Error::new(Kind::Usage).during("read the log").because(reason)
        })?;
        self.links.push(glob.compile_matcher());
        Ok(self)
    }

    /// Asks for mutations at this time or later.
    #[must_use]
    pub fn since(mut self, time: Time) -> Query {
        self.since = Some(time);
        self
    }

    /// Asks for mutations before this time.
    #[must_use]
    pub fn until(mut self, time: Time) -> Query {
        self.until = Some(time);
        self
    }

    /// Asks for the mutations of this group.
    #[must_use]
    pub fn group(mut self, id: impl Into<String>) -> Query {
        self.group = Some(id.into());
        self
    }

    /// Asks for mutations with this outcome.
    #[must_use]
    pub fn outcome(mut self, outcome: impl Into<String>) -> Query {
        self.outcome = Some(outcome.into());
        self
    }

    /// Asks for the newest so many.
    #[must_use]
    pub fn limit(mut self, newest: usize) -> Query {
        self.limit = Some(newest);
        self
    }

    /// Returns whether this mutation is one that is asked for, but for the limit.
    #[must_use]
    pub fn fits(&self, mutation: &Mutation) -> bool {
        self.since.is_none_or(|since| since <= mutation.time)
            && self.until.is_none_or(|until| mutation.time < until)
            && self.group.as_ref().is_none_or(|group| Some(group) == mutation.group.as_ref())
            && self.outcome.as_ref().is_none_or(|outcome| *outcome == mutation.outcome)
            && (self.links.is_empty()
                || [&mutation.link, &mutation.other].into_iter().flatten().any(|link| self.fits_link(link.as_path())))
    }

    /// Whether a link's path is one that is asked for.
    pub(super) fn fits_link(&self, link: &Path) -> bool {
        self.links.iter().any(|glob| glob.is_match(link))
    }

    /// Whether it is worth to look up what is meant rather than to read all.
    pub(super) fn is_narrow(&self) -> bool {
        self.names_links() || self.group.is_some() || self.limit.is_some()
    }

    /// The links that are asked for, where each pattern is a name as it is written.
    pub(super) fn plain_links(&self) -> Option<Vec<&str>> {
        let plain = |glob: &GlobMatcher| !glob.glob().glob().contains(['*', '?', '[', ']', '{', '}', '\\', '!']);
        self.links.iter().all(plain).then(|| self.links.iter().map(|glob| glob.glob().glob()).collect())
    }

    /// The group that is asked for.
    pub(super) fn wanted_group(&self) -> Option<&str> {
        self.group.as_deref()
    }

    /// How many are asked for.
    pub(super) fn newest(&self) -> Option<usize> {
        self.limit
    }

    /// Whether links are asked for at all.
    pub(super) fn names_links(&self) -> bool {
        !self.links.is_empty()
    }
}

/// Keeps the newest of what is found, or hands it on at once.
pub(super) struct Newest<'a> {
    query: &'a Query,
    kept: VecDeque<Mutation>,
    visit: &'a mut dyn FnMut(Mutation) -> bool,
    wanted: bool,
}

impl<'a> Newest<'a> {
    pub(super) fn new(query: &'a Query, visit: &'a mut dyn FnMut(Mutation) -> bool) -> Newest<'a> {
        Newest { query, kept: VecDeque::new(), visit, wanted: true }
    }

    pub(super) fn found(&mut self, mutation: Mutation) {
        if !self.query.fits(&mutation) || !self.wanted {
            return;
        }
        match self.query.limit {
            None => self.wanted = (self.visit)(mutation),
            Some(limit) => {
                self.kept.push_back(mutation);
                if self.kept.len() > limit {
                    self.kept.pop_front();
                }
            }
        }
    }

    /// Whether there is anybody who wants more.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted
    }

    pub(super) fn finish(self) {
        for mutation in self.kept {
            if !(self.visit)(mutation) {
                break;
            }
        }
    }
}
