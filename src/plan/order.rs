//! In which order the edits of a repair are carried out, and which are tried again. Pure.
//!
//! A link that leads over another comes before that one, whose repair would repair both: more hops first. A text that is
//! refused for where it leads is tried again while others change: it may lead over a link that is yet to be repaired.

use std::cmp::Reverse;

use crate::error::Kind;
use crate::model::Edit;

/// How often what is refused is tried again: no way leads over more links.
const ROUNDS_MAX: usize = 40;

/// An edit of a repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) edit: Edit,
    /// How many links the link leads over.
    pub(crate) hops: usize,
    /// The link follows something that was moved; where nothing is there it is left alone.
    pub(crate) follows: bool,
}

impl Step {
    /// How much memory it takes, about.
    pub(crate) fn bytes(&self) -> usize {
        let link = self.edit.path.as_path().as_os_str().len();
        let new = self.edit.change.link().map_or(0, |link| link.target.as_os_str().len());
        let expected = self.edit.change.expected_text().map_or(0, std::ffi::OsStr::len);
        256 + link + 2 * (new + expected)
    }
}

/// What is to become of a step that was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Its result is reported.
    Report,
    /// It is tried again in the next round.
    Again,
    /// It was refused for where it leads to the end.
    Refused,
}

/// The rounds of a repair.
#[derive(Debug)]
pub(crate) struct Rounds {
    round: usize,
}

impl Rounds {
    pub(crate) fn new() -> Rounds {
        Rounds { round: 0 }
    }

    /// Puts steps in the order in which they are carried out; each keeps its place.
    pub(crate) fn order(steps: Vec<Step>) -> Vec<(usize, Step)> {
        let mut ordered: Vec<(usize, Step)> = steps.into_iter().enumerate().collect();
        ordered.sort_by_key(|(_, step)| Reverse(step.hops));
        ordered
    }

    /// Ends a round in which each step came to an error of this kind, or to none; `changed` says whether any link was.
    pub(crate) fn end(&mut self, came: &[Option<Kind>], changed: bool) -> Vec<Next> {
        self.round += 1;
        let is_last = self.round == ROUNDS_MAX || !changed;
        let next = |kind: &Option<Kind>| match kind {
            Some(Kind::Dangling | Kind::Escape | Kind::Loop) if is_last => Next::Refused,
            Some(Kind::Dangling | Kind::Escape | Kind::Loop) => Next::Again,
            _ => Next::Report,
        };
        came.iter().map(next).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::LinkPath;

    fn step(link: &str, hops: usize) -> Step {
        Step { edit: Edit::remove(LinkPath::new(link).unwrap()).into(), hops, follows: false }
    }

    #[test]
    fn a_link_that_leads_over_others_comes_before_them() {
        let ordered = Rounds::order(vec![step("a", 1), step("b", 3), step("c", 1), step("d", 2)]);
        let order: Vec<_> = ordered.iter().map(|(place, step)| (*place, step.edit.path.to_string())).collect();
        assert_eq!(order, [(1, "b"), (3, "d"), (0, "a"), (2, "c")].map(|(place, link)| (place, link.to_owned())));
    }

    #[test]
    fn what_is_refused_for_where_it_leads_is_tried_again_while_others_change() {
        let came = [None, Some(Kind::Dangling), Some(Kind::Mismatch)];
        let mut rounds = Rounds::new();
        assert_eq!(rounds.end(&came, true), [Next::Report, Next::Again, Next::Report]);
        assert_eq!(rounds.end(&came, false), [Next::Report, Next::Refused, Next::Report]);
        let mut rounds = Rounds::new();
        let tried = (1..).take_while(|_| rounds.end(&[Some(Kind::Loop)], true) == [Next::Again]).count();
        assert_eq!(tried, ROUNDS_MAX - 1, "there is an end, whatever others change");
    }
}
