//! `caplink resolve`: where a path leads below the root, and by which way.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Component, Path, PathBuf};

use anstyle::Style;
use caplink::wire::Text;
use caplink::{Error, Explained, FileKind, Hop, Kind};
use clap::{Args, value_parser};
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::report::Report;
use crate::cli::text::{BAD, DIM, GOOD, NAME, Painted};

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
struct Way<'a> {
    path: Text,
    resolved: Option<Text>,
    kind: Option<FileKind>,
    hops: &'a [Hop],
    /// Each hop with the number of links that were gone through to get to a text with its component; `None` where they
    /// are not shown to people. Programs always see them.
    #[serde(skip)]
    depths: Option<Vec<usize>>,
    /// Why it leads nowhere.
    #[serde(skip)]
    end: Option<String>,
}

impl<'a> Way<'a> {
    fn of(path: &OsStr, explained: &'a Explained, root: &Path, explain: bool) -> Way<'a> {
        let end = explained.end.as_ref();
        Way {
            path: Text::path(&parts(Path::new(path)).collect::<PathBuf>()),
            resolved: end.ok().map(|end| Text::path(&end.path)),
            kind: end.ok().map(|end| end.kind),
            hops: &explained.hops,
            depths: explain.then(|| depths(&explained.hops, root)),
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

/// The depth of each hop's text: the components of a link's text come after the link, one level deeper.
fn depths(hops: &[Hop], root: &Path) -> Vec<usize> {
    // How many components are still to come of each text that is under way.
    let mut texts: Vec<usize> = Vec::new();
    let mut depths = Vec::new();
    for hop in hops {
        while texts.last() == Some(&0) {
            texts.pop();
        }
        depths.push(texts.len());
        if let Some(left) = texts.last_mut() {
            *left -= 1;
        }
        if let Some(target) = &hop.target {
            let text = Path::new(target);
            texts.push(parts(text.strip_prefix(root).unwrap_or(text)).count());
        }
    }
    depths
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

impl fmt::Display for Way<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(depths) = &self.depths else {
            return match &self.resolved {
                Some(resolved) => writeln!(f, "{resolved}"),
                None => Ok(()),
            };
        };
        writeln!(f, "{}", Painted(NAME, &self.path))?;
        for (hop, depth) in self.hops.iter().zip(depths) {
            show(hop, *depth, f)?;
        }
        match (&self.resolved, self.kind, &self.end) {
            (Some(resolved), Some(kind), _) => writeln!(f, "{} {resolved} ({kind})", Painted(GOOD, "=")),
            (_, _, Some(end)) => writeln!(f, "{}", Painted(BAD, format_args!("! {end}"))),
            _ => Ok(()),
        }
    }
}

fn show(hop: &Hop, depth: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let letters = letters(hop.kind, hop.mode);
    let uid = hop.uid.map_or_else(|| "?".to_owned(), |uid| uid.to_string());
    let colour = if letters.starts_with('?') && hop.component != ".." { BAD } else { Style::new() };
    let indent = 2 * depth;
    let component = Painted(colour, caplink::printable(&hop.component));
    write!(f, " {} {uid:>5} {:indent$}{component}", Painted(DIM, &letters), "")?;
    match &hop.target {
        Some(target) => writeln!(f, " -> {}", caplink::printable(target)),
        None => writeln!(f),
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
