//! Parses the lines that programs write: one verb of one link, and each option once and written out.
//!
//! To build the whole grammar takes a process several times as long as the edit of a link. A line with anything
//! unusual in it (`--option=value`, an option twice, a value that is empty or begins with `-`, a request for help, a
//! mistake) is left to the grammar, which alone has words for it.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::ValueEnum;

use super::args::{Cli, Color, Confine, Global, Linking, Style, Verb};
use super::verbs::create::Create;
use super::verbs::ensure::Ensure;
use super::verbs::inspect::Inspect;
use super::verbs::remove::Remove;
use super::verbs::swap::Swap;

/// An option as it is written, its name, and whether a value follows.
type Spelled = (&'static str, &'static str, bool);

/// What stands on either side of the verb.
const GLOBAL: [Spelled; 16] = [
    ("-C", "root", true),
    ("--root", "root", true),
    ("--json", "json", false),
    ("-n", "dry-run", false),
    ("--dry-run", "dry-run", false),
    ("-q", "quiet", false),
    ("--quiet", "quiet", false),
    ("-v", "verbose", false),
    ("--verbose", "verbose", false),
    ("--color", "color", true),
    ("--require", "require", true),
    ("--confine", "confine", true),
    ("--durability", "durability", true),
    ("--follow", "follow", false),
    ("--cross-mounts", "cross-mounts", false),
    ("--state", "state", true),
];

/// What stands behind it.
const OF_VERBS: [Spelled; 9] = [
    ("--to", "to", true),
    ("--style", "style", true),
    ("--expect", "expect", true),
    ("--allow-dangling", "allow-dangling", false),
    ("--allow-outside", "allow-outside", false),
    ("-p", "parents", false),
    ("--parents", "parents", false),
    ("--backup", "backup", false),
    ("--missing-ok", "missing-ok", false),
];

/// The line as the grammar would parse it; none where it is for the grammar to say.
pub(super) fn parse(arguments: &[OsString]) -> Option<Cli> {
    let mut line = Line::read(arguments)?;
    let global = line.global()?;
    let verb = match line.verb? {
        "create" => Verb::Create(Create { linking: line.linking()? }),
        "ensure" => Verb::Ensure(Ensure { linking: line.linking()?, backup: line.flag("backup") }),
        "swap" => Verb::Swap(Swap { linking: line.linking()?, expect: line.value("expect")? }),
        "remove" => Verb::Remove(Remove {
            link: line.link()?,
            expect: line.value("expect"),
            missing_ok: line.flag("missing-ok"),
        }),
        "inspect" if !line.paths.is_empty() => Verb::Inspect(Inspect { paths: std::mem::take(&mut line.paths) }),
        _ => return None,
    };
    // What is left is of another verb.
    (line.options.is_empty() && line.paths.is_empty()).then_some(Cli { global, verb })
}

/// A line taken apart.
#[derive(Default)]
struct Line<'a> {
    verb: Option<&'a str>,
    paths: Vec<OsString>,
    options: Vec<(&'static str, &'a OsStr)>,
}

impl<'a> Line<'a> {
    fn read(arguments: &'a [OsString]) -> Option<Line<'a>> {
        let mut line = Line::default();
        let mut words = arguments.iter().skip(1);
        while let Some(word) = words.next() {
            let text = word.to_str().filter(|text| !text.is_empty())?;
            if !text.starts_with('-') {
                match line.verb {
                    None => line.verb = Some(text),
                    Some(_) => line.paths.push(word.clone()),
                }
                continue;
            }
            let of_verbs: &[Spelled] = if line.verb.is_some() { &OF_VERBS } else { &[] };
            let spelled = GLOBAL.iter().chain(of_verbs).find(|(spelling, ..)| *spelling == text);
            let (_, name, takes_value) = *spelled?;
            if line.options.iter().any(|(given, _)| *given == name) {
                return None;
            }
            let value = if takes_value { words.next()? } else { OsStr::new("") };
            let plain = !matches!(value.as_encoded_bytes(), [b'-', ..]) && value.is_empty() != takes_value;
            line.options.push(plain.then_some((name, value))?);
        }
        Some(line)
    }

    /// Takes an option out of the line.
    fn option(&mut self, name: &str) -> Option<&'a OsStr> {
        let at = self.options.iter().position(|(given, _)| *given == name)?;
        Some(self.options.swap_remove(at).1)
    }

    fn flag(&mut self, name: &str) -> bool {
        self.option(name).is_some()
    }

    fn value(&mut self, name: &str) -> Option<OsString> {
        self.option(name).map(OsStr::to_os_string)
    }

    /// One of a few words; the outer none is another word.
    fn word<T: ValueEnum>(&mut self, name: &str) -> Option<Option<T>> {
        match self.option(name) {
            None => Some(None),
            Some(word) => T::from_str(word.to_str()?, false).ok().map(Some),
        }
    }

    fn link(&mut self) -> Option<OsString> {
        if self.paths.len() == 1 { self.paths.pop() } else { None }
    }

    fn global(&mut self) -> Option<Global> {
        Some(Global {
            root: self.value("root").map(PathBuf::from),
            json: self.flag("json"),
            dry_run: self.flag("dry-run"),
            quiet: self.flag("quiet").into(),
            verbose: self.flag("verbose").into(),
            color: self.word("color")?.unwrap_or(Color::Auto),
            require: self.word("require")?,
            confine: self.word("confine")?.unwrap_or(Confine::Auto),
            durability: self.word("durability")?,
            follow: self.flag("follow"),
            cross_mounts: self.flag("cross-mounts"),
            state: self.value("state").map(PathBuf::from),
        })
    }

    fn linking(&mut self) -> Option<Linking> {
        Some(Linking {
            link: self.link()?,
            to: self.value("to")?,
            style: self.word("style")?.unwrap_or(Style::Relative),
            allow_dangling: self.flag("allow-dangling"),
            allow_outside: self.flag("allow-outside"),
            parents: self.flag("parents"),
        })
    }
}
