//! What the manifest says of an app.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use caplink::manage::{App, Facts, Manifest};
use caplink::records::Actor;
use caplink::{Kind, Root};

use crate::cli::context::{Context, variable};
use crate::cli::files;
use crate::cli::problem::Problem;

/// The longest manifest, in bytes.
const LONGEST: u64 = 16 << 20;

/// Its name in the root, unless another file is named.
const NAME: &str = "caplink.toml";

/// What the manifest says of an app, with what is to be said of the file; none where there is no manifest, or no such app.
pub(crate) fn settings(
    context: &Context,
    root: &Root,
    named: Option<&Path>,
    app: &str,
) -> Result<(Option<App>, Option<String>), Vec<Problem>> {
    let read = read(context, root, named)?;
    Ok(read.map_or((None, None), |(manifest, warning)| (manifest.apps().get(app).cloned(), warning)))
}

/// Reads the manifest, with what is to be said of the file; none where none is named and the root has none.
pub(crate) fn read(
    context: &Context,
    root: &Root,
    named: Option<&Path>,
) -> Result<Option<(Manifest, Option<String>)>, Vec<Problem>> {
    let named = named.map(Path::to_path_buf).or_else(|| variable("CAPLINK_MANIFEST").map(PathBuf::from));
    let is_named = named.is_some();
    let path = named.unwrap_or_else(|| root.physical_path().unwrap_or(&context.root_path()).join(NAME));
    let shown = caplink::printable(&path).to_string();
    let read = match files::read_judged(&path, LONGEST) {
        Ok(read) => read,
        Err(source) if !is_named && source.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            let kind = match Kind::from(&source) {
                Kind::NotFound | Kind::Permission => Kind::from(&source),
                _ => Kind::InvalidManifest,
            };
            return Err(vec![Problem::new(kind, format!("cannot read the manifest `{shown}`: {source}")).hinted(None)]);
        }
    };
    let manifest = Manifest::parse(&read.bytes, &facts()).map_err(|problems| {
        let problem = |problem: &caplink::manage::Problem| {
            let place = format!("{shown}:{}:{}", problem.line(), problem.column());
            let mut told = Problem::new(Kind::InvalidManifest, format!("{place}: {}", problem.message()));
            told.reported.line = Some(problem.line() as u64);
            told.reported.column = Some(problem.column() as u64);
            told
        };
        problems.iter().map(problem).collect::<Vec<_>>()
    })?;
    if read.open_to_others && manifest.has_hooks() {
        let message = format!("cannot use the manifest `{shown}`: others can write it, and it runs programs");
        return Err(vec![Problem::new(Kind::UnsafeManifest, message)]);
    }
    let warning = read.open_to_others.then(|| format!("others can write the manifest `{shown}`"));
    Ok(Some((manifest, warning)))
}

/// What this machine and user are.
fn facts() -> Facts {
    let actor = Actor::of_this_process();
    let mut facts = Facts::default();
    facts.os = std::env::consts::OS.to_owned();
    facts.arch = std::env::consts::ARCH.to_owned();
    facts.host = actor.host.unwrap_or_default();
    facts.user = actor.user.unwrap_or_default();
    facts
}
