//! Reads the manifest that a verb is about.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use caplink::manage::{Facts, Manifest, Manifests, Planned};
use caplink::records::Actor;
use caplink::{Kind, Root};

use crate::cli::context::{Context, variable};
use crate::cli::files;
use crate::cli::problem::Problem;
use crate::cli::report::Report;

/// The longest manifest, in bytes.
const LONGEST: u64 = 16 << 20;

/// Its name in the root, unless another file is named.
const NAME: &str = "caplink.toml";

/// A manifest that was read.
pub(crate) struct ReadManifest {
    pub(crate) manifest: Manifest,
    /// Its text.
    pub(crate) bytes: Vec<u8>,
    pub(crate) source: Source,
}

/// The file that a manifest was read from.
pub(crate) struct Source {
    /// Where it is; none where it came from stdin.
    pub(crate) path: Option<PathBuf>,
    /// What is to be said of the file.
    pub(crate) warning: Option<String>,
}

impl Source {
    /// What people call the file.
    pub(crate) fn shown(&self) -> String {
        self.path.as_ref().map_or_else(|| "-".to_owned(), |path| caplink::printable(path).to_string())
    }

    /// The plan with where its manifest is, which the records keep; stdin is no place.
    pub(crate) fn placed(&self, planned: Planned, manifests: &Manifests) -> Planned {
        let absolute = self.path.as_ref().and_then(|path| std::path::absolute(path).ok());
        match absolute {
            Some(path) => planned.read_from(manifests, &path),
            None => planned,
        }
    }

    /// Says what is worth a word besides the steps.
    pub(crate) fn tell(&self, report: &mut Report, planned: &Planned) {
        if let Some(before) = &planned.moved_from {
            let (name, before) = (&planned.manifest, caplink::printable(before));
            report.note(0, format!("the manifest `{name}` was applied from `{before}` before"));
        }
        for over in &planned.overridden {
            let (link, tree, by) = (&over.link, over.tree.line, over.by.line);
            report.note(0, format!("`{link}`: the link of line {by} wins over the tree of line {tree}"));
        }
    }
}

/// Reads the manifest; none where none is named and the root has none.
pub(crate) fn read(context: &Context, root: &Root, named: Option<&Path>) -> Result<Option<ReadManifest>, Vec<Problem>> {
    let given = named.map(Path::to_path_buf).or_else(|| variable("CAPLINK_MANIFEST").map(PathBuf::from));
    if given.is_none() && !is_there(context, root) {
        return Ok(None);
    }
    read_or_fail(context, root, named).map(Some)
}

/// The manifest of the root.
fn of_root(context: &Context, root: &Root) -> PathBuf {
    root.physical_path().unwrap_or(&context.root_path()).join(NAME)
}

fn is_there(context: &Context, root: &Root) -> bool {
    !files::is_missing(&of_root(context, root))
}

/// Reads the manifest for a verb that needs one.
pub(crate) fn read_or_fail(context: &Context, root: &Root, named: Option<&Path>) -> Result<ReadManifest, Vec<Problem>> {
    let named = named.map(Path::to_path_buf).or_else(|| variable("CAPLINK_MANIFEST").map(PathBuf::from));
    let path = named.unwrap_or_else(|| of_root(context, root));
    let shown = caplink::printable(&path).to_string();
    let read = files::read_judged(&path, LONGEST).map_err(|source| {
        let kind = match Kind::from(&source) {
            Kind::NotFound | Kind::Permission => Kind::from(&source),
            _ => Kind::InvalidManifest,
        };
        let hint = (source.kind() == ErrorKind::NotFound).then(|| "`-m FILE` or $CAPLINK_MANIFEST names it".to_owned());
        vec![Problem::new(kind, format!("cannot read the manifest `{shown}`: {source}")).hinted(hint)]
    })?;
    let manifest = Manifest::parse(&read.bytes, &facts())
        .map_err(|problems| problems.iter().map(|problem| invalid(&shown, problem)).collect::<Vec<_>>())?;
    if read.open_to_others && manifest.has_hooks() {
        let message = format!("cannot use the manifest `{shown}`: others can write it, and it runs programs");
        return Err(vec![Problem::new(Kind::UnsafeManifest, message)]);
    }
    let warning = read.open_to_others.then(|| format!("others can write the manifest `{shown}`"));
    let path = (path.as_os_str() != "-").then_some(path);
    Ok(ReadManifest { manifest, bytes: read.bytes, source: Source { path, warning } })
}

/// A problem of a manifest, with the line that it is in.
pub(crate) fn invalid(shown: &str, problem: &caplink::manage::Problem) -> Problem {
    let place = format!("{shown}:{}:{}", problem.line(), problem.column());
    let mut told = Problem::new(Kind::InvalidManifest, format!("{place}: {}", problem.message()));
    told.reported.line = Some(problem.line() as u64);
    told.reported.column = Some(problem.column() as u64);
    told.excerpt = excerpt(problem);
    match problem.expected() {
        Some(expected) => told.hinted(Some(format!("expected {expected}"))),
        None => told,
    }
}

/// The line, with what is wrong underlined.
fn excerpt(problem: &caplink::manage::Problem) -> Option<String> {
    let (line, cut) = problem.excerpt();
    let before = problem.column().checked_sub(1 + cut).and_then(|bytes| line.get(..bytes))?;
    let under = line.get(before.len()..).and_then(|rest| rest.get(..problem.length()))?;
    let width = |text: &str| text.chars().count();
    let number = problem.line().to_string();
    let (gap, marks) = (" ".repeat(width(before)), "^".repeat(width(under).max(1)));
    let margin = " ".repeat(number.len());
    Some(format!("  {number} | {}\n  {margin} | {gap}{marks}", caplink::printable(line)))
}

/// What this machine and user are.
fn facts() -> Facts {
    let actor = Actor::of_this_process();
    Facts {
        os: std::env::consts::OS.to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        host: actor.host.unwrap_or_default(),
        user: actor.user.unwrap_or_default(),
    }
}
