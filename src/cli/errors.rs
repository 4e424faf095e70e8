//! The errors of a run: the first of them, and a count of the others.
//!
//! Whoever owns a tree can make as many errors as it has directories, and each as long as it is deep.

use std::ops::Deref;

use caplink::Kind;

use super::exit::Class;
use super::problem::Problem;

/// How many errors are listed, and how long they are together, in bytes. The first is listed however long it is.
const LISTED_MAX: usize = 1000;
const LISTED_BYTES: usize = 4 << 20;

/// The errors of a run.
#[derive(Default)]
pub(crate) struct Errors {
    listed: Vec<Problem>,
    bytes: usize,
    unlisted: u64,
    /// The class of those that are not listed.
    class: Option<Class>,
}

impl Errors {
    /// Whether one more is not listed, so that it need not be put into words.
    pub(crate) fn is_full(&self) -> bool {
        self.unlisted > 0 || self.listed.len() >= LISTED_MAX
    }

    /// Counts an error that is not listed.
    pub(crate) fn count(&mut self, kind: Kind) {
        self.unlisted += 1;
        let class = Class::of(kind);
        self.class = Some(self.class.map_or(class, |before| before.and(class)));
    }

    pub(crate) fn push(&mut self, problem: Problem) {
        if self.is_full() {
            return self.count(problem.reported.kind);
        }
        self.bytes = self.bytes.saturating_add(problem.bytes());
        if self.bytes <= LISTED_BYTES || self.listed.is_empty() {
            self.listed.push(problem);
        } else {
            self.count(problem.reported.kind);
        }
    }

    pub(crate) fn last_mut(&mut self) -> Option<&mut Problem> {
        if self.unlisted == 0 { self.listed.last_mut() } else { None }
    }

    /// Says of the errors from this one on that they are about a line of the input.
    pub(crate) fn at_line(&mut self, from: usize, line: u64) {
        for problem in self.listed.iter_mut().skip(from) {
            problem.reported.line = Some(line);
        }
    }

    /// How many more there were than are listed.
    pub(crate) fn unlisted(&self) -> u64 {
        self.unlisted
    }

    /// The class of all of them.
    pub(crate) fn class(&self) -> Class {
        let listed = Class::of_all(self.listed.iter().map(|problem| problem.reported.kind));
        self.class.map_or(listed, |unlisted| listed.and(unlisted))
    }
}

/// Those that are listed.
impl Deref for Errors {
    type Target = [Problem];

    fn deref(&self) -> &[Problem] {
        &self.listed
    }
}

impl Extend<Problem> for Errors {
    fn extend<I: IntoIterator<Item = Problem>>(&mut self, problems: I) {
        problems.into_iter().for_each(|problem| self.push(problem));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_beyond_the_first_thousand_are_counted_and_decide_all_the_same() {
        let mut errors = Errors::default();
        errors.extend((0..LISTED_MAX).map(|number| Problem::new(Kind::NotFound, number.to_string())));
        assert_eq!((errors.len(), errors.unlisted(), errors.class()), (1000, 0, Class::NotThere));
        errors.push(Problem::new(Kind::Io, "the disk"));
        assert_eq!((errors.len(), errors.unlisted(), errors.class()), (1000, 1, Class::System));
    }

    #[test]
    fn long_errors_are_bounded_together_and_the_first_is_there() {
        let mut errors = Errors::default();
        let long = || Problem::new(Kind::TooLong, "x".repeat(LISTED_BYTES));
        errors.extend([long(), long()]);
        errors.push(Problem::new(Kind::Io, "short"));
        assert_eq!((errors.len(), errors.unlisted(), errors.class()), (1, 2, Class::System));
    }
}
