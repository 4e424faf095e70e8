//! How a transfer between two slots is taken back, decided from what is at both now. Pure.
//!
//! A transfer moves one entry from *there* to *here*, another from *here* to *there*, or both. Other programs can
//! take either name at any moment. What they put somewhere stays where it is; what then cannot go back is kept where it
//! is and reported. Each step is decided anew from a new look, so that no step depends on what an earlier one met.

/// What is at a slot now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    Nothing,
    /// What was there before the transfer.
    Home,
    /// What the transfer brought there.
    Brought,
    /// Something else: another program put it there, or a later step moved it there.
    Foreign,
    /// It cannot be looked at.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Here,
    There,
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Exchange what is at both slots.
    Exchange,
    /// Move what is at this side to the other, where nothing is.
    Return(Side),
    /// Rename what is there over what is here: the host cannot exchange.
    Overwrite,
    /// Nothing more can or need be done.
    Stop,
}

/// The next step where *there* is a slot of this edit: a staged name, or the name of a backup.
///
/// What is foreign *there* was brought by the step before, and goes back.
pub(super) fn next(here: At, there: At, can_exchange: bool) -> Step {
    use At::{Brought, Foreign, Home, Nothing, Unknown};
    match (here, there) {
        (Unknown, _) | (_, Unknown | Nothing | Home) => Step::Stop,
        (Brought, Brought) if !can_exchange => Step::Overwrite,
        (Brought, Brought) => Step::Exchange,
        (Nothing, Brought | Foreign) => Step::Return(Side::There),
        (Home | Brought, Foreign) if can_exchange => Step::Exchange,
        (Home | Foreign, Brought) | (Home | Brought | Foreign, Foreign) => Step::Stop,
    }
}

/// Whether the link's name is not as it was before the edit, because of the edit.
pub(super) fn is_changed(here: At, there: At) -> bool {
    matches!((here, there), (At::Brought | At::Unknown, _) | (At::Nothing, At::Brought | At::Unknown))
}

/// How an exchange of two links of others met another program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Met {
    /// It did not: both links were exchanged. What differs by now was put there later, and stays.
    Nobody,
    /// Something else was exchanged: another program took a name before the exchange or right after it.
    Then,
    /// Both links were exchanged, and then taken: if they are as the exchange left them, others exchanged them again.
    Since,
}

/// The next step where both slots are names of others. `Home` and `Brought` are the two links.
pub(super) fn next_between(met: Met, here: At, there: At) -> Step {
    use At::{Brought, Nothing, Unknown};
    match (here, there) {
        (Unknown, _) | (_, Unknown) => Step::Stop,
        (Brought, Nothing) => Step::Return(Side::Here),
        (Nothing, Brought) => Step::Return(Side::There),
        (Nothing, _) | (_, Nothing) => Step::Stop,
        (Brought, Brought) if met != Met::Since => Step::Exchange,
        // Two links at home right after an exchange were exchanged by others before it, or after it.
        _ if met == Met::Then => Step::Exchange,
        _ => Step::Stop,
    }
}

/// The names that are reported where nothing more can be done: those at which something may be that others did not put
/// there.
pub(super) fn strays_between(met: Met, here: At, there: At) -> [bool; 2] {
    use At::{Brought, Foreign, Nothing, Unknown};
    match (here, there) {
        // Others exchanged them again.
        (Brought, Brought) if met == Met::Since => [false; 2],
        // Where the exchange met another program even a link at its own name need not be where others put it.
        _ if met == Met::Then => [here, there].map(|at| at != Nothing),
        (Unknown, _) | (_, Unknown) => [here, there].map(|at| matches!(at, Brought | Foreign | Unknown)),
        _ => [here, there].map(|at| at == Brought),
    }
}

#[cfg(test)]
mod tests {
    use super::At::{Brought, Foreign, Home, Nothing, Unknown};
    use super::*;

    const ALL: [At; 5] = [Nothing, Home, Brought, Foreign, Unknown];

