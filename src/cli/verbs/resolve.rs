//! `caplink resolve`: where a path leads below the root, and by which way.

use std::ffi::OsString;
use std::fmt;
use std::path::{Component, Path, PathBuf};

use caplink::{Explained, FileKind, Hop};
use clap::{Args, value_parser};
use serde::Serialize;

use super::inspect::octal;
use crate::cli::context::Context;
use crate::cli::report::Report;
use crate::cli::text::{BAD, DIM, GOOD, NAME, Painted, Text};

/// Show where PATH leads below the root
#[derive(Debug, Args)]
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
                report.answer(&Way::of(&self.path, &explained, self.explain));
                if let Err(error) = &explained.end {
                    report.error(error);
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
    end: Option<caplink::Kind>,
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
    shown_mode: String,
    #[serde(skip)]
    depth: usize,
}

impl Way {
    fn of(path: &std::ffi::OsStr, explained: &Explained, explain: bool) -> Way {
        let end = explained.end.as_ref();
        let normal: PathBuf = Path::new(path).components().filter(|part| *part != Component::CurDir).collect();
        Way {
            path: Text::path(&normal),
            resolved: end.ok().map(|end| Text::path(&end.path)),
            kind: end.ok().map(|end| end.kind.as_str()),
            hops: steps(&explained.hops),
            explain,
            end: end.err().map(caplink::Error::kind),
        }
    }
}

/// Below a link its own components are indented, as deep as links were gone through to get there.
fn steps(hops: &[Hop]) -> Vec<Step> {
    hops.iter().map(Step::of).collect()
}

impl Step {
    fn of(hop: &Hop) -> Step {
        Step {
            component: Text::new(&hop.component),
            link: hop.kind == Some(FileKind::Symlink),
            target: hop.target.as_ref().map(Text::new),
            uid: hop.uid,
            mode: hop.mode.map(octal),
            at: Text::path(&hop.at),
            shown_mode: letters(hop.kind, hop.mode),
            depth: 0,
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
        match (&self.resolved, self.kind, self.end) {
            (Some(resolved), Some(kind), _) => writeln!(f, "{} {resolved} ({kind})", Painted(GOOD, "=")),
            (_, _, Some(end)) => writeln!(f, "{} {}", Painted(BAD, "!"), Painted(BAD, end)),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uid = self.uid.map_or("?".to_owned(), |uid| uid.to_string());
        let indent = 2 * self.depth;
        write!(f, " {} {uid:>5} {:indent$}{}", Painted(DIM, &self.shown_mode), "", self.component)?;
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
