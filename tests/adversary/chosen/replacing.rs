//! What comes to a replacement, with and without an exchange, and to its syncing.

use super::*;

fn ensure(root: &Root) -> Result<Outcome, Error> {
    root.ensure("q/p/l", Target::relative("q/t2"))
}

fn without_exchange() -> Scenario {
    Scenario { exchange: false, ..Scenario::new(Verb::EnsureOld, Layout::Private) }
}

#[test]
fn what_came_while_the_lock_was_waited_for_is_not_exchanged() {
    const MOMENTS: &[Moment] = &[Moment(&[Call::ReadLink], &[Action::NameLinkOther], None)];
    let swap = |root: &Root| root.swap("q/p/l", Target::relative("q/t2"), OLD);
    let came = Came::of(Scenario::new(Verb::Swap, Layout::Open), MOMENTS, swap);
    assert_eq!((came.count(Call::Exchange), came.at("l").as_str()), (0, "../t3"));
    assert_eq!(came.error().kind(), Kind::Mismatch);
}

#[test]
fn without_exchange_the_old_link_comes_back_where_its_directory_was_moved() {
    const MOVED: &[Moment] = &[Moment(&[Call::ReachEntry], &[Action::ParentMovedInside], None)];
    const AND_GONE: &[Moment] = &[Moment(&[Call::ReachEntry], &[Action::NameRemoved, Action::ParentMovedInside], None)];
    for moments in [MOVED, AND_GONE] {
        let came = Came::of(without_exchange(), moments, ensure);
        assert_eq!(came.at("l"), OLD);
        let error = came.error();
        assert_eq!((error.kind(), error.left().len(), error.preserved().len()), (Kind::ParentMoved, 0, 0));
    }
}

#[test]
fn without_exchange_the_old_link_is_kept_where_others_have_the_name() {
    const MOMENTS: &[Moment] =
        &[Moment(&[Call::ReachEntry], &[Action::NameLinkOther, Action::ParentMovedInside], None)];
    let came = Came::of(without_exchange(), MOMENTS, ensure);
    assert_eq!(came.at("l"), "../t3");
    assert_eq!(came.error().preserved().len(), 1);
}

#[test]
fn without_exchange_and_second_names_what_cannot_be_looked_at_is_reported_as_left() {
    const MOMENTS: &[Moment] = &[
        Moment(&[Call::HardLink], &[], Some(Errno::PERM)),
        Moment(&[Call::ReachEntry], &[], Some(Errno::IO)),
        Moment(&[Call::ReachEntry, Call::StatAt], &[], Some(Errno::IO)),
    ];
    let came = Came::of(without_exchange(), MOMENTS, ensure);
    assert_eq!(came.at("l"), NEW);
    assert_eq!(came.error().left().len(), 1);
}

#[test]
fn a_second_name_of_a_link_that_came_in_between_is_removed() {
    const MOMENTS: &[Moment] = &[Moment(&[Call::HardLink], &[Action::NameLinkOther], None)];
    const AND_TAKEN: &[Moment] = &[
        Moment(&[Call::HardLink], &[Action::NameLinkOther], None),
        Moment(&[Call::Unlink, Call::StatAt], &[], Some(Errno::NOENT)),
    ];
    let came = Came::of(without_exchange(), MOMENTS, ensure);
    assert_eq!(came.answer.unwrap().previous.as_deref(), Some(OsStr::new("../t3")));
    assert_eq!(came.tree.entries(came.scene.places.p).len(), 2, "the link and what was there");
    let came = Came::of(without_exchange(), AND_TAKEN, ensure);
    assert_eq!(came.answer.unwrap().previous.as_deref(), Some(OsStr::new("../t3")));
}

#[test]
fn a_second_name_of_a_file_that_came_in_between_is_kept_and_reported() {
    const MOMENTS: &[Moment] = &[Moment(&[Call::HardLink], &[Action::NameFile], None)];
    let came = Came::of(without_exchange(), MOMENTS, ensure);
    assert_eq!(came.at("l"), "a regular file");
    assert_eq!(came.error().preserved().len(), 1);
}

#[test]
fn the_directory_that_was_changed_is_synced_wherever_it_is_by_then() {
    const MOMENTS: &[Moment] = &[Moment(&[Call::Unlink, Call::OpenDir], &[Action::ParentMovedInside], None)];
    let durably = |root: &Root| root.apply(&Edit::ensure(link(), Target::relative("q/t2")).durability(Durability::Dir));
    let came = Came::of(Scenario::new(Verb::EnsureOld, Layout::Private), MOMENTS, durably);
    assert_eq!(came.count(Call::SyncDir), 1);
    let outcome = came.answer.unwrap();
    assert_eq!((outcome.durability, outcome.shortfalls.len()), (Durability::Dir, 0));
}

#[test]
fn why_a_change_could_not_be_synced_is_reported_beside_it() {
    const FULL: &[Moment] = &[Moment(&[Call::SyncDir], &[], Some(Errno::NOSPC))];
    const READ_ONLY: &[Moment] = &[Moment(&[Call::SyncDir], &[], Some(Errno::ROFS))];
    const MISSING: &[Moment] = &[Moment(&[Call::Unlink, Call::OpenDir], &[], Some(Errno::NOENT))];
    for (moments, kind) in [(FULL, Kind::NoSpace), (READ_ONLY, Kind::ReadOnly), (MISSING, Kind::Io)] {
        let durably =
            |root: &Root| root.apply(&Edit::ensure(link(), Target::relative("q/t2")).durability(Durability::Dir));
        let came = Came::of(Scenario::new(Verb::EnsureOld, Layout::Private), moments, durably);
        let outcome = came.answer.unwrap();
        let kinds: Vec<Kind> = outcome.shortfalls.iter().map(Error::kind).collect();
        assert_eq!((outcome.effect, outcome.durability, kinds), (Effect::Replaced, Durability::None, vec![kind]));
    }
}

