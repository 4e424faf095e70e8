//! Whole outputs, as people see them.

use std::process::{Command, Stdio};

use crate::support::{Place, Ran, document, ran, skipped};

/// Runs each line and shows what it printed: stdout as it is, stderr after `! `, a code other than 0 after `= `.
fn transcript(place: &Place, lines: &[&str]) -> String {
    let mut shown = String::new();
    for line in lines {
        shown.push_str(&format!("$ caplink {line}\n"));
        let ran = place.words(line);
        shown.push_str(ran.out());
        for line in ran.err().lines() {
            shown.push_str(&format!("! {line}\n"));
        }
        if ran.code != 0 {
            shown.push_str(&format!("= {}\n", ran.code));
        }
    }
    let root = place.root.display().to_string();
    shown.replace(&root, "ROOT")
}

#[test]
fn changes_are_one_line_each_from_what_to_what() {
    let place = Place::new();
    let shown = transcript(
        &place,
        &[
            "create current --to releases/1",
            "ensure current --to releases/2",
            "ensure current --to releases/2",
            "swap current --to releases/1 --expect releases/2",
            "create n/e/w --to file -p",
            "ensure file --to a --backup",
            "create other --to releases/2",
            "exchange current other",
            "remove other",
            "remove other --missing-ok",
            "ensure current --to releases/1 --dry-run",
            "remove current other -n",
            "create m/l --to file -pn",
            "ensure releases --to a --backup -n",
            "ensure current --to releases/2 -n",
        ],
    );
    let expected = "\
$ caplink create current --to releases/1
current -> releases/1 (created, atomic)
$ caplink ensure current --to releases/2
current: releases/1 -> releases/2 (replaced, atomic)
$ caplink ensure current --to releases/2
current -> releases/2 (unchanged)
$ caplink swap current --to releases/1 --expect releases/2
current: releases/2 -> releases/1 (replaced, atomic)
$ caplink create n/e/w --to file -p
n/e/w -> ../../file (created, atomic)
n: made
n/e: made
$ caplink ensure file --to a --backup
file -> a (created, atomic, backup file.backup)
$ caplink create other --to releases/2
other -> releases/2 (created, atomic)
$ caplink exchange current other
current: releases/1 -> releases/2 (exchanged, atomic)
other: releases/2 -> releases/1 (exchanged, atomic)
$ caplink remove other
other: releases/1 -> nothing (removed, atomic)
$ caplink remove other --missing-ok
other: nothing there (unchanged)
$ caplink ensure current --to releases/1 --dry-run
current: releases/2 -> releases/1 (would be replaced, atomic)
! note: this was a dry run, nothing was changed
$ caplink remove current other -n
current: releases/2 -> nothing (would be removed, atomic)
! error: cannot remove `other`: nothing has this name
! hint: `--missing-ok` takes an absent link as removed
! note: this was a dry run, nothing was changed
= 5
$ caplink create m/l --to file -pn
m/l -> ../file (would be created, atomic)
m: would be made
! note: this was a dry run, nothing was changed
$ caplink ensure releases --to a --backup -n
releases -> a (would be created, atomic, backup releases.backup)
! note: this was a dry run, nothing was changed
$ caplink ensure current --to releases/2 -n
current -> releases/2 (unchanged)
";
    assert_eq!(shown, expected);
}

