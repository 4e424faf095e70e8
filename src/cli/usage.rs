//! Arguments that cannot be parsed, and those that ask for help.
//!
//! A caller that asked for JSON gets it here as well, so what was meant is read from the arguments as far as it goes.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::slice::Iter;

use caplink::Kind;
use clap::ValueEnum as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::args::Color;
use super::context::root_path;
use super::output;
use super::problem::Problem;
use super::report::Report;

/// Global options that are followed by a value.
const WITH_VALUE: &[&str] =
    &["-C", "--root", "--color", "--require", "--confine", "--durability", "--state", "--format"];

/// Options of verbs whose value may look like an option.
const ANY_VALUE: &[&str] = &["--to", "--expect", "--exclude", "--rebase", "--retarget", "--fallback"];

pub(crate) fn answer(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    let meant = Meant::by(arguments.get(1..).unwrap_or_default());
    let styled = error.render();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let mut out = output::stdout(meant.color);
        let printed = write!(out, "{}", styled.ansi()).and_then(|()| out.flush());
        return output::heard(printed, meant.color).into();
    }
    let plain = styled.to_string();
    let message = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "a verb is missing".to_owned(),
        _ => first_paragraph(&plain),
    };
    let mut report = Report::bare(meant.verb, root_path(meant.root.map(Into::into)).into(), meant.dry_run);
    let mut problem = Problem::new(Kind::Usage, message);
    let hint = own_hint(error, meant.verb);
    if let Some(hint) = hint {
        problem.hint = Some(hint.to_owned());
    }
    report.errors.push(problem);
    let mut class = report.class();
    if meant.json {
        let mut out = io::stdout().lock();
        let printed = writeln!(out, "{}", report.document()).and_then(|()| out.flush());
        class = class.and(output::heard(printed, meant.color));
    }
    let mut err = output::stderr(meant.color);
    // The message repeats what was written, which may hold control characters.
    for (index, paragraph) in plain.split("\n\n").filter(|part| hint.is_none() || !is_tip(part)).enumerate() {
        if index > 0 {
            let _unheard = writeln!(err);
        }
        for line in paragraph.lines() {
            let _unheard = writeln!(err, "{}", caplink::printable(line));
        }
        if let (0, Some(hint)) = (index, hint) {
            let _unheard = writeln!(err, "\n  tip: {hint}");
        }
    }
    class.into()
}

/// What to do instead of something that is written out of habit; `clap` would have an option passed as a value.
fn own_hint(error: &clap::Error, verb: Option<&str>) -> Option<&'static str> {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else { return None };
    match (argument.as_str(), verb) {
        ("--force" | "-f", _) => {
            Some("there is no `--force`; each risk has an option of its own name, which `caplink VERB --help` shows")
        }
        (word, Some("create" | "ensure" | "swap"))
            if error.kind() == ErrorKind::UnknownArgument && !word.starts_with('-') =>
        {
            Some("one link is named; what it is to point to is given with `--to`")
        }
        _ => None,
    }
}

fn is_tip(paragraph: &str) -> bool {
    paragraph.trim_start().starts_with("tip: ")
}

