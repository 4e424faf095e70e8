//! Targets as they are spelled.

use super::*;

#[test]
fn a_bad_spelling_is_told_as_one_of_the_target() {
    let long = "x".repeat(256);
    for (text, kind, reason, at) in [
        ("../x", Kind::Escape, "leads out of the root", Some(("..", 0))),
        (long.as_str(), Kind::TooLong, "over 255 bytes", Some((long.as_str(), 0))),
        ("a/../b", Kind::InvalidTarget, "a `..` is not taken", Some(("..", 1))),
    ] {
        let error = Target::relative(text).check(None).unwrap_err();
        let component = error.component().map(|component| (component.name.to_str().unwrap(), component.index));
        assert_eq!((error.kind(), component), (kind, at), "{text}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn a_target_knows_how_it_was_given() {
    let targets = [Target::relative("t"), Target::absolute("t"), Target::verbatim("t")];
    assert_eq!(targets.map(|target| target.style()), [Style::Relative, Style::Absolute, Style::Verbatim]);
}

#[test]
fn a_text_alone_is_a_path_below_the_root() {
    let owned = PathBuf::from("releases/42");
    let targets = [
        Target::from("releases/42"),
        "releases/42".to_owned().into(),
        OsStr::new("releases/42").into(),
        owned.as_path().into(),
        owned.clone().into_os_string().into(),
        owned.into(),
    ];
    assert!(targets.iter().all(|target| *target == Target::relative("releases/42")));
    assert_eq!(Target::from("../42").check(None).unwrap_err().kind(), Kind::Escape);
}

/// No other text is taken for the one that is made.
#[cfg(feature = "manage")]
fn is_the_one(from: &Path, to: &Path, text: &OsStr) {
    assert!(is_relative_text(text, from, to), "{} -> {}", from.display(), to.display());
    let joined = |before: &str, after: &str| [OsStr::new(before), text, OsStr::new(after)].join(OsStr::new(""));
    let shorter = text.to_str().into_iter().flat_map(|text| (0..text.len()).filter_map(|end| text.get(..end)));
    let others = [joined("../", ""), joined("./", ""), joined("", "/"), joined("", "/.."), joined("", "x")];
    for other in shorter.map(OsString::from).chain(others) {
        assert!(!is_relative_text(&other, from, to), "{}: {} -> {}", other.display(), from.display(), to.display());
    }
}

#[cfg(not(feature = "manage"))]
fn is_the_one(_: &Path, _: &Path, _: &OsStr) {}

#[test]
fn relative_texts_are_the_shortest() {
    for (from, to, text) in [
        ("", "releases/42", "releases/42"),
        ("a/b", "a/b/f", "f"),
        ("a/b", "a/c/f", "../c/f"),
        ("a/b", "a", ".."),
        ("a/b", "a/b", "."),
        ("a/b", "", "../.."),
        ("", "", "."),
        ("a/bc", "a/b", "../b"),
        ("a/b", "a/bc", "../bc"),
        ("ab", "a", "../a"),
        ("a/b/c", "a/x/c", "../../x/c"),
        ("\u{e4}/b", "\u{e4}/\u{e5}", "../\u{e5}"),
    ] {
        assert_eq!(relative_text(Path::new(from), Path::new(to)), OsStr::new(text), "{from} -> {to}");
        is_the_one(Path::new(from), Path::new(to), OsStr::new(text));
    }
}

#[test]
#[cfg(unix)]
fn relative_texts_keep_bytes_that_are_no_text() {
    use std::os::unix::ffi::OsStrExt as _;
    for (from, to, text) in [
        (&b"a\xff/b"[..], &b"a\xff/c/\xfe"[..], &b"../c/\xfe"[..]),
        (b"a", b"a/\xff", b"\xff"),
        (b"\xff", b"\xff", b"."),
    ] {
        let [from, to, text] = [from, to, text].map(OsStr::from_bytes);
        assert_eq!(relative_text(Path::new(from), Path::new(to)), text, "{} -> {}", from.display(), to.display());
        is_the_one(Path::new(from), Path::new(to), text);
    }
}

#[test]
fn a_target_below_the_root_is_spelled_like_a_link_path() {
    for (text, path) in [("./a//b/./f", "a/b/f"), (".", ""), ("a/", "a"), ("./a/.", "a"), ("./", "")] {
        assert_eq!(Target::relative(text).spell(None).unwrap(), TargetPath::Relative(Path::new(path).into()), "{text}");
    }
    for (text, kind) in [
        ("", Kind::InvalidTarget),
        ("a\0", Kind::InvalidTarget),
        ("a/../b", Kind::InvalidTarget),
        ("../b", Kind::Escape),
        ("/b", Kind::Escape),
        (&"x".repeat(256), Kind::TooLong),
    ] {
        assert_eq!(Target::relative(text).spell(None).unwrap_err().kind(), kind, "{text:?}");
    }
    assert_eq!(Target::verbatim("//a/../").spell(None).unwrap(), TargetPath::Verbatim(OsStr::new("//a/../")));
}

#[test]
fn an_absolute_path_that_begins_with_the_root_is_one_below_it() {
    let root = Some(Path::new("/srv/app"));
    for (text, path) in [
        ("/srv/app/a/b", Ok("a/b")),
        ("//srv/./app//a/", Ok("a")),
        ("/srv/app", Ok("")),
        ("/srv/app/", Ok("")),
        ("/srv/apple", Err((Kind::Escape, "/", 0))),
        ("/srv", Err((Kind::Escape, "/", 0))),
        ("/", Err((Kind::Escape, "/", 0))),
        ("/srv/../srv/app/a", Err((Kind::Escape, "/", 0))),
        ("/srv/app/../x", Err((Kind::Escape, "..", 3))),
        ("/srv/app/a/../x", Err((Kind::InvalidTarget, "..", 4))),
    ] {
        for target in [Target::relative(text), Target::absolute(text)] {
            let spelled = match target.spell(root) {
                Ok(TargetPath::Relative(path) | TargetPath::Absolute(path)) => Ok(path.to_str().unwrap().to_owned()),
                Ok(other) => panic!("{other:?}"),
                Err(error) => {
                    let at = error.component().unwrap();
                    Err((error.kind(), at.name.to_str().unwrap().to_owned(), at.index))
                }
            };
            let expected = path.map(str::to_owned).map_err(|(kind, name, at)| (kind, name.to_owned(), at));
            assert_eq!(spelled, expected, "{text}");
        }
    }
    assert_eq!(Target::relative("/srv/app/a").check(None).unwrap_err().kind(), Kind::Escape, "no root is known");
    assert_eq!(
        Target::relative("/a").spell(Some(Path::new("/"))).unwrap(),
        TargetPath::Relative(Path::new("a").into())
    );
}

#[test]
fn a_trailing_slash_asks_for_a_directory() {
    for (text, asks) in [("a/", true), ("a//", true), ("a/.", true), ("./", true), ("a", false), (".", false)] {
        assert_eq!(Target::relative(text).asks_for_directory(), asks, "{text}");
        assert!(!Target::verbatim(text).asks_for_directory());
    }
}