#[test]
fn an_error_says_what_where_why_and_the_way_out() {
    let place = Place::new();
    place.link("current", "releases/1").link("d", "a");
    let shown = transcript(
        &place,
        &[
            "swap current --to releases/2 --expect releases/0",
            "create current --to releases/2",
            "create x --to nowhere",
            "create d/x --to file",
            "create ../x --to file",
            "create a/x --to ../../etc --style verbatim",
            "ensure file --to a",
            "create no/x --to file",
            "remove x",
            "inspect ../x file",
            "resolve nowhere",
        ],
    )
    .replace(&format!("-C {}", place.root.display()), "-C ROOT");
    let expected = "\
$ caplink swap current --to releases/2 --expect releases/0
! error: cannot swap `current`: it points to `releases/1`, expected `releases/0`
! hint: somebody switched it; look with `caplink -C ROOT inspect current`
= 3
$ caplink create current --to releases/2
! error: cannot create `current`: the name is taken by a link to `releases/1`
! hint: `ensure` replaces a link; look with `caplink -C ROOT inspect current`
= 3
$ caplink create x --to nowhere
! error: cannot create `x`: the target does not exist, at component `nowhere` (0)
! hint: `--allow-dangling` makes the link all the same
= 4
$ caplink create d/x --to file
! error: cannot create `d/x`: a parent directory is a symbolic link, at component `d` (0) via `a`
! hint: `--follow` goes through links that stay inside the root
= 4
$ caplink create ../x --to file
! error: cannot create `../x`: the path climbs above the root, at component `..` (0)
! hint: name a path below the root; `-C DIR` chooses another root
= 4
$ caplink create a/x --to ../../etc --style verbatim
! error: cannot create `a/x`: the target leads out of the root, at component `..` (1) via `../../etc`
! hint: `--allow-outside` with `--style verbatim` stores a text that leads outside
= 4
$ caplink ensure file --to a
! error: cannot ensure `file`: it is a regular file, not a symbolic link
! hint: `--backup` renames it and keeps it
= 3
$ caplink create no/x --to file
! error: cannot create `no/x`: a parent is missing, at component `no` (0)
! hint: `--parents` makes missing directories
= 5
$ caplink remove x
! error: cannot remove `x`: nothing has this name
! hint: `--missing-ok` takes an absent link as removed
= 5
$ caplink inspect ../x file
file: file [uid 0, mode 0644]
! error: cannot inspect `../x`: the path climbs above the root, at component `..` (0)
! hint: name a path below the root; `-C DIR` chooses another root
= 4
$ caplink resolve nowhere
! error: cannot resolve `nowhere`: there is no such entry, at component `nowhere` (0)
! hint: see each hop with `caplink -C ROOT resolve --explain nowhere`
= 5
";
    let uid = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(place.root.join("file")).unwrap());
    assert_eq!(shown, expected.replace("uid 0", &format!("uid {uid}")));
}

#[test]
fn links_are_shown_with_where_they_lead() {
    let place = Place::new();
    place.link("current", "releases/1").link("broken", "nowhere").link("way", "./current").link("out", "../outside");
    let uid = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(place.root.join("file")).unwrap());
    let shown = transcript(
        &place,
        &["inspect current broken way out gone .", "resolve way", "resolve --explain way", "resolve --explain out"],
    );
    let expected = "\
$ caplink inspect current broken way out gone .
current -> releases/1 (ok, 1 hop) = releases/1 (dir) [uid 0, mode 0777]
broken -> nowhere (dangling, 1 hop) [uid 0, mode 0777]
way -> ./current (ok, chain, 2 hops) = releases/1 (dir) [uid 0, mode 0777]
out -> ../outside (escape, 1 hop) [uid 0, mode 0777]
gone: missing
.: dir [uid 0, mode 0755]
$ caplink resolve way
releases/1
$ caplink resolve --explain way
way
 lrwxrwxrwx     0 way -> ./current
 lrwxrwxrwx     0   current -> releases/1
 drwxr-xr-x     0     releases
 drwxr-xr-x     0     1
= releases/1 (dir)
$ caplink resolve --explain out
out
 lrwxrwxrwx     0 out -> ../outside
! leaves the root, by `../outside`
! error: cannot resolve `out`: it leads out of the root, at component `out` (0) via `../outside`
= 4
";
    let expected = expected.replace("uid 0", &format!("uid {uid}")).replace("     0 ", &format!("{uid:>6} "));
    assert_eq!(shown, expected);
}

#[test]
fn control_characters_are_escaped() {
    let place = Place::new();
    let name = "a\nerror: forged\u{1b}[2J";
    let made = place.run(["create", "--style", "verbatim", "--allow-dangling", "--to", "\u{1b}]0;t\u{7}\t", name]);
    assert_eq!(made.out(), "a\\nerror: forged\\u{1b}[2J -> \\u{1b}]0;t\\u{7}\\t (created, atomic)\n");
    for line in [["inspect", name], ["create", "gone/\u{9b}x"], ["resolve", name], ["remove", "\u{1b}"]] {
        for color in ["never", "always"] {
            let Ran { out, err, .. } = place.run(
                line.into_iter()
                    .chain(["--color", color, "-vv"])
                    .chain((line[0] == "create").then_some(["--to", "\u{1b}[31m"]).into_iter().flatten()),
            );
            let printed = String::from_utf8([out, err].concat()).unwrap();
            assert!(!printed.contains("\u{1b}[2J") && !printed.contains('\u{9b}') && !printed.contains('\u{7}'));
            assert_eq!(printed.contains('\u{1b}'), color == "always", "{printed}");
        }
    }
}