fn first_paragraph(plain: &str) -> String {
    let paragraph = plain.split("\n\n").next().unwrap_or_default();
    let message = paragraph.strip_prefix("error: ").unwrap_or(paragraph);
    message.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// What the arguments ask for, as far as they can be understood.
struct Meant {
    json: bool,
    dry_run: bool,
    color: Color,
    root: Option<OsString>,
    verb: Option<&'static str>,
}

impl Meant {
    fn by(arguments: &[OsString]) -> Meant {
        let mut meant = Meant { json: false, dry_run: false, color: Color::Auto, root: None, verb: None };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let Some(argument) = argument.to_str() else { continue };
            match argument {
                "--" => break,
                "--json" => meant.json = true,
                "--dry-run" => meant.dry_run = true,
                option if WITH_VALUE.contains(&option) => {
                    if let Some(value) = value(&mut arguments) {
                        meant.set(option, value);
                    }
                }
                option if ANY_VALUE.contains(&option) => drop(arguments.next()),
                option if option.starts_with("--") => {
                    if let Some((option, value)) = option.split_once('=') {
                        meant.set(option, value.as_ref());
                    }
                }
                letters if letters.starts_with('-') => meant.set_letters(letters, &mut arguments),
                word if meant.verb.is_none() => meant.verb = verb(word),
                _ => {}
            }
        }
        meant
    }

    /// Options of one letter each; behind one that takes a value comes its value.
    fn set_letters(&mut self, letters: &str, arguments: &mut Iter<'_, OsString>) {
        for (at, letter) in letters.char_indices().skip(1) {
            let rest = &letters[at + letter.len_utf8()..];
            match letter {
                'n' => self.dry_run = true,
                'C' | 'j' => {
                    let value = match rest {
                        "" => value(arguments),
                        rest => Some(OsStr::new(rest.strip_prefix('=').unwrap_or(rest))),
                    };
                    if let (Some(value), 'C') = (value, letter) {
                        self.set("-C", value);
                    }
                    return;
                }
                _ => {}
            }
        }
    }

    fn set(&mut self, option: &str, value: &OsStr) {
        match option {
            "--format" => self.json |= value == "json" || value == "ndjson",
            "-C" | "--root" => self.root = Some(value.to_os_string()),
            "--color" => {
                let color = value.to_str().and_then(|value| Color::from_str(value, false).ok());
                self.color = color.unwrap_or(self.color);
            }
            _ => {}
        }
    }
}

/// What follows an option, unless it is an option itself.
fn value<'a>(arguments: &mut Iter<'a, OsString>) -> Option<&'a OsStr> {
    let value = arguments.as_slice().first().filter(|value| !value.as_encoded_bytes().starts_with(b"-"))?;
    arguments.next();
    Some(value)
}

fn verb(word: &str) -> Option<&'static str> {
    VERBS.iter().copied().find(|verb| *verb == word)
}

/// The verbs by their names, as they stand in a report.
const VERBS: &[&str] = &[
    "create",
    "ensure",
    "swap",
    "exchange",
    "remove",
    "repair",
    "inspect",
    "resolve",
    "scan",
    "doctor",
    "completions",
    "man",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::grammar;

    fn meant(arguments: &[&str]) -> Meant {
        Meant::by(&arguments.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn the_definitions_of_the_arguments_hold_together() {
        grammar().debug_assert();
    }

    #[test]
    fn every_verb_is_known_by_its_name() {
        let command = grammar();
        let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        assert_eq!(names, VERBS);
    }

    #[test]
    fn what_was_meant_is_read_from_arguments_that_do_not_parse() {
        let seen = meant(&["-C", "/srv", "create", "x", "--json"]);
        assert_eq!((seen.json, seen.verb, seen.root), (true, Some("create"), Some("/srv".into())));
        assert_eq!(meant(&["--root=ensure", "swap", "--to"]).verb, Some("swap"));
        assert!(!meant(&["create", "x", "--", "--json"]).json);
        assert!(!meant(&["create", "x", "--to", "--json"]).json);
        assert!(meant(&["create", "--state", "--json"]).json);
        assert!(meant(&["-qn", "create"]).dry_run && meant(&["create", "--dry-run"]).dry_run);
        for line in [&["create", "--to", "-n"][..], &["-Cnone", "create"], &["repair", "--fallback", "-n"]] {
            assert!(!meant(line).dry_run, "{line:?}");
        }
        for (line, root) in [("-Cnone", "none"), ("-vC=a", "a"), ("-nqCb", "b")] {
            assert_eq!(meant(&[line, "create"]).root, Some(root.into()), "{line}");
        }
        assert!(meant(&["-nqCb", "create"]).dry_run && meant(&["-nC", "dir"]).root == Some("dir".into()));
        assert!(meant(&["-qC", "-n"]).dry_run, "it is no value");
    }
}
