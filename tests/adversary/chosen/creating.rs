//! A link that was created and whose directory was moved.

use super::*;

fn create(root: &Root) -> Result<Outcome, Error> {
    root.create("q/p/l", Target::relative("q/t2"))
}

#[test]
fn what_cannot_be_taken_back_is_not_reported_as_left_where_others_have_the_name() {
    const MOMENTS: &[Moment] =
        &[Moment(&[Call::ReachEntry], &[Action::ParentMovedInside, Action::NameLinkOther, Action::LockTaken], None)];
    let came = Came::of(Scenario::new(Verb::Create, Layout::Private), MOMENTS, create);
    assert_eq!(came.at("l"), "../t3");
    let error = came.error();
    assert_eq!((error.kind(), error.left().len()), (Kind::ParentMoved, 0));
}

#[test]
fn what_cannot_be_taken_back_is_reported_as_left_where_it_has_the_name() {
    const MOMENTS: &[Moment] = &[Moment(&[Call::ReachEntry], &[Action::ParentMovedInside, Action::LockTaken], None)];
    let came = Came::of(Scenario::new(Verb::Create, Layout::Private), MOMENTS, create);
    assert_eq!(came.at("l"), NEW);
    let error = came.error();
    assert_eq!((error.kind(), error.left().len()), (Kind::ParentMoved, 1));
}
