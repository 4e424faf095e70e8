//! What can be written on the command line: the global options and the verbs.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Command, CommandFactory as _, Parser, Subcommand};

use super::context::Context;
use super::exit::Class;
use super::global::Global;
use super::line::{Line, Options, Plain};
use super::output;
use super::verbs::{
    adopt::Adopt, apply::Apply, batch::Batch, completions::Completions, create::Create, doctor::Doctor, ensure::Ensure,
    exchange::Exchange, inspect::Inspect, log::Log, man::Man, metrics::Metrics, plan::PlanVerb, records::RecordsVerb,
    recover::Recover, release::ReleaseVerb, remove::Remove, repair::Repair, resolve::Resolve, scan::Scan,
    schema::Schema, status::StatusVerb, swap::Swap, unapply::Unapply, undo::Undo, watch::WatchVerb,
};

/// Creates, replaces, inspects, scans and repairs symbolic links inside one directory
///
/// Every path is below the root, the directory given with -C; nothing outside of it is touched.
/// The link is always the positional argument, the target is always given with --to.
#[derive(Debug, Parser)]
#[command(name = "caplink", version, max_term_width = 100, after_long_help = exit_codes())]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The grammar. Every verb takes the global options too.
pub(crate) fn grammar() -> Command {
    Cli::command().mut_args(|option| option.global(true))
}

fn exit_codes() -> String {
    let codes: Vec<String> = Class::ALL.iter().map(|class| format!("{} {}", *class as u8, class.what())).collect();
    format!("Exit codes: {}. `caplink man` has more.", codes.join("; "))
}

/// The verbs. Each has a file in [`verbs`](super::verbs).
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Create(Create),
    Ensure(Ensure),
    Swap(Swap),
    Exchange(Exchange),
    Remove(Remove),
    Repair(Repair),
    Batch(Batch),
    Inspect(Inspect),
    Resolve(Resolve),
    Scan(Scan),
    Doctor(Doctor),
    Records(RecordsVerb),
    Log(Log),
    Undo(Undo),
    Plan(PlanVerb),
    Apply(Apply),
    Status(StatusVerb),
    Unapply(Unapply),
    Adopt(Adopt),
    Release(ReleaseVerb),
    Recover(Recover),
    Metrics(Metrics),
    Watch(WatchVerb),
    Completions(Completions),
    Man(Man),
    Schema(Schema),
}

impl Verb {
    /// Whether it runs what others wrote, which is held to nothing that the caller is not.
    pub(crate) fn starts_programs(&self) -> bool {
        matches!(self, Verb::Release(_))
    }

    pub(crate) fn run(&self, context: &Context) -> ExitCode {
        let mut report = match self {
            Verb::Create(verb) => verb.run(context),
            Verb::Ensure(verb) => verb.run(context),
            Verb::Swap(verb) => verb.run(context),
            Verb::Exchange(verb) => verb.run(context),
            Verb::Remove(verb) => verb.run(context),
            Verb::Repair(verb) => return verb.run(context),
            Verb::Batch(verb) => return verb.run(context),
            Verb::Inspect(verb) => return verb.run(context),
            Verb::Resolve(verb) => verb.run(context),
            Verb::Scan(verb) => return verb.run(context),
            Verb::Doctor(verb) => verb.run(context),
            Verb::Records(verb) => verb.run(context),
            Verb::Log(verb) => return verb.run(context),
            Verb::Undo(verb) => verb.run(context),
            Verb::Plan(verb) => verb.run(context),
            Verb::Apply(verb) => verb.run(context),
            Verb::Status(verb) => verb.run(context),
            Verb::Unapply(verb) => verb.run(context),
            Verb::Adopt(verb) => verb.run(context),
            Verb::Release(verb) => return verb.run(context),
            Verb::Recover(verb) => verb.run(context),
            Verb::Metrics(verb) => verb.run(context),
            Verb::Watch(verb) => return verb.run(context),
            Verb::Completions(verb) => verb.run(context, &mut grammar()),
            Verb::Man(verb) => verb.run(context, grammar()),
            Verb::Schema(verb) => verb.run(context),
        };
        report.recovered(&context.settled());
        output::print(&report, &context.global)
    }
}

/// A verb that is read from a plain line.
struct PlainVerb {
    name: &'static str,
    options: Options,
    read: fn(&mut Line<'_>) -> Option<Verb>,
}

/// The verbs that programs call link by link, or again and again.
const PLAIN: &[PlainVerb] = &[
    PlainVerb { name: "create", options: Create::OPTIONS, read: |line| Create::read(line).map(Verb::Create) },
    PlainVerb { name: "ensure", options: Ensure::OPTIONS, read: |line| Ensure::read(line).map(Verb::Ensure) },
    PlainVerb { name: "swap", options: Swap::OPTIONS, read: |line| Swap::read(line).map(Verb::Swap) },
    PlainVerb { name: "remove", options: Remove::OPTIONS, read: |line| Remove::read(line).map(Verb::Remove) },
    PlainVerb { name: "inspect", options: Inspect::OPTIONS, read: |line| Inspect::read(line).map(Verb::Inspect) },
    PlainVerb {
        name: "release",
        options: ReleaseVerb::OPTIONS,
        read: |line| ReleaseVerb::read(line).map(Verb::Release),
    },
];

impl Cli {
    /// The line as the grammar would parse it; none where it is for the grammar to say.
    pub(crate) fn plain(arguments: &[OsString]) -> Option<Cli> {
        let plain = |name: &str| PLAIN.iter().find(|verb| verb.name == name);
        let mut line = Line::read(arguments, Global::OPTIONS, |name| Some(plain(name)?.options))?;
        let verb = plain(line.verb)?;
        Some(Cli { global: Global::read(&mut line)?, verb: (verb.read)(&mut line)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_has_examples_that_parse() {
        for verb in grammar().get_subcommands() {
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            let mut lines = help.lines();
            assert_eq!(lines.next(), Some("Examples:"), "{}", verb.get_name());
            // Behind an empty line there is what is no command.
            let examples: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
            assert!(!examples.is_empty(), "{}", verb.get_name());
            for example in examples {
                // Where input and output go is no argument.
                let words = example.split_whitespace().take_while(|word| !word.starts_with(['<', '>', '|']));
                let parsed = grammar().try_get_matches_from(words);
                let parsed = parsed.unwrap_or_else(|error| panic!("{example}: {error}"));
                assert_eq!(parsed.subcommand_name(), Some(verb.get_name()), "{example}");
            }
        }
    }
}
