//! What a host can give, tried out.

use super::*;

fn try_out(exchange: bool, no_replace: bool, moments: &'static [Moment]) -> Came<Trial> {
    let scenario = Scenario { exchange, no_replace, ..Scenario::new(Verb::Create, Layout::Private) };
    Came::of(scenario, moments, Root::try_out)
}

#[test]
fn what_the_host_gives_is_reported_and_nothing_is_left() {
    for (exchange, no_replace) in [(true, true), (true, false), (false, true), (false, false)] {
        let came = try_out(exchange, no_replace, &[]);
        let before = came.scene.tree.entries(came.scene.places.base).len();
        assert_eq!(came.tree.entries(came.scene.places.base).len(), before);
        let trial = came.answer.unwrap();
        assert_eq!((trial.exchange, trial.no_replace), (exchange, no_replace));
    }
}

#[test]
fn a_failure_is_not_taken_for_what_the_host_cannot_give() {
    const EXCHANGE: &[Moment] = &[Moment(&[Call::Exchange], &[], Some(Errno::IO))];
    const RENAME: &[Moment] = &[Moment(&[Call::RenameNew], &[], Some(Errno::NOSPC))];
    for (moments, kind) in [(EXCHANGE, Kind::Io), (RENAME, Kind::NoSpace)] {
        let came = try_out(true, true, moments);
        let before = came.scene.tree.entries(came.scene.places.base).len();
        assert_eq!(came.tree.entries(came.scene.places.base).len(), before);
        assert_eq!(came.error().kind(), kind);
    }
}
