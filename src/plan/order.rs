//! In which order the edits of a repair are carried out, and which are tried again. Pure.
//!
//! A link that leads over another comes before that one, whose repair would repair both: more hops first. A text that is
//! refused for where it leads is tried again while others change: it may lead over a link that is yet to be repaired.

use std::cmp::Reverse;
use std::collections::BTreeMap;

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

/// What is to become of the steps that were refused for where they lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// They are tried again in the next round.
    Again,
    /// They are refused to the end.
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

    /// Whether a step that came to an error of this kind may come to something else after others were changed.
    pub(crate) fn may_come_to_else(kind: Kind) -> bool {
        matches!(kind, Kind::Dangling | Kind::Escape | Kind::Loop)
    }

    /// Ends a round; `changed` says whether any link was.
    pub(crate) fn end(&mut self, changed: bool) -> Next {
        self.round += 1;
        if self.round == ROUNDS_MAX || !changed { Next::Refused } else { Next::Again }
    }
}

/// Hands over what steps came to in the order of their places, each as soon as it is known of all before it: what waits
/// is little where they are carried out in that order.
#[derive(Debug)]
pub(crate) struct InOrder<T> {
    next: usize,
    waiting: BTreeMap<usize, Option<T>>,
}

impl<T> InOrder<T> {
    pub(crate) fn new() -> InOrder<T> {
        InOrder { next: 0, waiting: BTreeMap::new() }
    }

    /// Adds what the step of this place came to, or that nothing is to be said of it; each place once.
    pub(crate) fn add(&mut self, place: usize, came: Option<T>, mut each: impl FnMut(T)) {
        self.waiting.insert(place, came);
        while let Some(came) = self.waiting.remove(&self.next) {
            self.next += 1;
            came.into_iter().for_each(&mut each);
        }
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
        assert!([Kind::Dangling, Kind::Escape, Kind::Loop].into_iter().all(Rounds::may_come_to_else));
        assert!(!Rounds::may_come_to_else(Kind::Mismatch));
        let mut rounds = Rounds::new();
        assert_eq!((rounds.end(true), rounds.end(false)), (Next::Again, Next::Refused));
        let mut rounds = Rounds::new();
        let tried = (1..).take_while(|_| rounds.end(true) == Next::Again).count();
        assert_eq!(tried, ROUNDS_MAX - 1, "there is an end, whatever others change");
    }

    #[test]
    fn what_steps_came_to_is_handed_over_in_their_order_and_at_once() {
        let (mut order, mut handed) = (InOrder::new(), Vec::new());
        for (place, came, so_far) in [
            (1, Some("b"), &[][..]),
            (0, Some("a"), &["a", "b"]),
            (3, Some("d"), &["a", "b"]),
            (2, None, &["a", "b", "d"]),
            (4, Some("e"), &["a", "b", "d", "e"]),
        ] {
            order.add(place, came, |came| handed.push(came));
            assert_eq!(handed, so_far);
        }
        assert!(order.waiting.is_empty());
    }
}
