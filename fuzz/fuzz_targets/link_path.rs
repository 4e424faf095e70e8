//! Link paths: what the library says of a spelling against what reading it character by character says.

#![no_main]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use caplink::LinkPath;
use libfuzzer_sys::fuzz_target;

#[path = "../../tests/model/mod.rs"]
#[expect(dead_code, reason = "this target takes a part of the model")]
mod model;

fuzz_target!(|bytes: &[u8]| {
    let said = LinkPath::new(OsStr::from_bytes(bytes));
    if let Ok(path) = &said {
        let again = LinkPath::new(path.as_path()).expect("what was normalised is a link path");
        assert_eq!(&again, path);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match (model::spelling::link(text), said) {
        (Ok(names), Ok(path)) => assert_eq!(path.as_path().as_os_str(), OsStr::new(&names.join("/"))),
        (Err((kind, index)), Err(error)) => {
            assert_eq!(error.kind().as_str(), kind, "{text:?}");
            assert_eq!(error.component().map(|component| component.index), index, "{text:?}");
        }
        (owed, said) => panic!("{text:?}: owed {owed:?}, said {said:?}"),
    }
});
