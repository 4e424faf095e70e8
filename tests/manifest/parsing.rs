//! What a manifest means.

use std::path::Path;
use std::time::Duration;

use caplink::Style;
use caplink::manage::{OnConflict, Seed, TargetKind};

use super::{good, with_head};
use caplink::manage::{Facts, Manifest};

/// The example of the format, with everything in it.
const WHOLE: &str = include_str!("whole.toml");

/// Each link with its target, in the order of the text.
fn links(manifest: &Manifest) -> Vec<(String, String)> {
    let shown = |link: &caplink::manage::Declared| {
        (link.link.to_string(), link.target.as_os_str().to_string_lossy().into_owned())
    };
    manifest.links().iter().map(shown).collect()
}

fn pair(link: &str, target: &str) -> (String, String) {
    (link.to_owned(), target.to_owned())
}

#[test]
fn everything_that_the_format_has_is_read() {
    let manifest = Manifest::parse(WHOLE.as_bytes(), &super::facts()).unwrap();
    assert_eq!((manifest.name(), manifest.source()), ("dotfiles", Path::new("dotfiles")));
    assert_eq!(links(&manifest), [pair(".vimrc", "dotfiles/vim/vimrc"), pair(".config/nvim", "dotfiles/nvim")]);
    let editor = &manifest.links()[1];
    assert_eq!((editor.kind, editor.label.name()), (TargetKind::Dir, Some("editor")));
    assert_eq!(editor.label.comment(), Some("one editor config for all hosts"));
    assert!(editor.label.is_chosen(&["editor".into()]) && !editor.label.is_chosen(&["shell".into()]));
    assert_eq!((editor.at.line, editor.at.column), (24, 6));
    let absent = &manifest.unwanted()[0];
    assert!(absent.if_to.as_ref().unwrap().matches("/home/alice/dotfiles/oldrc"));
    let app = &manifest.apps()["default"];
    assert_eq!(app.current.as_ref().unwrap().as_path(), Path::new("current"));
    assert_eq!((app.releases.as_deref(), app.keep), (Some(Path::new("releases")), Some(5)));
    assert_eq!((app.grace, app.check_timeout), (Some(Duration::from_secs(600)), Duration::from_secs(30)));
    assert_eq!(app.check_before, [["./bin/smoke", "--offline"]]);
    assert_eq!(app.check_after, [["./bin/healthz"]]);
    assert_eq!(app.after_switch, [["systemctl", "reload", "php-fpm"]]);
    assert_eq!((app.check_retries, app.check_interval), (0, Duration::from_secs(1)));
    let shared = &app.shared[0];
    assert_eq!((shared.at.as_path(), shared.to.as_path()), (Path::new("storage"), Path::new("shared/storage")));
    assert_eq!((shared.kind, shared.seed), (TargetKind::Dir, Seed::Aside));
    assert!(manifest.has_hooks());
}

#[test]
fn the_smallest_manifest_declares_nothing_and_runs_nothing() {
    let manifest = good("");
    assert!(manifest.links().is_empty() && manifest.unwanted().is_empty() && manifest.apps().is_empty());
    assert!(!manifest.has_hooks() && manifest.source().as_os_str().is_empty());
    assert!(!good("[release.default]\nkeep = 3\n").has_hooks());
}

