//! What an error says, and what becomes of it.

use std::error::Error as _;

use super::*;

fn switched() -> Error {
    Error::new(Kind::Mismatch).found_instead(Found::Link("releases/40".into())).on("swap", "current")
}

#[test]
fn an_error_is_read_by_a_person_and_by_a_program() {
    let error = switched();
    assert_eq!(error.to_string(), "cannot swap `current`: found a link to `releases/40`");
    assert_eq!(format!("{error:?}"), "cannot swap `current`: found a link to `releases/40` (mismatch)");
    assert!(format!("{error:#?}").contains("kind: Mismatch"));
    let left = Error::from_io(io::ErrorKind::NotFound.into()).on("remove", "l").leaving(vec!["a\n".into()], vec![]);
    let shown = "cannot remove `l`: there is no such entry (not_found); left: `a\\n`; cause: entity not found";
    assert_eq!(format!("{left:?}"), shown);
}

#[test]
fn the_cause_is_the_error_of_the_system() {
    let error = Error::from_io(io::Error::from_raw_os_error(2));
    let cause = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    assert_eq!(cause.and_then(io::Error::raw_os_error), Some(2));
    assert!(std::ptr::eq(cause.unwrap(), error.io_error().unwrap()));
    assert!(switched().source().is_none());
}

#[test]
fn an_error_becomes_one_of_the_standard_library_and_stays_what_it_was() {
    let error = io::Error::from(switched());
    assert_eq!(error.to_string(), switched().to_string());
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    assert_eq!(inner.map(Error::kind), Some(Kind::Mismatch));
}

#[test]
fn every_kind_that_the_system_has_keeps_its_own() {
    use io::ErrorKind as E;
    for kind in [
        E::NotFound,
        E::AlreadyExists,
        E::PermissionDenied,
        E::ReadOnlyFilesystem,
        E::StorageFull,
        E::InvalidFilename,
        E::CrossesDevices,
        E::ResourceBusy,
        E::WouldBlock,
        E::Unsupported,
        E::BrokenPipe,
    ] {
        assert_eq!(io::Error::from(Error::from_io(kind.into())).kind(), kind);
    }
}
