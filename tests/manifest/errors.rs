//! What is wrong with a manifest is said where it stands, all at once, with what was expected.

use caplink::Kind;
use caplink::manage::Manifest;

use super::{facts, problems, with_head};

#[test]
fn every_problem_is_told_at_once_in_the_order_of_the_text() {
    let text = "version = 1\nname = \"Bad Name\"\ncolour = \"red\"\n\n[links]\n\"../x\" = \"a\"\n\"y\" = 7\n\n\
                [[link]]\nat = \"z\"\nkind = \"socket\"\n";
    assert_eq!(
        problems(text),
        [
            "2:8 `Bad Name` is no name",
            "3:1 unknown key `colour`",
            "6:1 cannot use `../x`: the path climbs above the root, at component `..` (0)",
            "7:7 this is an integer",
            "9:1 `to` is missing",
            "11:8 `socket` has no meaning here",
        ]
    );
}

#[test]
fn a_problem_says_what_was_expected_and_shows_the_line() {
    let text = "version = 1\nname = \"x\"\n[[link]]\nat = \"a\"\nto = \"b\"\nparent = true # here\n";
    let problems = Manifest::parse(text.as_bytes(), &facts()).unwrap_err();
    let [problem] = &problems[..] else { panic!("{problems:?}") };
    assert_eq!((problem.line(), problem.column(), problem.length()), (6, 1, 6));
    assert_eq!(problem.excerpt(), ("parent = true # here", 0));
    assert_eq!(problem.kind(), Kind::InvalidManifest);
    assert!(problem.expected().unwrap().starts_with("`parents`, or another of "), "{problem}");
    assert!(problem.to_string().starts_with("line 6, column 1: unknown key `parent`; expected `parents`"), "{problem}");
}