#[test]
fn targets_start_at_the_source_and_a_verbatim_one_is_the_text_itself() {
    for (head, to, style, kind, expected) in [
        ("", "a/b", "relative", "any", ("a/b", TargetKind::Any)),
        ("source = \"src\"", "./a//b", "relative", "any", ("src/a/b", TargetKind::Any)),
        ("source = \"src\"", "a", "absolute", "file", ("src/a", TargetKind::File)),
        ("source = \"src\"", "a/", "relative", "any", ("src/a", TargetKind::Dir)),
        ("source = \"src\"", ".", "relative", "any", ("src", TargetKind::Any)),
        ("source = \"src\"", "./", "relative", "any", ("src", TargetKind::Dir)),
        ("source = \".\"", ".", "relative", "any", (".", TargetKind::Any)),
        ("source = \"src\"", "../../x//", "verbatim", "any", ("../../x//", TargetKind::Any)),
        ("source = \"src\"", "/etc/passwd", "verbatim", "dir", ("/etc/passwd", TargetKind::Dir)),
    ] {
        let manifest = good(&format!("{head}\n[[link]]\nat = 'l'\nto = '{to}'\nstyle = '{style}'\nkind = '{kind}'\n"));
        let link = &manifest.links()[0];
        assert_eq!((link.target.as_os_str().to_str().unwrap(), link.kind), expected, "{to}");
        assert_eq!(
            link.target.style(),
            match style {
                "absolute" => Style::Absolute,
                "verbatim" => Style::Verbatim,
                _ => Style::Relative,
            }
        );
    }
}

#[test]
fn the_source_counts_wherever_it_stands() {
    let short = good("links.x = 'a'\nsource = 'src'\nvars.v = 'w'\n[[link]]\nat = '{v}'\nto = 'b'\n");
    assert_eq!(links(&short), [pair("x", "src/a"), pair("w", "src/b")]);
}

#[test]
fn an_entry_says_what_the_defaults_do_not() {
    let head = "[defaults]\nstyle = 'absolute'\non_conflict = 'skip'\nparents = false\nallow_dangling = true\n";
    let manifest = good(&format!(
        "{head}allow_outside = true\n[links]\na = 't'\n[[link]]\nat = 'b'\nto = 't'\n[[link]]\nat = 'c'\nto = 't'\n\
         style = 'relative'\non_conflict = 'backup'\nparents = true\nallow_dangling = false\nallow_outside = false\n"
    ));
    assert_eq!(manifest.on_conflict(), OnConflict::Skip);
    for (link, own) in manifest.links().iter().zip([false, false, true]) {
        assert_eq!(link.target.style(), if own { Style::Relative } else { Style::Absolute }, "{}", link.link);
        assert_eq!(link.on_conflict, own.then_some(OnConflict::Backup), "the defaults are no word of its own");
        assert_eq!((link.parents, link.allow_dangling, link.allow_outside), (own, !own, !own));
    }
    let plain = good("[links]\na = 't'\n");
    let link = &plain.links()[0];
    assert_eq!((link.parents, link.allow_dangling, link.allow_outside), (true, false, false));
    assert_eq!((plain.on_conflict(), link.target.style()), (OnConflict::Refuse, Style::Relative));
}

#[test]
fn an_entry_is_declared_where_all_lists_of_when_match() {
    for (when, holds) in [
        ("os = ['linux']", true),
        ("os = ['macos', 'linux']", true),
        ("os = ['lin*']", true),
        ("os = ['macos']", false),
        ("os = ['Linux']", false),
        ("arch = ['x86_64']", true),
        ("arch = ['aarch64']", false),
        ("user = ['alice', 'bob']", true),
        ("user = ['root']", false),
        ("host = ['web-*']", true),
        ("host = ['web-1']", true),
        ("host = ['web-1.example.org']", true),
        ("host = ['*.example.org']", true),
        ("host = ['web-1.*']", true),
        ("host = ['example']", false),
        ("host = ['web-2']", false),
        ("host = ['{web,db}-[0-9]']", true),
        ("os = ['linux'], host = ['db-*']", false),
        ("os = ['linux'], host = ['web-*'], user = ['alice'], arch = ['*']", true),
        ("", true),
    ] {
        for table in ["[[link]]\nat = 'l'\nto = 't'", "[[absent]]\nat = 'l'"] {
            let manifest = good(&format!("{table}\nwhen = {{ {when} }}\n"));
            let declared = manifest.links().len() + manifest.unwanted().len();
            assert_eq!(declared == 1, holds, "{when}");
        }
    }
    // Two that never hold together are no link twice.
    let either =
        "[[link]]\nat = 'l'\nto = 'a'\nwhen.os = ['linux']\n[[link]]\nat = 'l'\nto = 'b'\nwhen.os = ['macos']\n";
    assert_eq!(links(&good(either)), [pair("l", "a")]);
}

