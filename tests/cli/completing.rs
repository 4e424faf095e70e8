//! The shells complete the names of links, each in its own way.

use std::fs;
use std::process::Command;

use crate::support::{Place, skipped};

/// What a shell offers, a line each; `None` where there is no such shell.
fn offered(place: &Place, shell: &str, script: &str) -> Option<Vec<String>> {
    let completions = place.base.path().join(format!("completions.{shell}"));
    fs::write(&completions, place.words(&format!("completions {shell}")).out).unwrap();
    let mut command = Command::new(shell);
    command.arg("-c").arg(script.replace("COMPLETIONS", completions.to_str().unwrap()));
    command.current_dir(place.base.path()).env_remove("CAPLINK_ROOT").env("HOME", place.base.path());
    let output = command.output().ok()?;
    let mut lines: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    lines.sort();
    Some(lines)
}

#[test]
fn a_link_to_a_directory_is_completed_without_a_slash_below_the_root_that_is_given() {
    let place = Place::new();
    place.link("current", "releases/1").link("a/curious", "b");
    fs::create_dir(place.root.join("curb")).unwrap();
    fs::write(place.root.join("a file"), "").unwrap();
    let bash = |words: &str, typed: &str, before: &str| {
        format!(
            "source COMPLETIONS; COMP_WORDS=({words} '{typed}'); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _caplink_below_root caplink '{typed}' '{before}'; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        )
    };
    let fish = |line: &str| format!("source COMPLETIONS; complete -C '{line}'");
    let mut expected = [
        ("caplink -C root remove", "cu", vec!["curb/", "current"]),
        ("caplink -C root swap", "a/c", vec!["a/curious"]),
        ("caplink -C root inspect", "root-less", vec![]),
    ];
    for (words, typed, names) in &mut expected {
        let before = words.rsplit(' ').next().unwrap();
        match offered(&place, "bash", &bash(words, typed, before)) {
            Some(lines) => {
                assert_eq!(lines.iter().filter(|line| !line.is_empty()).collect::<Vec<_>>(), *names, "{words}")
            }
            None => skipped("completing::bash", "there is no bash"),
        }
        match offered(&place, "fish", &fish(&format!("{words} {typed}"))) {
            Some(lines) => assert_eq!(lines, *names, "{words} {typed}"),
            None => skipped("completing::fish", "there is no fish"),
        }
    }
    let quoted = offered(&place, "bash", &bash("caplink -C root inspect", "a", "inspect"));
    assert!(quoted.is_none_or(|lines| lines == ["a/", "a\\ file"]));
}
