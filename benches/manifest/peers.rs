//! Other programs that make the same links.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::ground::{Ground, SIDES};
use crate::phases::{Peer, Phase};

/// Where dotbot may be, beside where programs are looked for.
const DOTBOT: &str = "/opt/dotbot/bin/dotbot";

fn nothing(_: &Ground) -> Result<()> {
    Ok(())
}

/// The programs that can do many links.
pub(super) fn all() -> Vec<Peer> {
    let dotbot = if Path::new(DOTBOT).exists() { DOTBOT } else { "dotbot" };
    vec![
        Peer { name: "caplink", program: env!("CARGO_BIN_EXE_caplink"), prepare: nothing, command: caplink },
        Peer { name: "stow", program: "stow", prepare: nothing, command: stow },
        Peer { name: "dotbot", program: dotbot, prepare: for_dotbot, command: run_dotbot },
        Peer { name: "cp -rs", program: "cp", prepare: nothing, command: cp },
        Peer { name: "systemd-tmpfiles", program: "systemd-tmpfiles", prepare: for_tmpfiles, command: tmpfiles },
    ]
}

/// The programs that take seconds for a hundred, beside caplink.
pub(super) fn slow() -> Vec<Peer> {
    vec![
        Peer { name: "caplink", program: env!("CARGO_BIN_EXE_caplink"), prepare: nothing, command: caplink },
        Peer { name: "ansible", program: "ansible-playbook", prepare: for_ansible, command: ansible },
    ]
}

fn caplink(ground: &Ground, phase: Phase) -> Option<Command> {
    if phase == Phase::Flip {
        ground.declare(SIDES[1]).ok()?;
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_caplink"));
    command.current_dir(&ground.dir).arg(if phase == Phase::Back { "unapply" } else { "apply" });
    Some(command)
}

fn stow(ground: &Ground, phase: Phase) -> Option<Command> {
    let words: &[&str] = match phase {
        Phase::First | Phase::Again | Phase::Settled => &["-S", SIDES[0]],
        Phase::Flip => &["-D", SIDES[0], "-S", SIDES[1]],
        Phase::Back => &["-D", SIDES[1]],
    };
    let mut command = Command::new("stow");
    command.env("HOME", &ground.dir).current_dir(&ground.dir).args(["-d", "src", "-t", "out", "--no-folding"]);
    command.args(words);
    Some(command)
}

fn for_dotbot(ground: &Ground) -> Result<()> {
    for side in SIDES {
        let links = ground.names().map(|name| (format!("out/{name}"), format!("src/{side}/{name}").into()));
        let links: serde_json::Map<String, serde_json::Value> = links.collect();
        let defaults = serde_json::json!({"defaults": {"link": {"create": true, "relink": true}}});
        let config = serde_json::json!([defaults, {"link": links}]);
        fs::write(ground.dir.join(format!("{side}.json")), config.to_string())?;
    }
    Ok(())
}

fn run_dotbot(ground: &Ground, phase: Phase) -> Option<Command> {
    let config = match phase {
        Phase::First | Phase::Again | Phase::Settled => "v1.json",
        Phase::Flip => "v2.json",
        Phase::Back => return None,
    };
    let mut command = Command::new(if Path::new(DOTBOT).exists() { DOTBOT } else { "dotbot" });
    command.current_dir(&ground.dir).args(["-q", "-d", ".", "-c", config]);
    Some(command)
}

fn cp(ground: &Ground, phase: Phase) -> Option<Command> {
    let from = |side: &str| ground.dir.join("src").join(side);
    let mut command = Command::new(if phase == Phase::Back { "rm" } else { "cp" });
    command.current_dir(&ground.dir);
    match phase {
        Phase::First => command.arg("-rsT").arg(from(SIDES[0])).arg("out"),
        Phase::Again | Phase::Settled => command.arg("-rsnT").arg(from(SIDES[0])).arg("out"),
        Phase::Flip => command.arg("-rsfT").arg(from(SIDES[1])).arg("out"),
        Phase::Back => command.args(["-r", "out"]),
    };
    Some(command)
}

fn for_tmpfiles(ground: &Ground) -> Result<()> {
    let out = ground.dir.join("out");
    for (side, kind) in [(SIDES[0], "L"), (SIDES[1], "L+")] {
        let mut text = String::new();
        for dir in ground.dirs() {
            writeln!(text, "d {}/{dir}", out.display())?;
        }
        for name in ground.names() {
            writeln!(text, "{kind} {}/{name} - - - - ../../src/{side}/{name}", out.display())?;
        }
        fs::write(ground.dir.join(format!("{side}.conf")), text)?;
    }
    let removed: String = ground.names().map(|name| format!("r {}/{name}\n", out.display())).collect();
    Ok(fs::write(ground.dir.join("back.conf"), removed)?)
}

fn tmpfiles(ground: &Ground, phase: Phase) -> Option<Command> {
    let (verb, config) = match phase {
        Phase::First | Phase::Again | Phase::Settled => ("--create", "v1.conf"),
        Phase::Flip => ("--create", "v2.conf"),
        Phase::Back => ("--remove", "back.conf"),
    };
    let mut command = Command::new("systemd-tmpfiles");
    command.arg(verb).arg(ground.dir.join(config));
    Some(command)
}

fn for_ansible(ground: &Ground) -> Result<()> {
    for (file, side, state) in [("v1.yml", SIDES[0], "link"), ("v2.yml", SIDES[1], "link"), ("back.yml", "", "absent")]
    {
        let link = if side.is_empty() { String::new() } else { format!(", src: '../../src/{side}/{{{{ item }}}}'") };
        let mut text = "- hosts: localhost\n  gather_facts: false\n  tasks:\n".to_owned();
        for dir in ground.dirs().filter(|_| !side.is_empty()) {
            writeln!(text, "  - file: {{path: '{}/out/{dir}', state: directory}}", ground.dir.display())?;
        }
        let out = ground.dir.join("out");
        writeln!(text, "  - file: {{path: '{}/{{{{ item }}}}', state: {state}{link}}}\n    loop:", out.display())?;
        ground.names().try_for_each(|name| writeln!(text, "    - {name}"))?;
        fs::write(ground.dir.join(file), text)?;
    }
    Ok(())
}

fn ansible(ground: &Ground, phase: Phase) -> Option<Command> {
    let playbook = match phase {
        Phase::First | Phase::Again | Phase::Settled => "v1.yml",
        Phase::Flip => "v2.yml",
        Phase::Back => "back.yml",
    };
    let mut command = Command::new("ansible-playbook");
    command.current_dir(&ground.dir).env("HOME", &ground.dir).args(["-c", "local", "-i", "localhost,", playbook]);
    Some(command)
}
