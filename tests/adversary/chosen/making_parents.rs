//! What comes to the making of parent directories.

use super::*;

fn create(root: &Root) -> Result<Outcome, Error> {
    root.apply(&Edit::create(LinkPath::new("q/n1/n2/l").unwrap(), Target::relative("q/t2")).parents(true))
}

fn scenario() -> Scenario {
    Scenario::new(Verb::Parents, Layout::Private)
}

#[test]
fn a_parent_that_another_made_meanwhile_is_used() {
    const MOMENTS: &[Moment] = &[Moment(&[Call::MakeDir], &[Action::MissingDir], None)];
    let outcome = Came::of(scenario(), MOMENTS, create).answer.unwrap();
    assert_eq!(outcome.made, [Path::new("q/n1/n2")]);
}

#[test]
fn the_parent_that_cannot_be_made_or_opened_is_named() {
    const FIRST: &[Moment] = &[Moment(&[Call::MakeDir], &[], Some(Errno::IO))];
    const SECOND: &[Moment] = &[Moment(&[Call::MakeDir, Call::MakeDir], &[], Some(Errno::IO))];
    const OPENED: &[Moment] = &[Moment(&[Call::MakeDir, Call::MakeDir, Call::OpenDir], &[], Some(Errno::IO))];
    const LINK: &[Moment] = &[Moment(&[Call::MakeDir, Call::OpenDir], &[Action::MadeExchangedWithLink], None)];
    const SECOND_LINK: &[Moment] =
        &[Moment(&[Call::MakeDir, Call::MakeDir, Call::OpenDir], &[Action::MadeExchangedWithLink], None)];
    for (moments, kind, name, index, made) in [
        (FIRST, Kind::Io, "n1", 1, 0),
        (SECOND, Kind::Io, "n2", 2, 1),
        (OPENED, Kind::Io, "n2", 2, 2),
        (LINK, Kind::SymlinkInPath, "n1", 1, 1),
        (SECOND_LINK, Kind::SymlinkInPath, "n2", 2, 2),
    ] {
        let error = Came::of(scenario(), moments, create).error();
        let component = error.component().unwrap();
        assert_eq!((error.kind(), component.name.as_os_str(), component.index), (kind, OsStr::new(name), index));
        assert_eq!(error.made().len(), made);
    }
}

#[test]
fn a_parent_that_was_refused_is_not_reported_as_made_where_another_made_it() {
    const MOMENTS: &[Moment] = &[Moment(&[Call::MakeDir], &[Action::MissingDir], Some(Errno::ACCESS))];
    let error = Came::of(scenario(), MOMENTS, create).error();
    assert_eq!((error.kind(), error.made().len()), (Kind::Permission, 0));
}
