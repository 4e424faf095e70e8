//! The way out that an error names is one for what was asked.

use std::os::unix::fs::symlink;

use crate::support::{Place, answer, caplink, ran};

const OUTSIDE: &str = "`--allow-outside` with `--style verbatim` stores a text that leads outside";

#[test]
fn a_link_that_was_not_to_be_replaced_is_replaced_without_that_option() {
    let place = Place::new();
    place.link("l", "file");
    let refused = place.ask("ensure l --to a --no-replace");
    let hint = refused.error()["hint"].as_str().unwrap();
    assert!(hint.starts_with("without `--no-replace` it is replaced; look with `caplink "), "{hint}");
    let hint = place.ask("create l --to a").error()["hint"].to_string();
    assert!(hint.contains("`ensure` replaces a link"), "{hint}");
}

#[test]
fn a_target_outside_has_a_way_for_whoever_means_a_text_and_for_whoever_means_outside() {
    let place = Place::new();
    let hint = |line: &str| place.ask(line).error()["hint"].as_str().unwrap().to_owned();
    let absolute = hint("create l --to /etc/passwd");
    assert!(absolute.starts_with("name the target below the root") && absolute.ends_with(OUTSIDE), "{absolute}");
    let text = hint("create a/l --to ../file");
    assert!(text.contains("`--style verbatim` stores a text as it is"), "{text}");
    assert_eq!(place.ask("create a/l --to ../file --style verbatim").outcome(), "created");
    assert_eq!(place.ask("create l --to /etc/passwd --allow-outside --style verbatim").outcome(), "created");
    assert_eq!(place.ask("create out --to ../x --allow-outside --style verbatim").outcome(), "created");
}

#[test]
fn options_that_do_not_go_together_are_described_by_the_verb() {
    let place = Place::new();
    place.link("l", "file").link("m", "file");
    for (line, hint) in [
        ("remove l m --expect file", "`caplink remove --help` shows what it takes"),
        ("scan -0", "`caplink scan --help` shows what it takes"),
        ("scan --format paths", "`caplink scan --help` shows what it takes"),
        ("man ensure", "leave out `--json`"),
    ] {
        assert_eq!(place.ask(line).error()["hint"], hint, "{line}");
    }
}

#[test]
fn a_state_directory_that_cannot_be_is_no_path_to_resolve() {
    let place = Place::new();
    for state in ["/nonexistent/state", "/"] {
        let hint = place.json(["doctor", "--state", state]).error()["hint"].to_string();
        assert!(hint.contains("`--state DIR` names a private directory"), "{state}: {hint}");
    }
}

#[test]
fn a_command_that_is_named_works_where_paths_look_like_options() {
    let place = Place::new();
    let root = place.root.join("-r");
    std::fs::create_dir(&root).unwrap();
    symlink("nowhere", root.join("- l")).unwrap();
    // What hints name is pasted by each run.
    let scan = ran(caplink().args(["--root=-r", "scan"]).current_dir(&place.root));
    assert!(String::from_utf8_lossy(&scan.err).contains("caplink --root=-r repair"), "{scan:?}");
    let taken = answer(
        caplink()
            .args(["--json", "--root=-r", "create", "--to", "- l", "--state=-s", "--", "- l"])
            .current_dir(&place.root),
    );
    let hint = taken.error()["hint"].as_str().unwrap();
    assert!(hint.ends_with("`caplink --root=-r inspect -- '- l'`"), "{hint}");
}
