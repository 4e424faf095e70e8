//! `caplink resolve`: where a path leads below the root, and by which way.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Component, Path, PathBuf};

use anstyle::Style;
use caplink::{Error, Explained, FileKind, Hop, Kind};
use clap::{Args, value_parser};
use serde::Serialize;

use super::inspect::octal;
use crate::cli::context::Context;
use crate::cli::report::Report;
use crate::cli::text::{BAD, DIM, GOOD, NAME, Painted, Text};

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink resolve current
  caplink resolve current/bin/tool --explain";

/// Show where PATH leads below the root
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Resolve {
    /// A path below the root
    #[arg(value_name = "PATH", value_parser = value_parser!(OsString))]
    path: OsString,
    /// Show each hop: kind and mode, owner, component, link text
    #[arg(long)]
    explain: bool,
}

impl Resolve {
    pub(crate) fn run(&self, context: &Context) -> Report {
        let mut report = Report::new("resolve", context);
        let Some(root) = report.opened(context.look()) else { return report };
        match root.explain(&self.path) {
            Ok(explained) => {
                let physical = root.text_root().unwrap_or(Path::new("/"));
                let way = Way::of(&self.path, &explained, physical, self.explain);
                // There is one answer only: it stands at the top of the document as well.
                report.own(&way);
                report.answer(&way);
                if let Err(error) = &explained.end {
                    report.error(error);
                    report.drop_hint_if(self.explain);
                }
            }
            Err(error) => report.error(&error),
        }
        report
    }
}

/// A path and the way it leads.
#[derive(Serialize)]
struct Way {
    path: Text,
    resolved: Option<Text>,
    kind: Option<&'static str>,
    hops: Vec<Step>,
    /// Whether the hops are shown to people; programs always see them.
    #[serde(skip)]
    explain: bool,
    /// Why it leads nowhere.
    #[serde(skip)]
    end: Option<String>,
}

#[derive(Serialize)]
struct Step {
    component: Text,
    link: bool,
    target: Option<Text>,
    uid: Option<u32>,
    mode: Option<String>,
    at: Text,
    #[serde(skip)]
    letters: String,
    /// How many links were gone through to get to a text with this component.
    #[serde(skip)]
    depth: usize,
}

impl Way {
    fn of(path: &OsStr, explained: &Explained, root: &Path, explain: bool) -> Way {
        let end = explained.end.as_ref();
        Way {
            path: Text::path(&parts(Path::new(path)).collect::<PathBuf>()),
            resolved: end.ok().map(|end| Text::path(&end.path)),
            kind: end.ok().map(|end| end.kind.as_str()),
            hops: steps(&explained.hops, root),
            explain,
            end: end.err().map(ending),
        }
    }
}

/// Where and why a way ends, in a few words.
fn ending(error: &Error) -> String {
    let what = match error.kind() {
        Kind::Escape => "leaves the root",
        Kind::NotFound => "ends here: nothing there",
        Kind::Loop => "ends here: a loop, or more than 40 hops",
        Kind::Permission => "ends here: permission denied",
        kind => kind.as_str(),
    };
    match error.via_text() {
        Some(via) => format!("{what}, by `{}`", caplink::printable(via)),
        None => what.to_owned(),
    }
}

/// The components of a path that are walked over.
fn parts(path: &Path) -> impl Iterator<Item = Component<'_>> {
    path.components().filter(|part| *part != Component::CurDir)
}

/// The hops, each with the depth of its text: the components of a link's text come after the link, one level deeper.
fn steps(hops: &[Hop], root: &Path) -> Vec<Step> {
    // How many components are still to come of each text that is under way.
    let mut texts: Vec<usize> = Vec::new();
    let mut steps = Vec::new();
    for hop in hops {
        while texts.last() == Some(&0) {
            texts.pop();
        }
        steps.push(Step::of(hop, texts.len()));
        if let Some(left) = texts.last_mut() {
            *left -= 1;
        }
        if let Some(target) = &hop.target {
            let text = Path::new(target);
            texts.push(parts(text.strip_prefix(root).unwrap_or(text)).count());
        }
    }
    steps
}

impl Step {
    fn of(hop: &Hop, depth: usize) -> Step {
        Step {
            component: Text::new(&hop.component),
            link: hop.kind == Some(FileKind::Symlink),
            target: hop.target.as_ref().map(Text::new),
            uid: hop.uid,
            mode: hop.mode.map(octal),
            at: Text::path(&hop.at),
            letters: letters(hop.kind, hop.mode),
            depth,
        }
    }
}

/// `drwxr-xr-x`, as `ls` and `namei` write it.
fn letters(kind: Option<FileKind>, mode: Option<u32>) -> String {
    let kind = match kind {
        Some(FileKind::Symlink) => 'l',
        Some(FileKind::File) => '-',
        Some(FileKind::Dir) => 'd',
        Some(FileKind::Fifo) => 'p',
        Some(FileKind::Socket) => 's',
        Some(FileKind::CharDevice) => 'c',
        Some(FileKind::BlockDevice) => 'b',
        _ => '?',
    };
    let Some(mode) = mode else { return format!("{kind}?????????") };
    let mut letters = String::from(kind);
    // Each class of users has a special bit that takes the place of its `x`.
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        letters.push(if mode >> shift & 4 != 0 { 'r' } else { '-' });
        letters.push(if mode >> shift & 2 != 0 { 'w' } else { '-' });
        letters.push(match (mode >> shift & 1 != 0, mode & special != 0) {
            (true, false) => 'x',
            (false, false) => '-',
            (true, true) => letter,
            (false, true) => letter.to_ascii_uppercase(),
        });
    }
    letters
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.explain {
            return match &self.resolved {
                Some(resolved) => writeln!(f, "{resolved}"),
                None => Ok(()),
            };
        }
        writeln!(f, "{}", Painted(NAME, &self.path))?;
        for hop in &self.hops {
            hop.fmt(f)?;
        }
        match (&self.resolved, self.kind, &self.end) {
            (Some(resolved), Some(kind), _) => writeln!(f, "{} {resolved} ({kind})", Painted(GOOD, "=")),
            (_, _, Some(end)) => writeln!(f, "{}", Painted(BAD, format_args!("! {end}"))),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uid = self.uid.map_or_else(|| "?".to_owned(), |uid| uid.to_string());
        let colour = if self.letters.starts_with('?') && self.component.is_name() { BAD } else { Style::new() };
        let indent = 2 * self.depth;
        let component = Painted(colour, &self.component);
        write!(f, " {} {uid:>5} {:indent$}{component}", Painted(DIM, &self.letters), "")?;
        match &self.target {
            Some(target) => writeln!(f, " -> {target}"),
            None => writeln!(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_written_as_ls_does() {
        assert_eq!(letters(Some(FileKind::Dir), Some(0o755)), "drwxr-xr-x");
        assert_eq!(letters(Some(FileKind::Dir), Some(0o1777)), "drwxrwxrwt");
        assert_eq!(letters(Some(FileKind::File), Some(0o6640)), "-rwSr-S---");
        assert_eq!(letters(None, None), "??????????");
    }
}