#[test]
fn colour_is_for_terminals_unless_it_is_asked_for() {
    let place = Place::new();
    place.link("l", "file");
    let coloured = |set: &[(&str, &str)], options: &[&str]| {
        let mut command = place.command(["inspect", "l", "../x"]);
        let ran = ran(command.args(options).envs(set.iter().copied()));
        (ran.out.contains(&0x1b), ran.err.contains(&0x1b))
    };
    assert_eq!(coloured(&[], &[]), (false, false), "neither is a terminal");
    assert_eq!(coloured(&[("CLICOLOR_FORCE", "1")], &["--color", "auto"]), (false, false));
    assert_eq!(coloured(&[], &["--color", "never"]), (false, false));
    assert_eq!(coloured(&[], &["--color=always"]), (true, true));
    assert_eq!(coloured(&[("NO_COLOR", "1")], &["--color=always"]), (true, true));
    assert!(!coloured(&[], &["--color=always", "--json"]).0);
}

#[test]
fn on_a_terminal_there_is_colour_unless_the_user_wants_none() {
    let place = Place::new();
    let inspect = format!("{} -C {} inspect gone", env!("CARGO_BIN_EXE_caplink"), place.root.display());
    let shown = |variables: &[(&str, &str)], options: &str| {
        // `script` gives its command a terminal.
        let mut script = Command::new("script");
        script.args(["-qec", &format!("{inspect} {options}"), "/dev/null"]).stdin(Stdio::null());
        script.env_remove("NO_COLOR").env("TERM", "xterm").envs(variables.iter().copied());
        script.output().ok().filter(|output| output.status.success()).map(|output| output.stdout)
    };
    let Some(coloured) = shown(&[], "") else {
        skipped("transcripts::on_a_terminal_there_is_colour_unless_the_user_wants_none", "there is no `script`");
        return;
    };
    assert!(coloured.contains(&0x1b));
    let plain: &[(&[_], &str)] = &[
        (&[("NO_COLOR", "1")], ""),
        (&[("TERM", "dumb")], ""),
        (&[], "--color never"),
        (&[("NO_COLOR", "1")], "--color auto"),
    ];
    for (variables, options) in plain {
        let shown = shown(variables, options).unwrap();
        assert!(!shown.contains(&0x1b), "{variables:?} {options}");
    }
    assert!(shown(&[("NO_COLOR", "")], "").unwrap().contains(&0x1b), "an empty NO_COLOR says nothing");
    assert!(shown(&[("NO_COLOR", "1")], "--color always").unwrap().contains(&0x1b));
}

#[test]
fn quiet_says_less_and_verbose_says_more_on_stderr() {
    let place = Place::new();
    place.link("l", "file");
    let stderr = |options: &str| place.words(&format!("create l --to file {options}")).err().to_owned();
    assert!(stderr("").contains("\nhint: "));
    assert!(stderr("-q").starts_with("error: ") && !stderr("-q").contains("hint: "));
    assert!(stderr("-qq").starts_with("error: "), "an error is never silenced");
    assert!(stderr("-vv").contains("note: root: "));
    let stdout = |options: &str| place.words(&format!("ensure l --to file {options}")).out().to_owned();
    for options in ["", "-q", "-v", "-vv"] {
        assert_eq!(stdout(options), "l -> file (unchanged)\n");
    }
    assert_eq!(stdout("-qq"), "");
    assert!(place.words("ensure l --to a -v -n").err().starts_with("note: l: would be read back, "));
    assert!(place.words("ensure l --to a -v").err().starts_with("note: l: read back, "));
    assert_eq!(place.words("inspect l -qqq").out().lines().count(), 1, "an answer is not news");
}

#[test]
fn with_json_there_is_one_document_on_stdout_and_messages_stay_on_stderr() {
    let place = Place::new();
    let refused = place.words("--json create x --to nowhere -vv");
    assert_eq!(refused.out().lines().count(), 1);
    assert_eq!(document(&refused.out)["errors"][0]["kind"], "dangling");
    assert!(refused.err().contains("error: cannot create `x`"));
    let made = place.words("--json create x --to file");
    assert_eq!((made.out().lines().count(), made.err()), (1, ""));
}
