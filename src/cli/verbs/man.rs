//! `caplink man`: the manual page, in the language of `man`.
//!
//! It is made from the same definitions that parse the arguments and choose the exit code.

use std::fmt;
use std::io;

use caplink::Kind;
use clap::{Arg, Args, Command};
use clap_mangen::Man as Page;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::exit::Class;
use crate::cli::report::Report;

/// Print the manual page
#[derive(Debug, Args)]
pub(crate) struct Man {}

impl Man {
    #[expect(clippy::unused_self, reason = "every verb is run the same way")]
    pub(crate) fn run(&self, context: &Context, grammar: Command) -> Report {
        let mut page = Vec::new();
        render(grammar, &mut page).expect("BUG: a vector takes what is written");
        let mut report = Report::new("man", context);
        report.answer(&Manual { page: String::from_utf8_lossy(&page).into_owned() });
        report
    }
}

#[derive(Serialize)]
struct Manual {
    page: String,
}

impl fmt::Display for Manual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.page)
    }
}

fn render(grammar: Command, out: &mut Vec<u8>) -> io::Result<()> {
    let mut command = grammar.disable_help_subcommand(true);
    command.build();
    let page = Page::new(command.clone()).manual("caplink");
    page.render_title(out)?;
    page.render_name_section(out)?;
    page.render_synopsis_section(out)?;
    page.render_description_section(out)?;
    verbs(&mut command).to_writer(out)?;
    page.render_options_section(out)?;
    exit_status().to_writer(out)?;
    environment().to_writer(out)?;
    page.render_version_section(out)
}

/// Each verb with its usage and the options of its own.
fn verbs(command: &mut Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["VERBS"]);
    for verb in command.get_subcommands_mut() {
        let usage = verb.render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").replace("caplink ", "");
        roff.control("SS", [usage.as_str()]);
        for paragraph in about(verb).split("\n\n") {
            roff.control("PP", []);
            roff.text([roman(format!("{}.", paragraph.trim_end_matches('.')))]);
        }
        for argument in verb.get_arguments().filter(|argument| !argument.is_global_set()) {
            if argument.get_id() != "help" {
                entry(&mut roff, header(argument), &described(argument));
            }
        }
    }
    roff
}

/// What a verb is for, as its longer help says it.
fn about(verb: &Command) -> String {
    let about = verb.get_long_about().or(verb.get_about());
    about.map(ToString::to_string).unwrap_or_default()
}

fn header(argument: &Arg) -> Vec<Inline> {
    let mut words = Vec::new();
    if let Some(short) = argument.get_short() {
        words.extend([bold(format!("-{short}")), roman(", ")]);
    }
    if let Some(long) = argument.get_long() {
        words.push(bold(format!("--{long}")));
    }
    if argument.get_action().takes_values() {
        let blank = if words.is_empty() { "" } else { " " };
        let name = argument.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
        words.extend([roman(blank), italic(name)]);
    }
    words
}

fn described(argument: &Arg) -> String {
    let mut text = sentence(argument.get_help());
    let values = argument.get_possible_values();
    if argument.get_action().takes_values() && !values.is_empty() {
        let one = |value: &clap::builder::PossibleValue| match value.get_help() {
            Some(help) => format!("{} ({help})", value.get_name()),
            None => value.get_name().to_owned(),
        };
        let all: Vec<String> = values.iter().map(one).collect();
        text.push_str(&format!(" One of: {}.", all.join(", ")));
    }
    text
}

fn sentence(text: Option<&clap::builder::StyledStr>) -> String {
    text.map_or_else(String::new, |text| format!("{text}."))
}

fn exit_status() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for class in Class::ALL {
        let kinds = Kind::ALL.iter().filter(|kind| Class::of(**kind) == *class);
        let kinds: Vec<&str> = kinds.map(|kind| kind.as_str()).collect();
        let colon = if kinds.is_empty() { "" } else { ": " };
        entry(
            &mut roff,
            vec![bold((*class as u8).to_string())],
            &format!("{}{colon}{}", class.what(), kinds.join(", ")),
        );
    }
    roff
}

fn environment() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["ENVIRONMENT"]);
    entry(&mut roff, vec![bold("CAPLINK_ROOT")], "The root, where --root is not given.");
    entry(&mut roff, vec![bold("NO_COLOR")], "No colour, unless --color is always.");
    roff
}

fn entry(roff: &mut Roff, header: Vec<Inline>, text: &str) {
    roff.control("TP", []);
    roff.text(header);
    roff.text([roman(text)]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::grammar;

    #[test]
    fn the_page_names_every_verb_every_option_and_every_kind() {
        let mut page = Vec::new();
        render(grammar(), &mut page).unwrap();
        let page = String::from_utf8(page).unwrap().replace('\\', "");
        let mut command = grammar().disable_help_subcommand(true);
        command.build();
        for verb in command.get_subcommands() {
            assert!(
                page.contains(&format!(".SS \"{} ", verb.get_name()))
                    || page.contains(&format!(".SS {}", verb.get_name())),
                "{}",
                verb.get_name()
            );
            for long in verb.get_arguments().filter_map(Arg::get_long) {
                assert!(page.contains(&format!("--{long}")), "{long}");
            }
        }
        assert!(page.is_ascii() && page.contains("the summary counts all that were seen."), "{page}");
        for kind in Kind::ALL {
            assert!(page.contains(kind.as_str()), "{kind}");
        }
    }
}