    #[test]
    fn every_state_of_a_slot_of_this_edit_has_one_next_step() {
        let (back, over, stop) = (Step::Exchange, Step::Overwrite, Step::Stop);
        let home = Step::Return(Side::There);
        // A row for what is here, a column for what is there: Nothing, Home, Brought, Foreign, Unknown.
        let able = [
            (Nothing, [stop, stop, home, home, stop]),
            (Home, [stop, stop, stop, back, stop]),
            (Brought, [stop, stop, back, back, stop]),
            (Foreign, [stop, stop, stop, stop, stop]),
            (Unknown, [stop, stop, stop, stop, stop]),
        ];
        for (here, row) in able {
            for (there, step) in ALL.into_iter().zip(row) {
                assert_eq!(next(here, there, true), step, "{here:?}, {there:?}");
                let unable = match (here, there, step) {
                    (Brought, Brought, _) => over,
                    (_, _, Step::Exchange) => stop,
                    _ => step,
                };
                assert_eq!(next(here, there, false), unable, "{here:?}, {there:?}, without exchange");
            }
        }
    }

    #[test]
    fn every_state_of_two_names_of_others_has_one_next_step() {
        let (back, stop) = (Step::Exchange, Step::Stop);
        let (here_home, there_home) = (Step::Return(Side::Here), Step::Return(Side::There));
        let rows = |foreign: Step, both: Step| {
            [
                (Nothing, [stop, stop, there_home, stop, stop]),
                (Home, [stop, foreign, foreign, foreign, stop]),
                (Brought, [here_home, foreign, both, foreign, stop]),
                (Foreign, [stop, foreign, foreign, foreign, stop]),
                (Unknown, [stop, stop, stop, stop, stop]),
            ]
        };
        for (met, foreign, both) in [(Met::Nobody, stop, back), (Met::Then, back, back), (Met::Since, stop, stop)] {
            for (here, row) in rows(foreign, both) {
                for (there, step) in ALL.into_iter().zip(row) {
                    assert_eq!(next_between(met, here, there), step, "{met:?}: {here:?}, {there:?}");
                }
            }
        }
    }

    #[test]
    fn no_step_is_taken_towards_what_cannot_be_looked_at() {
        for met in [Met::Nobody, Met::Then, Met::Since] {
            for at in ALL {
                assert_eq!(next_between(met, Unknown, at), Step::Stop);
                assert_eq!(next_between(met, at, Unknown), Step::Stop);
            }
        }
    }

    /// Every sequence of steps ends, however little others do.
    #[test]
    fn a_transfer_that_nobody_else_meets_is_back_after_one_step() {
        let after = |here: At, there: At, step: Step| match step {
            Step::Exchange => (turned(there), turned(here)),
            Step::Overwrite => (turned(there), Nothing),
            Step::Return(Side::There) => (turned(there), Nothing),
            Step::Return(Side::Here) => (Nothing, turned(here)),
            Step::Stop => (here, there),
        };
        for (here, there) in [(Brought, Brought), (Nothing, Brought)] {
            for able in [true, false] {
                let (here, there) = after(here, there, next(here, there, able));
                assert_eq!((here, next(here, there, able)), (Home, Step::Stop));
                assert!(!is_changed(here, there));
            }
        }
    }

    /// What was brought is at home on the other side, and the other way round.
    fn turned(at: At) -> At {
        match at {
            Brought => Home,
            Home => Brought,
            other => other,
        }
    }

    #[test]
    fn a_name_counts_as_changed_where_it_has_the_new_link_or_lost_the_old_one() {
        let changed = |here, there| is_changed(here, there);
        for there in ALL {
            assert!(changed(Brought, there) && changed(Unknown, there));
            assert!(!changed(Home, there) && !changed(Foreign, there));
        }
        assert_eq!(ALL.map(|there| changed(Nothing, there)), [false, false, true, false, true]);
    }

    #[test]
    fn a_link_at_the_name_of_the_other_is_reported_and_one_at_home_is_not() {
        assert_eq!(strays_between(Met::Nobody, Home, Home), [false, false]);
        assert_eq!(strays_between(Met::Nobody, Home, Brought), [false, true]);
        assert_eq!(strays_between(Met::Nobody, Foreign, Brought), [false, true]);
        assert_eq!(strays_between(Met::Nobody, Foreign, Unknown), [true, true]);
        assert_eq!(strays_between(Met::Then, Home, Foreign), [true, true]);
        assert_eq!(strays_between(Met::Then, Nothing, Foreign), [false, true]);
        assert_eq!(strays_between(Met::Since, Brought, Brought), [false, false]);
    }
}
