//! What comes to a removal, with and without a renaming that spares what is under the name.

use super::*;

#[test]
fn what_came_while_the_lock_was_waited_for_is_not_moved() {
    const MOMENTS: &[Moment] = &[Moment(&[Call::ReadLink], &[Action::NameLinkOther], None)];
    let remove = |root: &Root| root.apply(&Edit::remove(link()).expect(OLD));
    let came = Came::of(Scenario::new(Verb::RemoveExpected, Layout::Open), MOMENTS, remove);
    assert_eq!((came.count(Call::RenameNew), came.at("l").as_str()), (0, "../t3"));
    assert_eq!(came.error().kind(), Kind::Mismatch);
}

#[test]
fn a_link_that_goes_by_itself_is_missing() {
    const MOMENTS: &[Moment] = &[Moment(&[Call::RenameNew], &[Action::NameRemoved], None)];
    let remove = |root: &Root| root.apply(&Edit::remove(link()).missing_ok(true));
    let came = Came::of(Scenario::new(Verb::Remove, Layout::Private), MOMENTS, remove);
    assert_eq!(came.answer.unwrap().effect, Effect::Unchanged);
}

fn without_no_replace(verb: Verb) -> Scenario {
    Scenario { no_replace: false, ..Scenario::new(verb, Layout::Private) }
}

#[test]
fn a_directory_that_was_moved_away_goes_back_also_without_a_rename_that_never_replaces() {
    const MOMENTS: &[Moment] = &[Moment(&[Call::RenameOver], &[Action::NameDir], None)];
    let came = Came::of(without_no_replace(Verb::Remove), MOMENTS, |root| root.remove("q/p/l"));
    assert_eq!(came.at("l"), "a directory");
    assert_eq!(came.error().kind(), Kind::NotALink);
}

#[test]
fn a_link_that_was_moved_away_goes_back_by_a_second_name_which_never_replaces() {
    const MOMENTS: &[Moment] = &[
        Moment(&[Call::RenameOver], &[Action::NameLinkOther], None),
        Moment(&[Call::HardLink], &[Action::NameFile], None),
    ];
    let remove = |root: &Root| root.apply(&Edit::remove(link()).expect(OLD));
    let came = Came::of(without_no_replace(Verb::RemoveExpected), MOMENTS, remove);
    assert_eq!(came.at("l"), "a regular file");
    assert_eq!(came.error().preserved().len(), 1);
}

/// Every call from the look at what was moved aside on fails; that look alone, or all.
struct Fails {
    error: Errno,
    lasting: bool,
    moved: bool,
}

impl Watch for Fails {
    fn before(&mut self, _: &mut Tree, call: Call) -> Option<Errno> {
        let fails = self.moved && (self.lasting || call == Call::ReadLink);
        self.moved |= call == Call::RenameNew;
        fails.then_some(self.error)
    }

    fn after(&mut self, _: &mut Tree, _: Call, _: Result<(), Errno>) {}
}

#[test]
fn where_a_removal_cannot_be_taken_back_the_error_says_that_the_link_is_gone() {
    for error in [Errno::IO, Errno::PERM] {
        for lasting in [true, false] {
            let scene = Scene::new(Scenario::new(Verb::Remove, Layout::Private));
            let world = World::new(Tree::clone(&scene.tree));
            let root = scene.scenario.root(&world);
            world.watch(Box::new(Fails { error, lasting, moved: false }));
            let error = root.remove("q/p/l").unwrap_err();
            drop(world.unwatch());
            assert_eq!((error.is_changed(), error.preserved().len()), (lasting, usize::from(lasting)), "{error:#?}");
        }
    }
}
