//! What comes to a removal, with and without a renaming that spares what has the name.

use super::*;

#[test]
fn what_came_while_the_lock_was_waited_for_is_not_moved() {
    const MOMENTS: &[Moment] = &[Moment(Call::ReadLink, 1, &[Action::NameLinkOther], None)];
    let remove = |root: &Root| root.apply(&Edit::remove(link()).expect(OLD));
    let came = Came::of(Scenario::new(Verb::RemoveExpected, Layout::Open), MOMENTS, remove);
    assert_eq!((came.count(Call::RenameNew), came.at("l").as_str()), (0, "../t3"));
    assert_eq!(came.error().kind(), Kind::Mismatch);
}

#[test]
fn a_link_that_goes_by_itself_is_missing() {
    const MOMENTS: &[Moment] = &[Moment(Call::RenameNew, 0, &[Action::NameRemoved], None)];
    let remove = |root: &Root| root.apply(&Edit::remove(link()).missing_ok(true));
    let came = Came::of(Scenario::new(Verb::Remove, Layout::Private), MOMENTS, remove);
    assert_eq!(came.answer.unwrap().effect, Effect::Unchanged);
}

fn without_no_replace(verb: Verb) -> Scenario {
    Scenario { no_replace: false, ..Scenario::new(verb, Layout::Private) }
}

#[test]
fn a_directory_that_was_moved_aside_goes_back_also_where_no_call_spares_what_has_a_name() {
    const MOMENTS: &[Moment] = &[Moment(Call::RenameOver, 0, &[Action::NameDir], None)];
    let came = Came::of(without_no_replace(Verb::Remove), MOMENTS, |root| root.remove("q/p/l"));
    assert_eq!(came.at("l"), "a directory");
    assert_eq!(came.error().kind(), Kind::NotALink);
}

#[test]
fn a_link_that_was_moved_aside_goes_back_by_a_second_name_which_spares_what_has_the_name() {
    const MOMENTS: &[Moment] = &[
        Moment(Call::RenameOver, 0, &[Action::NameLinkOther], None),
        Moment(Call::HardLink, 0, &[Action::NameFile], None),
    ];
    let remove = |root: &Root| root.apply(&Edit::remove(link()).expect(OLD));
    let came = Came::of(without_no_replace(Verb::RemoveExpected), MOMENTS, remove);
    assert_eq!(came.at("l"), "a regular file");
    assert_eq!(came.error().preserved().len(), 1);
}
