//! An exchange of two links that others interfere with, and its undoing.
//!
//! Both names are looked at after the exchange, and again before they are exchanged back.

use super::*;

fn exchange(moments: &'static [Moment]) -> Came<Outcome> {
    let scenario = Scenario::new(Verb::ExchangeAcross, Layout::Private);
    Came::of(scenario, moments, |root| root.exchange("q/p/l", "q/r/m"))
}

#[test]
fn a_link_goes_back_to_the_name_that_others_emptied() {
    const MOMENTS: &[Moment] = &[Moment(&[Call::Exchange, Call::StatAt], &[Action::NameRemoved], None)];
    let came = exchange(MOMENTS);
    assert_eq!(came.at("l"), OLD);
    let error = came.error();
    assert_eq!((error.kind(), error.preserved().len()), (Kind::NotFound, 0), "the other one is gone");
}

#[test]
fn what_others_put_there_in_the_meantime_goes_on_and_is_reported() {
    const MOMENTS: &[Moment] = &[
        Moment(&[Call::Exchange, Call::StatAt], &[Action::NameRemoved], None),
        Moment(&[Call::RenameNew, Call::StatAt], &[Action::NameFile], None),
    ];
    let error = exchange(MOMENTS).error();
    assert_eq!(error.preserved(), [Path::new("q/r/m")]);
}

#[test]
fn nothing_of_others_is_moved_to_the_name_that_they_emptied() {
    const MOMENTS: &[Moment] =
        &[Moment(&[Call::Exchange, Call::StatAt], &[Action::NameRemoved, Action::SecondFile], None)];
    let came = exchange(MOMENTS);
    assert_eq!(came.count(Call::RenameNew), 0);
    assert_eq!(came.error().preserved(), [Path::new("q/r/m")]);
}

#[test]
fn where_a_name_is_emptied_before_it_is_exchanged_back_the_link_goes_home_alone() {
    const MOMENTS: &[Moment] = &[
        Moment(&[Call::Exchange, Call::StatAt], &[Action::NameLinkOther], None),
        Moment(&[Call::Exchange, Call::Exchange], &[Action::NameRemoved], None),
    ];
    assert_eq!(exchange(MOMENTS).at("l"), OLD);
}

#[test]
fn where_nothing_can_be_exchanged_back_both_names_are_reported() {
    const MOMENTS: &[Moment] = &[
        Moment(&[Call::Exchange, Call::StatAt], &[Action::NameLinkOther], None),
        Moment(&[Call::Exchange, Call::Exchange], &[], Some(Errno::IO)),
    ];
    let error = exchange(MOMENTS).error();
    assert_eq!(error.preserved(), [Path::new("q/p/l"), Path::new("q/r/m")]);
}

#[test]
fn what_others_put_at_the_names_after_a_right_exchange_is_theirs() {
    const ONE: &[Moment] = &[
        Moment(&[Call::ReachEntry], &[Action::ParentMovedInside], None),
        Moment(&[Call::ReachEntry, Call::StatAt], &[Action::NameFile, Action::SecondRemoved], None),
    ];
    const BOTH: &[Moment] = &[
        Moment(&[Call::ReachEntry], &[Action::ParentMovedInside], None),
        Moment(&[Call::ReachEntry, Call::StatAt], &[Action::NameFile, Action::SecondFile], None),
    ];
    for moments in [ONE, BOTH] {
        let error = exchange(moments).error();
        assert_eq!((error.kind(), error.preserved().len()), (Kind::ParentMoved, 0));
    }
}
