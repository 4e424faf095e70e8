//! Reads the manifest that a call is about.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use caplink::Kind;
use caplink::manage::{Facts, Manifest, Manifests, Planned, Problem};
use caplink::records::Actor;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyBytes, PyString};

use crate::changing::Holder;
use crate::given;
use crate::shared::Shared;

/// Its name in the root, unless another is given.
const NAME: &str = "caplink.toml";

/// The longest manifest, in bytes.
const LONGEST: u64 = 16 << 20;

/// A manifest as it was given.
pub(super) enum Given {
    Text(Vec<u8>),
    Path(PathBuf),
    /// A path below the root.
    Below(PathBuf),
}

/// A manifest that was read.
pub(super) struct Read {
    pub(super) manifest: Manifest,
    pub(super) bytes: Vec<u8>,
    path: Option<PathBuf>,
}

/// Why there is no manifest.
pub(super) enum Unread {
    Failed { kind: Kind, message: String, source: Option<io::Error> },
    Problems { shown: String, problems: Vec<Problem> },
}

impl Given {
    /// A `str` or `bytes` of more than one line is a text: no manifest has only one.
    pub(super) fn of(root: &Shared, given: Option<&Bound<'_, PyAny>>) -> PyResult<Given> {
        let Some(given) = given else { return Ok(Given::Below(NAME.into())) };
        let path = given.extract::<given::Given<'_>>()?;
        path.is_of(given.py(), root)?;
        if path.is_path() {
            return Ok(Given::Below(path.text.into()));
        }
        let text = path.text;
        let is_text = given.is_instance_of::<PyString>() || given.is_instance_of::<PyBytes>();
        if is_text && text.as_encoded_bytes().contains(&b'\n') {
            return Ok(Given::Text(text.into_encoded_bytes()));
        }
        Ok(Given::Path(text.into()))
    }

    pub(super) fn read(self, holder: &Holder) -> Result<Read, Unread> {
        let (bytes, path, open_to_others) = match self {
            Given::Text(bytes) => (bytes, None, false),
            Given::Path(path) => {
                let read = of_file(&path).map_err(|source| unreadable(&path, source))?;
                (read.0, Some(std::path::absolute(&path).unwrap_or(path)), read.1)
            }
            Given::Below(path) => {
                let read = below(holder, &path).map_err(|source| unreadable(&path, source))?;
                let whole = holder.root().physical_path().map_or_else(|| path.clone(), |root| root.join(&path));
                (read.0, Some(whole), read.1)
            }
        };
        let shown = shown(path.as_deref());
        let manifest = match Manifest::parse(&bytes, &facts()) {
            Ok(manifest) => manifest,
            Err(problems) => return Err(Unread::Problems { shown, problems }),
        };
        if open_to_others && manifest.has_hooks() {
            let message = format!("cannot use the manifest `{shown}`: others can write it, and it runs programs");
            return Err(Unread::Failed { kind: Kind::UnsafeManifest, message, source: None });
        }
        Ok(Read { manifest, bytes, path })
    }
}

impl Read {
    /// What people call it.
    pub(super) fn shown(&self) -> String {
        shown(self.path.as_deref())
    }

    /// The plan with where its manifest is, which the records keep; a text is in no place.
    pub(super) fn placed(&self, planned: Planned, manifests: &Manifests) -> Planned {
        match self.path.as_ref().filter(|path| path.is_absolute()) {
            Some(path) => planned.read_from(manifests, path),
            None => planned,
        }
    }
}

fn shown(path: Option<&Path>) -> String {
    path.map_or_else(|| "<text>".to_owned(), |path| caplink::printable(path).to_string())
}

fn unreadable(path: &Path, source: io::Error) -> Unread {
    let kind = match Kind::from(&source) {
        kind @ (Kind::NotFound | Kind::Permission) => kind,
        _ => Kind::InvalidManifest,
    };
    let message = format!("cannot read the manifest `{}`: {source}", caplink::printable(path));
    Unread::Failed { kind, message, source: Some(source) }
}

/// What is in a file, and whether others can write it or its directory.
fn of_file(path: &Path) -> io::Result<(Vec<u8>, bool)> {
    // A fifo would be waited for.
    regular(std::fs::metadata(path)?.is_file())?;
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    taken(File::open(path)?, &std::fs::metadata(above)?)
}

fn below(holder: &Holder, path: &Path) -> io::Result<(Vec<u8>, bool)> {
    let dir = holder.dir();
    regular(dir.metadata(path)?.is_file())?;
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    taken(dir.open(path)?.into_std(), &dir.open_dir(above)?.into_std_file().metadata()?)
}

fn regular(is_file: bool) -> io::Result<()> {
    if is_file { Ok(()) } else { Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file")) }
}

fn taken(file: File, above: &Metadata) -> io::Result<(Vec<u8>, bool)> {
    let is_open = is_open(&file.metadata()?) || is_open(above);
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes)?;
    Ok((bytes, is_open))
}

#[cfg(unix)]
fn is_open(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    let own = Actor::of_this_process().uid;
    metadata.mode() & 0o022 != 0 || (metadata.uid() != 0 && Some(metadata.uid()) != own)
}

#[cfg(not(unix))]
fn is_open(_: &Metadata) -> bool {
    false
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