/// A body after the head of two lines, and the problems of it.
#[test]
fn what_is_wrong_with_an_entry_is_told_where_it_is() {
    for (body, expected) in [
        ("[[link]]\nat = 'a'", "3:1 `to` is missing"),
        ("[[link]]\nto = 'a'", "3:1 `at` is missing"),
        ("[[link]]\nat = ''\nto = 'a'", "4:6 cannot use ``: the path is empty"),
        ("[[link]]\nat = '.'\nto = 'a'", "4:6 cannot use `.`: `.` is the root itself and names no link"),
        ("[[link]]\nat = 'a/'\nto = 'a'", "4:6 cannot use `a/`: a trailing `/` names a directory, not a link"),
        (
            "[links]\n'/etc/x' = 'a'",
            "4:1 cannot use `/etc/x`: an absolute path leads out of the root, at component `/` (0)",
        ),
        (
            "[links]\n'a/../b' = 'a'",
            "4:1 cannot use `a/../b`: a `..` is not taken in paths below the root, at component `..` (1)",
        ),
        (
            "[[link]]\nat = 'a'\nto = 'b/'\nkind = 'file'",
            "5:6 cannot use `b/`: a `/` at the end asks for a directory, and a file is asked for",
        ),
        ("[[link]]\nat = 'a'\nto = 'b'\nkind = 'link'", "6:8 `link` has no meaning here"),
        ("[[link]]\nat = 'a'\nto = 'b'\nparents = 'yes'", "6:11 this is a string"),
        ("[[link]]\nat = 'a'\nto = 'b'\ntags = 'x'", "6:8 this is a string"),
        ("[[link]]\nat = 'a'\nto = 'b'\ntags = ['x', 1]", "6:14 this is an integer"),
        ("[[link]]\nat = 'a'\nto = 'b'\nif_to = 'x'", "6:1 unknown key `if_to`"),
        ("[[link]]\nat = 'a'\nto = 'b'\nwhen = { os = 'linux' }", "6:15 this is a string"),
        ("[[link]]\nat = 'a'\nto = 'b'\nwhen = { os = [] }", "6:15 an empty list never matches"),
        ("[[link]]\nat = 'a'\nto = 'b'\nwhen = { distro = ['x'] }", "6:10 unknown key `distro`"),
        (
            "[[link]]\nat = 'a'\nto = 'b'\nwhen = { os = ['['] }",
            "6:16 it is no glob: unclosed character class; missing ']'",
        ),
        ("[[link]]\nat = '{nope}/x'\nto = 'b'", "4:6 the variable `nope` is not defined; `{{` is a brace"),
        ("[[link]]\nat = '{'\nto = 'b'", "4:6 a `{` has no `}`; a brace by itself is written `{{`"),
        ("[links]\n'{dir}/x' = 'b'", "4:1 `{dir}` is given in the links of `[[each]]` only"),
        ("[vars]\nos = 'x'", "4:1 the variable `os` is given and cannot be set"),
        ("[vars]\nbase = 'x'", "4:1 the variable `base` is given and cannot be set"),
        ("[vars]\n'a b' = 'x'", "4:1 `a b` is no name of a variable"),
        ("[vars]\na = 1", "4:5 this is an integer"),
        ("[defaults]\nat = 'x'", "4:1 unknown key `at`"),
        ("[defaults]\nstyle = 'symbolic'", "4:9 `symbolic` has no meaning here"),
        ("source = '../x'", "3:10 cannot use `../x`: the path climbs above the root, at component `..` (0)"),
        ("links = 'x'", "3:9 this is a string"),
        ("link = { at = 'a', to = 'b' }", "3:8 this is a table"),
        ("[link]\nat = 'a'", "3:1 this is a table"),
        ("[[absent]]\nat = 'a'\nto = 'b'", "5:1 unknown key `to`"),
        (
            "[[absent]]\nat = 'a'\nif_to = '{'",
            "5:9 it is no glob: unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)",
        ),
        ("[[tree]]\nfrom = 'a'", "3:1 `into` is missing"),
        (
            "[[tree]]\nfrom = 'a'\ninto = 'a/b'",
            "5:8 `into` lies in `from`: what is made there would be found the next time",
        ),
        (
            "[[tree]]\nfrom = '.'\ninto = '.'",
            "5:8 `into` lies in `from`: what is made there would be found the next time",
        ),
        (
            "[[tree]]\nfrom = 'a'\ninto = '.'\nstyle = 'verbatim'",
            "6:9 a tree makes the texts of its links, so they cannot be verbatim",
        ),
        (
            "[[tree]]\nfrom = 'a'\ninto = '.'\ninclude = ['/x']",
            "6:12 a glob is on paths below the root and does not begin with `/`",
        ),
        ("[[tree]]\nfrom = 'a'\ninto = '.'\nexclude = ['../x']", "6:12 no path below the root has a `..`"),
        ("[[tree]]\nfrom = 'a'\ninto = '.'\nkind = 'dir'", "6:1 unknown key `kind`"),
        ("[[each]]\nfor = 'p/*'", "3:1 `links` is missing"),
        ("[[each]]\nlinks = {}", "3:1 `for` is missing"),
        ("[[each]]\nfor = 'p/*'\nlinks = { 'x' = 'y' }", "5:11 the link `x` is the same for every directory"),
        (
            "[[each]]\nfor = 'p/*'\nlinks = { '../{dir}' = 'y' }",
            "5:11 cannot use `../d`: the path climbs above the root, at component `..` (0)",
        ),
        (
            "[[each]]\nfor = 'p/*'\nlinks = { '{dir}/x' = '{nope}' }",
            "5:23 the variable `nope` is not defined; `{{` is a brace",
        ),
        ("[release.Web]\nkeep = 1", "3:10 `Web` is no name"),
        ("[release.a]\nkeep = -1", "4:8 this number is out of range"),
        ("[release.a]\nkeep = 1.5", "4:8 this is a float"),
        ("[release.a]\ngrace = '10'", "4:9 `10` is no duration"),
        ("[release.a]\ngrace = 10", "4:9 this is an integer"),
        ("[release.a]\ncheck_before = ['./x']", "4:17 this is a string"),
        ("[release.a]\ncheck_before = [[]]", "4:17 there is no program"),
        ("[release.a]\ncheck_before = [['']]", "4:17 there is no program"),
        ("[release.a]\nshell = 'x'", "4:1 unknown key `shell`"),
        ("[[release.a.shared]]\nat = 'x'", "3:1 `to` is missing"),
        ("[[release.a.shared]]\nat = 'x'\nto = 'y'\nseed = 'keep'", "6:8 `keep` has no meaning here"),
        ("release = 3", "3:11 this is an integer"),
    ] {
        assert_eq!(problems(&with_head(body)), [expected], "{body}");
    }
}

#[test]
fn a_link_twice_and_one_below_another_are_told() {
    let two = "[links]\na = 'x'\n'./a' = 'y'\n";
    assert_eq!(problems(&with_head(two)), ["5:1 `a` is declared twice, first in line 4"]);
    let below = "[links]\n'a/b' = 'x'\n[[link]]\nat = 'a'\nto = 'y'\n";
    assert_eq!(problems(&with_head(below)), ["6:6 `a` is to be a link, and `a/b` of line 4 is below it"]);
    let above = "[links]\na = 'x'\n[[link]]\nat = 'a/b'\nto = 'y'\n";
    assert_eq!(problems(&with_head(above)), ["6:6 `a/b` is below `a`, which line 4 makes a link"]);
    let absent = "[links]\na = 'x'\n[[absent]]\nat = 'a'\n";
    assert_eq!(problems(&with_head(absent)), ["6:6 `a` is declared twice, first in line 4"]);
    let current = "[links]\nnow = 'x'\n[release.web]\ncurrent = 'now'\n";
    assert_eq!(problems(&with_head(current)), ["5:10 `now` is declared twice, first in line 4"]);
    let apps = "[release.a]\ncurrent = 'now'\n[release.b]\ncurrent = 'now'\n";
    assert_eq!(problems(&with_head(apps)), ["5:10 `now` is declared twice, first in line 3"]);
    let shared = "release.a.shared = [{ at = 's', to = 'x' }, { at = 's/t', to = 'y' }]\n";
    assert_eq!(problems(&with_head(shared)), ["3:52 `s/t` is below `s`, which line 3 makes a link"]);
}