#[test]
fn variables_stand_in_every_path_and_text_of_an_entry() {
    let manifest = good(
        "[vars]\ncfg = '.config'\nn = 'v'\n[links]\n'{cfg}/a' = '{n}/{os}'\n[[link]]\nat = '{cfg}/{host}'\nto = '{arch}'\n\
         [[link]]\nat = '{user}'\nto = '{{{n}}}'\nstyle = 'verbatim'\n[[absent]]\nat = '{cfg}/x'\nif_to = '{a,b}'\n",
    );
    let expected = [pair(".config/a", "v/linux"), pair(".config/web-1.example.org", "x86_64"), pair("alice", "{v}}")];
    assert_eq!(links(&manifest), expected);
    let absent = &manifest.unwanted()[0];
    assert_eq!(absent.link.as_path(), Path::new(".config/x"));
    assert!(absent.if_to.as_ref().unwrap().matches("b"), "a glob is no text of an entry");
}

#[test]
fn values_of_variables_are_not_read_for_variables() {
    let manifest = good("[vars]\na = '{b}'\nb = 'x'\n[links]\n'{a}' = '{b}'\n");
    assert_eq!(links(&manifest), [pair("{b}", "x")]);
}

#[test]
fn tables_can_be_written_in_every_way_that_toml_has() {
    let ways = [
        "[links]\n'a/b' = 't'\n",
        "links = { 'a/b' = 't' }\n",
        "links.'a/b' = 't'\n",
        "[[link]]\nat = 'a/b'\nto = 't'\n",
        "link = [{ at = 'a/b', to = 't' }]\n",
        "link = [\n  { at = \"a/b\", to = \"\"\"t\"\"\" },\n]\n",
        "[links]\r\n\"a/\\u0062\" = \"t\" # comment\r\n",
    ];
    for way in ways {
        assert_eq!(links(&good(way)), [pair("a/b", "t")], "{way}");
    }
    let app = good("release.web.shared = [{ at = 'a', to = 'b' }]\n");
    assert_eq!(app.apps()["web"].shared.len(), 1);
}

#[test]
fn times_and_numbers_of_a_release_are_read() {
    let manifest = good(
        "[release.web]\nkeep = 0\ngrace = '2h'\ncheck_timeout = '500ms'\ncheck_retries = 0x10\ncheck_interval = '1d'\n[release.'a.b-c_1']\n",
    );
    let web = &manifest.apps()["web"];
    assert_eq!((web.keep, web.grace), (Some(0), Some(Duration::from_secs(7200))));
    assert_eq!((web.check_timeout, web.check_retries), (Duration::from_millis(500), 16));
    assert_eq!(web.check_interval, Duration::from_secs(86_400));
    let other = &manifest.apps()["a.b-c_1"];
    assert_eq!((other.keep, other.grace, &other.current, &other.releases), (None, None, &None, &None));
}

#[test]
fn what_shall_be_absent_can_become_a_directory() {
    let manifest = good("[links]\n'.config/nvim' = 'nvim'\n[[absent]]\nat = '.config'\n");
    assert_eq!((manifest.links().len(), manifest.unwanted().len()), (1, 1));
}

#[test]
fn a_manifest_is_read_for_the_machine_that_is_said() {
    let text = with_head("[links]\n'{host}' = '{user}'\n");
    let facts = Facts { host: "a".into(), user: "b".into(), ..Facts::default() };
    assert_eq!(links(&Manifest::parse(text.as_bytes(), &facts).unwrap()), [pair("a", "b")]);
}
