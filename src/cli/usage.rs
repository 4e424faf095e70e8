//! Arguments that cannot be parsed, and those that ask for help.
//!
//! A caller that asked for JSON gets it here as well, so what was meant is read from the arguments as far as it goes.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::process::ExitCode;
use std::slice::Iter;

use caplink::Kind;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, ValueEnum as _};

use super::args::grammar;
use super::context::root_path;
use super::global::Color;
use super::hint;
use super::output;
use super::problem::Problem;
use super::report::Report;
use super::scan;

pub(crate) fn answer(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    let meant = Meant::by(arguments.get(1..).unwrap_or_default(), &grammar());
    let styled = error.render();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let mut out = output::stdout(meant.color);
        let printed = write!(out, "{}", styled.ansi()).and_then(|()| out.flush());
        return output::written(printed, false, meant.color).into();
    }
    let plain = styled.to_string();
    let message = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "a verb is missing".to_owned(),
        _ => first_paragraph(&plain),
    };
    let hint = own_hint(error, meant.verb.as_deref());
    let verb = meant.verb.clone();
    let root = root_path(meant.root.map(Into::into)).into();
    let mut report = Report::bare(meant.verb, root, meant.dry_run).rooted(meant.rooted);
    let of_verb = || of_verb(verb.as_deref());
    report.errors.push(Problem::new(Kind::Usage, message).hinted(hint.clone().or_else(of_verb)));
    let mut class = report.class();
    let printed = match (meant.lines, verb.as_deref()) {
        (true, Some("scan")) => output::raw_stdout().write_all(&scan::error_lines(&report)),
        _ if meant.json => output::print_json(&report),
        _ => Ok(()),
    };
    class = class.and(output::written(printed, false, meant.color));
    let mut err = output::stderr(meant.color);
    // The message repeats what was written, which may hold control characters.
    for (index, paragraph) in plain.split("\n\n").filter(|part| hint.is_none() || !is_tip(part)).enumerate() {
        if index > 0 {
            let _unheard = writeln!(err);
        }
        for line in paragraph.lines() {
            let _unheard = writeln!(err, "{}", caplink::printable(line));
        }
        if let (0, Some(hint)) = (index, &hint) {
            let _unheard = writeln!(err, "\n  tip: {hint}");
        }
    }
    class.into()
}

/// What to do instead of something that is written out of habit; `clap` would have an option passed as a value.
fn own_hint(error: &clap::Error, verb: Option<&str>) -> Option<String> {
    if let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) {
        return habit(word).map(str::to_owned);
    }
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else { return None };
    match (argument.as_str(), verb) {
        ("--force" | "-f", _) => {
            Some("there is no `--force`; each risk has an option of its own name, which `--help` shows".to_owned())
        }
        (word, Some("create" | "ensure" | "swap"))
            if error.kind() == ErrorKind::UnknownArgument && !word.starts_with('-') =>
        {
            Some("one link is named; what it is to point to is given with `--to`".to_owned())
        }
        _ => None,
    }
}

/// The verb for a word that another program has for it.
fn habit(word: &str) -> Option<&'static str> {
    Some(match word {
        "ln" | "link" | "symlink" | "add" | "new" => {
            "`create LINK --to TARGET` makes a link, `ensure` replaces one too"
        }
        "ls" | "list" | "find" | "tree" => "`scan` shows every link, `inspect PATH` what is under a name",
        "rm" | "unlink" | "delete" => "`remove LINK` removes a link",
        "readlink" | "stat" | "show" => "`inspect PATH` shows a link with its text",
        "realpath" | "namei" | "follow" => "`resolve PATH` shows where a path leads, with `--explain` each hop",
        "mv" | "rename" => "`exchange A B` exchanges two links; one is moved by `create` and `remove`",
        "set" | "update" | "replace" => "`ensure LINK --to TARGET` replaces a link, `swap` one whose text is known",
        "check" | "status" | "verify" => "`scan --exit-code` says whether all links are well",
        "monitor" | "tail" => "`watch` stays and prints a line for each change; `metrics` prints numbers",
        "fix" => "`repair` repairs links, each kind of repair by an option of its own",
        "history" | "journal" => "`log` shows what was changed, from the day on that `records init` was run",
        "rollback" | "revert" => {
            "`undo --group ID` takes a group back; `swap LINK --to OLD --expect NEW` one link, as `log` shows it"
        }
        _ => return None,
    })
}