#[test]
fn what_is_no_toml_is_told_and_the_rest_is_read() {
    let text = "version = 1\nname = \"x\"\nsource = [\n1,\n]\nwhat is this\n[links]\n\"a\" = \"b\nc = 'd'\nc = 'e'\n[[link]\nat = 1\n[[link]]\nat = 2\n";
    let lines: Vec<String> =
        problems(text).iter().map(|problem| problem.split(' ').next().unwrap().to_owned()).collect();
    // The table after a bad header is passed over: nobody knows which it was to be.
    assert_eq!(lines, ["3:10", "6:6", "8:9", "10:1", "11:8", "13:1", "14:6"], "{:#?}", problems(text));
}

#[test]
fn a_key_or_table_twice_is_told_at_the_second() {
    for (body, expected) in [
        ("[links]\na = 'x'\na = 'y'", "5:1 `a` stands here twice"),
        ("[links]\na = 'x'\n[links]\nb = 'y'", "5:2 `links` stands here twice"),
        ("[links]\na = 'x'\n[[links]]", "5:3 `links` stands here twice"),
        ("links = { a = 'x', a = 'y' }", "3:20 `a` stands here twice"),
        ("links = { a = 'x' }\n[links]", "4:2 `links` stands here twice"),
        ("links = { a = 'x' }\nlinks.b = 'y'", "4:1 `links` is no table that a key with dots can add to"),
        ("name = 'twice'", "3:1 `name` stands here twice"),
    ] {
        assert_eq!(problems(&with_head(body)), [expected], "{body}");
    }
}

#[test]
fn of_another_version_nothing_else_is_said() {
    let text = "version = 2\nname = \"x\"\nnew = \"key\"\n";
    assert_eq!(problems(text), ["1:11 this version is not known"]);
    assert_eq!(problems("version = \"1\"\nname = \"x\"\n"), ["1:11 this is a string"]);
    assert_eq!(problems("version = 1\nname = 7\n"), ["2:8 this is an integer"]);
    assert_eq!(problems("name = \"x\"\n"), ["1:1 `version` is missing"]);
    assert_eq!(problems("version = 1\n"), ["1:1 `name` is missing"]);
    assert_eq!(problems(""), ["1:1 `version` is missing", "1:1 `name` is missing"]);
}

#[test]
fn a_name_is_short_and_plain() {
    let named = |name: &str| problems(&format!("version = 1\nname = '{name}'\n"));
    for good in ["a", "0", "dot.files_2-x", &"a".repeat(64)] {
        assert_eq!(named(good), Vec::<String>::new(), "{good}");
    }
    for bad in ["", ".a", "-a", "_a", "A", "a/b", "a b", "ä", &"a".repeat(65)] {
        assert_eq!(named(bad).len(), 1, "{bad}");
    }
}

#[test]
fn a_bad_path_has_the_kind_that_it_has_by_itself() {
    let long = "x".repeat(256);
    for (link, cause) in [
        ("../x", Kind::Escape),
        ("/x", Kind::Escape),
        ("a/../x", Kind::InvalidPath),
        ("a/.", Kind::InvalidPath),
        ("a\\u0000b", Kind::InvalidPath),
        (long.as_str(), Kind::TooLong),
    ] {
        let text = with_head(&format!("[links]\n\"{link}\" = \"t\"\n"));
        let problems = Manifest::parse(text.as_bytes(), &facts()).unwrap_err();
        assert_eq!((problems.len(), problems[0].cause()), (1, Some(cause)), "{link}");
    }
    for (to, cause) in [("../x", Kind::Escape), ("a/../x", Kind::InvalidTarget), ("", Kind::InvalidTarget)] {
        let text = with_head(&format!("[links]\nx = \"{to}\"\n"));
        let problems = Manifest::parse(text.as_bytes(), &facts()).unwrap_err();
        assert_eq!((problems.len(), problems[0].cause()), (1, Some(cause)), "{to}");
    }
}

#[test]
fn control_characters_of_a_manifest_do_not_reach_the_message() {
    let text = with_head("[links]\n\"a\\n\\u001b[2J/../x\" = \"t\"\n\"{\\u202e}\" = 't'\n");
    for problem in problems(&text) {
        assert!(!problem.chars().any(|c| c.is_control() || c == '\u{202e}'), "{problem:?}");
    }
}
