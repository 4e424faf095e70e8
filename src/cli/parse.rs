//! From arguments to a [`Cli`], with no more of the grammar than they need.
//!
//! `clap` copies the options that every verb takes into every verb, which costs more than the edit of a link. So a
//! line that begins with a verb of one link, maybe after `-C DIR`, is parsed by the options of that verb alone. Where
//! that fails, for a request for help or for a mistake, the whole grammar answers.

use std::ffi::OsString;
use std::mem::ManuallyDrop;

use clap::{Args, Command, FromArgMatches as _};

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
    let mut matches = grammar.try_get_matches_from_mut(arguments)?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut grammar))
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
    fn a_plain_line_needs_one_verb_only() {
        for line in [&["caplink", "-C", "dir", "ensure", "l", "--to", "t"][..], &["caplink", "remove", "l", "-n"]] {
            let arguments: Vec<OsString> = line.iter().map(OsString::from).collect();
            assert!(by_one_verb(&arguments).is_some(), "{line:?}");
        }
    }
}
