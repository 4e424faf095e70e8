//! What comes in between an exchange of two links.

use super::*;

fn exchange(root: &Root) -> Result<Outcome, Error> {
    root.exchange("q/p/l", "q/r/m")
}

fn across() -> Scenario {
    Scenario::new(Verb::ExchangeAcross, Layout::Private)
}

#[test]
fn what_came_while_the_locks_were_waited_for_is_looked_at_first() {
    const MOMENTS: &[Moment] = &[Moment(&[Call::Pin], &[Action::NameLinkOther], None)];
    let came = Came::of(across(), MOMENTS, exchange);
    assert_eq!((came.count(Call::Exchange), came.at("l").as_str()), (1, NEW));
    assert_eq!(came.answer.unwrap().counterpart.unwrap().target.as_deref(), Some(OsStr::new("../t3")));
}

#[test]
fn a_link_that_goes_by_itself_is_missing() {
    const MOMENTS: &[Moment] = &[Moment(&[Call::Exchange], &[Action::NameRemoved], None)];
    let error = Came::of(across(), MOMENTS, exchange).error();
    assert_eq!((error.kind(), error.found()), (Kind::NotFound, Some(&Found::Missing)));
}

#[test]
fn a_refusal_names_the_link_whose_directory_was_moved() {
    const REFUSED: &[Moment] = &[Moment(&[Call::Exchange], &[], Some(Errno::ACCESS))];
    const MOVED: &[Moment] = &[Moment(&[Call::Exchange], &[Action::SecondParentMovedInside], Some(Errno::ACCESS))];
    for (moments, kind, link) in [(REFUSED, Kind::Permission, "q/p/l"), (MOVED, Kind::ParentMoved, "q/r/m")] {
        let error = Came::of(across(), moments, exchange).error();
        assert_eq!((error.kind(), error.link()), (kind, Some(Path::new(link))));
    }
}

#[test]
fn an_exchange_that_was_refused_once_is_made_where_the_host_can_exchange() {
    const MOMENTS: &[Moment] = &[Moment(&[Call::Exchange], &[], Some(Errno::INVAL))];
    let came = Came::of(across(), MOMENTS, exchange);
    assert_eq!(came.at("l"), NEW);
    assert!(came.answer.unwrap().each().all(|outcome| outcome.effect == Effect::Exchanged));
}
