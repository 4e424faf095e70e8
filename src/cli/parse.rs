//! From arguments to a [`Cli`]: as a [plain line](super::line) where it is one, else by the grammar.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Args as _, Command, FromArgMatches as _, Subcommand as _};

use super::args::{Cli, Verb, grammar};
use super::global::Global;

pub(crate) fn parse(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    match Cli::plain(arguments) {
        Some(cli) => Ok(cli),
        None => by_the_grammar(arguments),
    }
}

/// Refuses values that no verb can understand, which the grammar takes as they are.
pub(crate) fn checked(cli: Cli) -> Result<Cli, clap::Error> {
    match cli.global.check() {
        Ok(()) => Ok(cli),
        Err(problem) => Err(grammar().error(ErrorKind::ValueValidation, problem.reported.message)),
    }
}

fn by_the_grammar(arguments: &[OsString]) -> Result<Cli, clap::Error> {
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

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use proptest::prelude::*;

    use super::*;

    fn shown(result: Result<Cli, clap::Error>) -> String {
        match result {
            Ok(cli) => format!("{cli:?}"),
            Err(error) => error.to_string(),
        }
    }

    /// Whether the line is plain; it means what the grammar says.
    fn is_plain(arguments: &[OsString]) -> bool {
        assert_eq!(shown(parse(arguments)), shown(by_the_grammar(arguments)), "{arguments:?}");
        Cli::plain(arguments).is_some()
    }

    fn line(words: &str) -> Vec<OsString> {
        ["caplink"].into_iter().chain(words.split_whitespace()).map(Into::into).collect()
    }

    #[test]
    fn a_plain_line_means_what_the_grammar_says() {
        for words in [
            "ensure l --to t",
            "-C dir ensure l --to t --style verbatim -p --json --allow-dangling --allow-outside --backup",
            "--root dir -n create --to t l --require atomic --confine require --durability fs --state s",
            "swap ensure --to create --expect remove -q -v --follow --cross-mounts --color never",
            "remove l",
            "remove --missing-ok --expect t l --dry-run --quiet --verbose",
            "inspect a b create",
            "release status",
            "-C dir release status -q --json",
            "-q release --app a status",
            "release status --app status --state s",
        ] {
            assert!(is_plain(&line(words)), "{words}");
        }
    }

    #[test]
    fn every_other_line_is_left_to_the_grammar() {
        for words in [
            "",
            "-C",
            "-C dir",
            "-C -dir ensure l --to t",
            "-C dir ensure -C other l --to t",
            "-C dir -v ensure l --to t -v",
            "--to t ensure l",
            "--json swap l --to create --expect ensure --json",
            "create l --to t --backup",
            "create l --to t --dry",
            "create l --to t --no-such-option",
            "create l --to=t",
            "create l --to",
            "create l m --to t",
            "create l --to -t",
            "create - --to t",
            "ensure",
            "ensure --help",
            "ensure --version",
            "ensure l --to t --style other",
            "ensure l --to t --confine Auto",
            "ensure l --to t -qq",
            "ensure l --to t -nq",
            "swap l --to t",
            "remove",
            "remove -- remove",
            "remove -- -n",
            "inspect",
            "inspect a --to t",
            "help ensure",
            "doctor -v",
            "-v ensure l --to t -vq",
            "-qv -C dir exchange a b -q",
            "-- ensure l --to t",
            "-C -- ensure l --to t",
            "-n -- remove x",
            "release",
            "release list",
            "release status x",
            "release status --exit-code",
            "release --exit-code status",
            "release status --current l",
            "release status --expect e",
            "--app a release status",
            "release --app status",
            "release --app a --app b status",
            "-v help ensure",
            "-v -h ensure",
            "nonsense",
            "--version",
        ] {
            assert!(!is_plain(&line(words)), "{words}");
        }
        for odd in [OsString::new(), OsString::from_vec(b"\xff".to_vec())] {
            for at in 1..=6 {
                let mut arguments = line("-C dir create l --to t");
                arguments[at].clone_from(&odd);
                let _left_to_it = is_plain(&arguments);
            }
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

    /// Options of the verbs that are parsed plainly, each with a value if it takes one.
    fn options() -> Vec<String> {
        let grammar = grammar();
        let verbs = ["create", "ensure", "swap", "remove", "inspect"];
        let of_verbs = verbs.iter().filter_map(|verb| grammar.find_subcommand(verb)).flat_map(Command::get_arguments);
        let mut options = Vec::new();
        for option in grammar.get_arguments().chain(of_verbs) {
            let value = match option.get_possible_values().last() {
                _ if !option.get_action().takes_values() => String::new(),
                Some(value) => format!(" {}", value.get_name()),
                None => " value".to_owned(),
            };
            options.extend(option.get_long().map(|long| format!("--{long}{value}")));
            options.extend(option.get_short().map(|short| format!("-{short}{value}")));
        }
        options.sort();
        options.dedup();
        options
    }

    #[test]
    fn every_option_is_plain_for_some_verb() {
        let lines = ["create l --to t", "ensure l --to t", "swap l --to t --expect e", "remove l", "inspect l"];
        let lines = lines.into_iter().chain(["ensure l", "remove l"]);
        for option in options() {
            let plain = lines.clone().filter(|words| is_plain(&line(&format!("{words} {option}")))).count();
            assert!(plain > 0, "{option}");
        }
    }

    #[test]
    fn random_lines_mean_what_the_grammar_says() {
        let words =
            ["create", "ensure", "swap", "remove", "inspect", "l", "m", "-", "--", "--to t", "--expect e", "-x"];
        let units: Vec<String> = options().into_iter().chain(words.map(str::to_owned)).collect();
        let verbs = [
            "create l --to t",
            "ensure l --to t",
            "swap l --to t --expect e",
            "remove l",
            "inspect l",
            "release status",
            "",
        ];
        let before = prop::collection::vec(prop::sample::select(units.clone()), 0..2);
        let behind = prop::collection::vec(prop::sample::select(units), 0..4);
        let mut seen = [0_u32; 2];
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(400));
        let seen_by = std::cell::RefCell::new(&mut seen);
        runner
            .run(&(before, prop::sample::select(verbs.to_vec()), behind), |(before, verb, behind)| {
                let words = format!("{} {verb} {}", before.join(" "), behind.join(" "));
                seen_by.borrow_mut()[usize::from(is_plain(&line(&words)))] += 1;
                Ok(())
            })
            .unwrap();
        assert!(seen.iter().all(|seen| *seen > 40), "both happen: {seen:?}");
    }
}
