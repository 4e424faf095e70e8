//! Every command line that README.md shows is run, and prints what README.md shows.
#![cfg(feature = "cli")]

use std::fs;
use std::process::Command;

use tempfile::TempDir;

/// A command as it is shown, with the output that follows it.
struct Shown<'a> {
    command: &'a str,
    output: String,
}

fn shown(readme: &str) -> Vec<Shown<'_>> {
    let mut commands: Vec<Shown<'_>> = Vec::new();
    let mut console = false;
    for line in readme.lines() {
        match line {
            "```console" => console = true,
            "```" => console = false,
            _ if !console => {}
            line => match (line.strip_prefix("$ "), commands.last_mut()) {
                (Some(command), _) => commands.push(Shown { command, output: String::new() }),
                (None, Some(last)) => last.output += &format!("{line}\n"),
                (None, None) => panic!("output before the first command: {line}"),
            },
        }
    }
    commands
}

#[test]
fn every_command_line_prints_what_the_readme_shows() {
    let dir = TempDir::new().unwrap();
    for release in ["41", "42"] {
        let release_dir = dir.path().join("releases").join(release);
        fs::create_dir_all(&release_dir).unwrap();
        fs::write(release_dir.join("version"), release).unwrap();
    }
    let commands = shown(include_str!("../README.md"));
    assert!(commands.len() >= 5, "the README shows how it is used");
    for Shown { command, output } in commands {
        let mut words = command.split_whitespace();
        assert_eq!(words.next(), Some("caplink"), "{command}");
        let mut program = Command::new(env!("CARGO_BIN_EXE_caplink"));
        let ran = program.args(words).current_dir(dir.path()).env_remove("CAPLINK_ROOT").output().unwrap();
        let mut said = String::from_utf8(ran.stdout).unwrap() + &String::from_utf8(ran.stderr).unwrap();
        if let Some(code @ 1..) = ran.status.code() {
            said += &format!("[exit {code}]\n");
        }
        assert_eq!(said, output, "{command}");
    }
}
