//! From arguments to a [`Cli`], with no more of the grammar than they need.
//!
//! `clap` copies the options that every verb takes into every verb, which costs more than the edit of a link. So a
//! line that begins with a verb of one link, maybe after `-C DIR`, is parsed by the options of that verb alone. Where
//! that fails, for a request for help or for a mistake, the whole grammar answers.

use std::ffi::OsString;
use std::mem::ManuallyDrop;

use clap::{Args, Command, FromArgMatches as _, Subcommand as _};

use super::args::{Cli, Global, Verb, grammar};
use super::verbs;

pub(crate) fn parse(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    match by_one_verb(arguments) {
        Some(cli) => Ok(cli),
        None => by_the_whole_grammar(arguments),
    }
}

fn by_the_whole_grammar(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    let mut grammar = grammar();
    let mut matches = grammar.try_get_matches_from_mut(verb_first(arguments))?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut grammar))
}

/// The line with its verb before everything else: `clap` counts `-v` on one side of the verb only.
fn verb_first(arguments: &[OsString]) -> Vec<OsString> {
    let mut line = arguments.to_vec();
    if let Some(at) = verb_at(arguments) {
        line[1..=at].rotate_right(1);
    }
    line
}

/// Where the verb stands, behind options that every verb takes.
fn verb_at(arguments: &[OsString]) -> Option<usize> {
    let command = Global::augment_args(Command::new("caplink")).allow_external_subcommands(true);
    let matches = command.try_get_matches_from(arguments).ok()?;
    let (_, rest) = matches.subcommand()?;
    let at = arguments.len() - 1 - rest.get_raw("").map_or(0, Iterator::count);
    let word = arguments[at].to_str()?;
    let is_ended = arguments[..at].iter().any(|word| word == "--");
    (Verb::has_subcommand(word) && !is_ended).then_some(at)
}

fn by_one_verb(arguments: &[OsString]) -> Option<Cli> {
    let at = if arguments.get(1)? == "-C" { 3 } else { 1 };
    let options = || arguments[..at].iter().chain(&arguments[at + 1..]);
    match arguments.get(at)?.to_str()? {
        "create" => flat::<verbs::create::Create>(options(), Verb::Create),
        "ensure" => flat::<verbs::ensure::Ensure>(options(), Verb::Ensure),
        "swap" => flat::<verbs::swap::Swap>(options(), Verb::Swap),
        "remove" => flat::<verbs::remove::Remove>(options(), Verb::Remove),
        "inspect" => flat::<verbs::inspect::Inspect>(options(), Verb::Inspect),
        _ => None,
    }
}

/// Parses the options of a verb and those of every verb side by side.
fn flat<'a, V: Args>(options: impl Iterator<Item = &'a OsString>, verb: fn(V) -> Verb) -> Option<Cli> {
    let command = Global::augment_args(V::augment_args(Command::new("caplink")));
    // The program ends soon: what was built to parse is not taken apart.
    let mut command = ManuallyDrop::new(command);
    let mut matches = ManuallyDrop::new(command.try_get_matches_from_mut(options).ok()?);
    let global = Global::from_arg_matches_mut(&mut matches).ok()?;
    Some(Cli { global, verb: verb(V::from_arg_matches_mut(&mut matches).ok()?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_verb_parses_what_the_whole_grammar_parses() {
        for line in [
            "ensure l --to t",
            "-C dir ensure l --to t --style verbatim -p --json",
            "--json swap l --to create --expect ensure -n",
            "-C dir -v ensure l --to t -v",
            "-C dir ensure -C other l --to t",
            "-C create ensure l --to t",
            "-C create remove remove",
            "--to t ensure l",
            "-v ensure l --to t -vq",
            "-qv -C dir exchange a b -q",
            "-- ensure l --to t",
            "-C -- ensure l --to t",
            "-n -- remove x",
            "-v help ensure",
            "-v -h ensure",
            "remove -- remove",
            "remove -- -n",
            "remove -C",
            "-C",
            "-C dir",
            "inspect a b create",
            "doctor -vv",
            "ensure",
            "ensure ensure --to t",
            "ensure --help",
            "ensure --version",
            "--version",
            "help ensure",
            "create l --to t --no-such-option",
            "create l --to t --dry",
            "nonsense",
            "",
        ] {
            let arguments: Vec<OsString> =
                ["caplink"].into_iter().chain(line.split_whitespace()).map(Into::into).collect();
            let told = |result: Result<Cli, clap::Error>| match result {
                Ok(cli) => format!("{cli:?}"),
                Err(error) => error.to_string(),
            };
            assert_eq!(told(parse(&arguments)), told(by_the_whole_grammar(&arguments)), "{line}");
        }
    }

    #[test]
    fn the_verb_is_found_behind_options_and_their_values() {
        for (line, verb_first) in [
            ("-v ensure l", "ensure -v l"),
            ("-C ensure --json remove -n l", "remove -C ensure --json -n l"),
            ("-vq --root=x scan", "scan -vq --root=x"),
            ("ensure -v", "ensure -v"),
            ("-- ensure l", "-- ensure l"),
            ("-v help ensure", "-v help ensure"),
            ("-v nonsense", "-v nonsense"),
            ("--nonsense ensure", "--nonsense ensure"),
            ("-C", "-C"),
        ] {
            let words =
                |line: &str| ["caplink"].into_iter().chain(line.split_whitespace()).map(Into::into).collect::<Vec<_>>();
            assert_eq!(super::verb_first(&words(line)), words(verb_first), "{line}");
        }
    }

    #[test]
    fn a_plain_line_needs_one_verb_only() {
        for line in [&["caplink", "-C", "dir", "ensure", "l", "--to", "t"][..], &["caplink", "remove", "l", "-n"]] {
            let arguments: Vec<OsString> = line.iter().map(OsString::from).collect();
            assert!(by_one_verb(&arguments).is_some(), "{line:?}");
        }
    }
}