/// Where the options are described.
fn of_verb(verb: Option<&str>) -> Option<String> {
    match verb {
        Some(verb) => Some(hint::usage(verb)),
        None => hint::plain(Kind::Usage).map(str::to_owned),
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
    /// One object a line rather than one document.
    lines: bool,
    dry_run: bool,
    rooted: bool,
    color: Color,
    root: Option<OsString>,
    verb: Option<String>,
}

impl Meant {
    fn by(arguments: &[OsString], grammar: &Command) -> Meant {
        let color = Color::Auto;
        let mut meant =
            Meant { json: false, lines: false, dry_run: false, rooted: false, color, root: None, verb: None };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let Some(word) = word.to_str() else { continue };
            match word.strip_prefix("--") {
                Some("") => break,
                Some(long) => {
                    let (long, joined) = match long.split_once('=') {
                        Some((long, value)) => (long, Some(OsStr::new(value))),
                        None => (long, None),
                    };
                    let Some(option) = option(grammar, |option| option.get_long() == Some(long)) else { continue };
                    meant.set(option, value(option, joined, &mut words));
                }
                None if word.len() > 1 && word.starts_with('-') => meant.set_letters(word, &mut words, grammar),
                None if meant.verb.is_none() => meant.verb = grammar.find_subcommand(word).map(|_| word.to_owned()),
                // Of a verb of two words the second one follows.
                None => meant.verb = meant.verb.take().map(|verb| of_two_words(verb, word, grammar)),
            }
        }
        meant
    }

    /// Options of one letter each; behind one that takes a value comes its value.
    fn set_letters<'a>(&mut self, letters: &'a str, words: &mut Iter<'a, OsString>, grammar: &Command) {
        for (at, letter) in letters.char_indices().skip(1) {
            let Some(option) = option(grammar, |option| option.get_short() == Some(letter)) else { continue };
            if option.get_action().takes_values() {
                let rest = &letters[at + letter.len_utf8()..];
                let joined = (!rest.is_empty()).then(|| OsStr::new(rest.strip_prefix('=').unwrap_or(rest)));
                return self.set(option, value(option, joined, words));
            }
            self.set(option, None);
        }
    }

    fn set(&mut self, option: &Arg, value: Option<&OsStr>) {
        match (option.get_long(), value) {
            (Some("json"), _) => self.json = true,
            (Some("dry-run"), _) => self.dry_run = true,
            (Some("rooted"), _) => self.rooted = true,
            (Some("format"), Some(format)) => {
                self.json |= format == "json";
                self.lines = format == "ndjson";
            }
            (Some("root"), Some(root)) => self.root = Some(root.to_os_string()),
            (Some("color"), Some(color)) => {
                let color = color.to_str().and_then(|color| Color::from_str(color, false).ok());
                self.color = color.unwrap_or(self.color);
            }
            _ => {}
        }
    }
}

/// A verb with the word that follows it, if that is a verb of its own.
fn of_two_words(verb: String, word: &str, grammar: &Command) -> String {
    let inner = grammar.find_subcommand(&verb).and_then(|outer| outer.find_subcommand(word));
    if inner.is_some() { format!("{verb} {word}") } else { verb }
}

/// An option of any verb: what is wrong may be that it stands with another.
fn option(grammar: &Command, is_it: impl Fn(&Arg) -> bool) -> Option<&Arg> {
    let of_verbs = grammar.get_subcommands().flat_map(Command::get_arguments);
    grammar.get_arguments().chain(of_verbs).find(|option| is_it(option))
}

/// The value of an option that takes one. What follows is none where it looks like an option, and may not.
fn value<'a>(option: &Arg, joined: Option<&'a OsStr>, words: &mut Iter<'a, OsString>) -> Option<&'a OsStr> {
    if joined.is_some() || !option.get_action().takes_values() {
        return joined;
    }
    let next = words.as_slice().first()?;
    if !option.is_allow_hyphen_values_set() && next.as_encoded_bytes().starts_with(b"-") {
        return None;
    }
    words.next().map(OsString::as_os_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(arguments: &[&str]) -> Meant {
        Meant::by(&arguments.iter().map(OsString::from).collect::<Vec<_>>(), &grammar())
    }

    #[test]
    fn the_definitions_of_the_arguments_hold_together() {
        grammar().debug_assert();
    }

    #[test]
    fn what_was_meant_is_read_from_arguments_that_do_not_parse() {
        let seen = meant(&["-C", "/srv", "create", "x", "--json"]);
        assert_eq!((seen.json, seen.verb.as_deref(), seen.root), (true, Some("create"), Some("/srv".into())));
        assert_eq!(meant(&["--root=ensure", "swap", "--to"]).verb.as_deref(), Some("swap"));
        assert!(meant(&["create", "--rooted", "x"]).rooted && !meant(&["create", "--to", "--rooted"]).rooted);
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