#[test]
fn a_private_directory_that_was_removed_while_it_was_empty_is_made_anew() {
    const MOMENTS: &[Moment] = &[Moment(&[Call::Symlink], &[Action::StagedRemoved], None)];
    let came = Came::of(Scenario::new(Verb::EnsureOld, Layout::NoState), MOMENTS, ensure);
    assert_eq!(came.at("l"), NEW);
    assert_eq!(came.answer.unwrap().effect, Effect::Replaced);
}

#[test]
fn an_old_link_that_is_gone_is_not_reported_as_left() {
    const MOMENTS: &[Moment] = &[Moment(&[Call::Unlink], &[], Some(Errno::NOENT))];
    let outcome = Came::of(Scenario::new(Verb::EnsureOld, Layout::Private), MOMENTS, ensure).answer.unwrap();
    assert_eq!(outcome.shortfalls.len(), 0);
}

#[test]
fn without_exchange_and_second_names_what_others_have_is_not_reported_as_left() {
    const MOMENTS: &[Moment] = &[
        Moment(&[Call::HardLink], &[], Some(Errno::PERM)),
        Moment(&[Call::ReachEntry], &[], Some(Errno::IO)),
        Moment(&[Call::ReachEntry, Call::StatAt], &[], Some(Errno::IO)),
        Moment(&[Call::ReachEntry, Call::StatAt, Call::StatAt], &[Action::NameLinkOther], None),
    ];
    let came = Came::of(without_exchange(), MOMENTS, ensure);
    assert_eq!(came.at("l"), "../t3");
    assert_eq!(came.error().left().len(), 0);
}

#[test]
fn an_old_link_goes_back_by_a_second_name_where_nobody_else_can_reach_it() {
    const MOMENTS: &[Moment] = &[
        Moment(&[Call::Exchange], &[Action::NameFile], None),
        Moment(&[Call::Exchange, Call::Exchange], &[Action::NameRemoved], None),
    ];
    for layout in [Layout::Private, Layout::Open] {
        let scenario = Scenario { no_replace: false, ..Scenario::new(Verb::EnsureOld, layout) };
        let came = Came::of(scenario, MOMENTS, ensure);
        assert_eq!((came.at("l").as_str(), came.error().kind()), ("a regular file", Kind::NotALink));
    }
}

#[test]
fn a_state_directory_that_its_last_holder_removed_meanwhile_is_made_anew() {
    const MOMENTS: &[Moment] = &[Moment(&[Call::StatAt], &[], Some(Errno::NOENT))];
    let came = Came::of(Scenario::new(Verb::EnsureOld, Layout::OpenRoot), MOMENTS, ensure);
    assert_eq!(came.at("l"), NEW);
    assert_eq!(came.answer.unwrap().effect, Effect::Replaced);
}

#[test]
fn what_cannot_be_looked_at_is_not_taken_for_somebody_elses() {
    const MOMENTS: &[Moment] = &[
        Moment(&[Call::ReachEntry], &[], Some(Errno::NOENT)),
        Moment(&[Call::ReachEntry, Call::Pin], &[], Some(Errno::IO)),
    ];
    let came = Came::of(Scenario::new(Verb::EnsureOld, Layout::Private), MOMENTS, ensure);
    assert_eq!((came.at("l").as_str(), came.error().kind()), (OLD, Kind::Io));
}

#[test]
fn two_programs_that_take_the_name_while_an_exchange_is_undone_keep_what_they_put() {
    const MOMENTS: &[Moment] = &[
        Moment(&[Call::Exchange], &[Action::NameFile], None),
        Moment(&[Call::Exchange, Call::Exchange], &[Action::NameRemoved], None),
        Moment(&[Call::RenameNew], &[Action::NameLinkOther], None),
    ];
    let came = Came::of(Scenario::new(Verb::EnsureOld, Layout::Private), MOMENTS, ensure);
    assert_eq!(came.at("l"), "../t3");
    assert_eq!(came.error().preserved().len(), 1, "the file");
}

#[test]
fn what_a_trial_of_the_host_leaves_is_reported() {
    const MOMENTS: &[Moment] =
        &[Moment(&[Call::Exchange], &[], Some(Errno::INVAL)), Moment(&[Call::Unlink], &[], Some(Errno::IO))];
    let came = Came::of(Scenario::new(Verb::EnsureOld, Layout::Private), MOMENTS, ensure);
    assert_eq!(came.at("l"), OLD);
    let error = came.error();
    assert_eq!((error.kind(), error.left().len()), (Kind::Residue, 1));
}

#[test]
fn an_exchange_is_taken_back_though_the_first_try_fails() {
    const MOMENTS: &[Moment] = &[
        Moment(&[Call::Exchange], &[Action::NameFile], None),
        Moment(&[Call::Exchange, Call::Exchange], &[], Some(Errno::IO)),
    ];
    let came = Came::of(Scenario::new(Verb::EnsureOld, Layout::Private), MOMENTS, ensure);
    assert_eq!((came.at("l").as_str(), came.error().kind()), ("a regular file", Kind::NotALink));
}
