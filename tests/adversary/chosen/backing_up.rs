//! What is in the way while it is moved aside.

use super::*;

fn back_up(root: &Root) -> Result<Outcome, Error> {
    root.apply(&Edit::ensure(link(), Target::relative("q/t2")).backup(true))
}

#[test]
fn a_link_that_came_in_between_is_replaced_and_not_backed_up() {
    const MOMENTS: &[Moment] = &[Moment(&[Call::Exchange], &[Action::NameLinkOther], None)];
    let came = Came::of(Scenario::new(Verb::BackupFile, Layout::Private), MOMENTS, back_up);
    assert_eq!((came.at("l").as_str(), came.at("l.backup").as_str()), (NEW, "nothing"));
    let outcome = came.answer.unwrap();
    assert_eq!((outcome.effect, outcome.backup), (Effect::Replaced, None));
}

#[test]
fn where_the_backup_cannot_be_looked_at_it_is_put_back() {
    const MOMENTS: &[Moment] = &[Moment(&[Call::TryLock, Call::StatAt], &[], Some(Errno::IO))];
    let came = Came::of(Scenario::new(Verb::BackupFile, Layout::Private), MOMENTS, back_up);
    assert_eq!((came.at("l").as_str(), came.at("l.backup").as_str()), ("a regular file", "nothing"));
    assert_eq!(came.error().kind(), Kind::Io);
}

#[test]
fn where_the_backup_is_gone_the_link_stands() {
    const MOMENTS: &[Moment] = &[Moment(&[Call::TryLock, Call::StatAt], &[], Some(Errno::NOENT))];
    let came = Came::of(Scenario::new(Verb::BackupFile, Layout::Private), MOMENTS, back_up);
    assert_eq!((came.at("l").as_str(), came.at("l.backup").as_str()), (NEW, "a regular file"));
    assert_eq!(came.answer.unwrap().effect, Effect::Created);
}

#[test]
fn an_entry_that_others_can_reach_is_kept_there_unless_one_call_moves_it_back() {
    const MOMENTS: &[Moment] = &[
        Moment(&[Call::Exchange], &[Action::NameDir], None),
        Moment(&[Call::Exchange, Call::Exchange], &[Action::NameRemoved], None),
    ];
    let scenario = Scenario { no_replace: false, ..Scenario::new(Verb::BackupFile, Layout::Tenant) };
    let came = Came::of(scenario, MOMENTS, back_up);
    assert_eq!((came.at("l").as_str(), came.at("l.backup").as_str()), ("nothing", "a directory"));
    let error = came.error();
    assert_eq!((error.kind(), error.preserved().len()), (Kind::Contended, 1));
}

#[test]
fn the_new_link_that_cannot_be_removed_is_left_and_nothing_of_others() {
    const MOMENTS: &[Moment] = &[
        Moment(&[Call::MakeDir, Call::MakeDir, Call::OpenDir, Call::Stat], &[Action::StagedExchangedWithName], None),
        Moment(&[Call::Exchange, Call::Exchange, Call::StatAt], &[Action::NameRemoved], None),
    ];
    let came = Came::of(Scenario::new(Verb::BackupDir, Layout::NoState), MOMENTS, back_up);
    assert_eq!((came.at("l").as_str(), came.at("l.backup").as_str()), ("nothing", NEW));
    let error = came.error();
    assert_eq!((error.kind(), error.left().len(), error.preserved().len()), (Kind::Contended, 1, 0));
}

#[test]
fn the_own_link_is_left_where_it_cannot_be_removed_whoever_moved_it_before() {
    const MOMENTS: &[Moment] = &[
        Moment(&[Call::Exchange], &[Action::StagedExchangedWithName], None),
        Moment(&[Call::Exchange, Call::Random], &[], Some(Errno::INTR)),
    ];
    let came = Came::of(Scenario::new(Verb::BackupFile, Layout::Open), MOMENTS, back_up);
    assert_eq!((came.at("l").as_str(), came.at("l.backup").as_str()), ("a regular file", NEW));
    let error = came.error();
    assert_eq!((error.kind(), error.left()), (Kind::Contended, &[PathBuf::from("q/p/l.backup")][..]));
    assert!(error.preserved().is_empty(), "{:?}", error.preserved());
}

#[test]
fn a_link_that_went_back_by_half_is_left_under_both_names() {
    const MOMENTS: &[Moment] = &[
        Moment(&[Call::RenameOver, Call::StatAt], &[], Some(Errno::IO)),
        Moment(&[Call::RenameOver, Call::HardLink, Call::Unlink], &[Action::ParentSealed], None),
    ];
    let scenario = Scenario { exchange: false, no_replace: false, ..Scenario::new(Verb::BackupFile, Layout::Private) };
    let came = Came::of(scenario, MOMENTS, back_up);
    assert_eq!((came.at("l").as_str(), came.at("l.backup").as_str()), ("a regular file", NEW));
    let error = came.error();
    assert_eq!((error.kind(), error.left().len(), error.preserved().len()), (Kind::Unsupported, 2, 1));
    assert!(error.left().contains(&PathBuf::from("q/p/l.backup")), "{:?}", error.left());
}
