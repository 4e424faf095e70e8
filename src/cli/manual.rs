//! The manual pages, in the language of `man`: one of the program, one of each verb.
//!
//! They are made from the same definitions that parse the arguments and choose the exit code.

use std::collections::HashSet;
use std::io;

use caplink::{Kind, Status, Trait};
use clap::{Arg, Command, Id};
use clap_mangen::Man as Page;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

use super::exit::Class;
use super::words;

/// The page of the program, or of a verb; none where there is no such verb.
pub(crate) fn page(grammar: Command, verb: Option<&str>) -> Option<String> {
    let mut grammar = grammar.disable_help_subcommand(true);
    grammar.build();
    let mut page = Vec::new();
    let rendered = match verb {
        None => render(&mut grammar, &mut page),
        Some(verb) => {
            // What every verb takes is on the page of the program.
            let of_all = of_every_verb(&grammar);
            let verb = grammar.find_subcommand(verb)?.clone().mut_args(|option| {
                let is_global = of_all.contains(option.get_id());
                option.hide(is_global)
            });
            render_verb(&verb, &of_all, &mut page)
        }
    };
    rendered.expect("BUG: a vector takes what is written");
    Some(String::from_utf8_lossy(&page).into_owned())
}

/// What every verb takes.
fn of_every_verb(grammar: &Command) -> HashSet<Id> {
    grammar.get_arguments().map(|option| option.get_id().clone()).chain([Id::from("help")]).collect()
}

fn render(grammar: &mut Command, out: &mut Vec<u8>) -> io::Result<()> {
    let page = Page::new(grammar.clone()).manual("caplink");
    page.render_title(out)?;
    page.render_name_section(out)?;
    page.render_synopsis_section(out)?;
    page.render_description_section(out)?;
    verbs(grammar).to_writer(out)?;
    page.render_options_section(out)?;
    meanings().to_writer(out)?;
    exit_status().to_writer(out)?;
    environment().to_writer(out)?;
    see_also(grammar).to_writer(out)?;
    page.render_version_section(out)
}

fn render_verb(verb: &Command, of_all: &HashSet<Id>, out: &mut Vec<u8>) -> io::Result<()> {
    let name = format!("caplink-{}", verb.get_name());
    let page = Page::new(verb.clone()).title(&name).manual("caplink");
    page.render_title(out)?;
    page.render_name_section(out)?;
    synopsis(&page, out)?;
    page.render_description_section(out)?;
    page.render_options_section(out)?;
    let mut roff = Roff::new();
    if verb.has_subcommands() {
        roff.control("SH", ["VERBS"]);
        inner(&mut roff, verb, of_all);
    }
    roff.control("SH", ["EXAMPLES"]);
    examples(&mut roff, verb);
    roff.control("SH", ["SEE ALSO"]);
    roff.text([
        bold("caplink"),
        roman("(1), which has the options of every verb, what the words mean, and exit codes"),
    ]);
    roff.to_writer(out)
}

/// The line may be broken between options of which one is required, and nowhere within one.
fn synopsis(page: &Page, out: &mut Vec<u8>) -> io::Result<()> {
    const HEADING: &str = ".SH SYNOPSIS\n";
    let mut section = Vec::new();
    page.render_synopsis_section(&mut section)?;
    let section = String::from_utf8_lossy(&section)
        .replace(HEADING, &format!("{HEADING}.nh\n.ad l\n"))
        .replace("\\fR|", "\\fR|\\:");
    out.extend_from_slice(section.as_bytes());
    out.extend_from_slice(b".ad b\n.hy\n");
    Ok(())
}

/// Each verb with its usage, the options of its own, and examples.
fn verbs(command: &mut Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["VERBS"]);
    let of_all = of_every_verb(command);
    for verb in command.get_subcommands_mut() {
        let usage = verb.render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").replace("caplink ", "");
        roff.control("SS", [usage.as_str()]);
        for paragraph in about(verb).split("\n\n") {
            roff.control("PP", []);
            roff.text([roman(format!("{}.", paragraph.trim_end_matches('.')))]);
        }
        for argument in verb.get_arguments().filter(|argument| !of_all.contains(argument.get_id())) {
            entry(&mut roff, header(argument), &described(argument));
        }
        inner(&mut roff, verb, &of_all);
        examples(&mut roff, verb);
    }
    roff
}

/// The verbs of a verb of two words, each with what it takes.
fn inner(roff: &mut Roff, verb: &Command, of_all: &HashSet<Id>) {
    for inner in verb.get_subcommands() {
        let name = format!("{} {}", verb.get_name(), inner.get_name());
        entry(roff, vec![bold(name)], &sentence(inner.get_about()));
        let outer = |id: &Id| of_all.contains(id) || verb.get_arguments().any(|argument| argument.get_id() == id);
        for argument in inner.get_arguments().filter(|argument| !outer(argument.get_id())) {
            entry(roff, header(argument), &described(argument));
        }
    }
}

/// The command lines that the help of a verb shows.
fn examples(roff: &mut Roff, verb: &Command) {
    let shown = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
    roff.control("PP", []);
    roff.control("EX", []);
    for line in shown.lines().skip(1) {
        roff.text([roman(line)]);
    }
    roff.control("EE", []);
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

/// What is said of a link.
fn meanings() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["STATUS AND TRAITS"]);
    roff.text([roman("A link has exactly one status:")]);
    for status in Status::ALL {
        entry(&mut roff, vec![bold(status.as_str())], words::status(*status));
    }
    roff.control("PP", []);
    roff.text([roman("and any number of traits:")]);
    for of in Trait::ALL {
        entry(&mut roff, vec![bold(of.as_str())], words::of_trait(*of));
    }
    roff
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
    entry(&mut roff, vec![bold("CAPLINK_STATE")], "The state directory, where --state is not given.");
    entry(&mut roff, vec![bold("CAPLINK_REASON")], "Why, where --reason is not given.");
    entry(&mut roff, vec![bold("CAPLINK_ACTOR")], "Who asked for it, where --actor is not given.");
    entry(&mut roff, vec![bold("NO_COLOR")], "No colour, unless --color is always.");
    entry(&mut roff, vec![bold("TERM")], "No colour either, where it is `dumb`.");
    roff
}

fn see_also(grammar: &Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]);
    let pages: Vec<String> = grammar.get_subcommands().map(|verb| format!("caplink-{}(1)", verb.get_name())).collect();
    roff.text([roman(format!("{}; each is printed by `caplink man VERB`.", pages.join(", ")))]);
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
    fn the_page_names_every_verb_every_option_every_word_and_every_kind_that_there_is() {
        let page = page(grammar(), None).unwrap().replace('\\', "");
        let mut command = grammar().disable_help_subcommand(true);
        command.build();
        for verb in command.get_subcommands() {
            let name = verb.get_name();
            assert!(page.contains(&format!(".SS \"{name} ")) || page.contains(&format!(".SS {name}")), "{name}");
            for long in verb.get_arguments().filter_map(Arg::get_long) {
                assert!(page.contains(&format!("--{long}")), "{long}");
            }
        }
        assert!(page.is_ascii() && page.contains("the summary counts all that were seen."), "{page}");
        for kind in Kind::ALL {
            assert!(page.contains(kind.as_str()), "{kind}");
        }
        for word in Status::ALL.iter().map(|word| word.as_str()).chain(Trait::ALL.iter().map(|word| word.as_str())) {
            assert!(page.contains(&format!("fB{word}fR")), "{word}");
        }
    }
}
