//! What a path says by its spelling, read character by character.

use super::world::Names;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spelled {
    pub(crate) names: Names,
    /// It ends as only a directory does, or is the root.
    pub(crate) directory: bool,
}

/// The kind of the refusal, and the index of the component at fault.
pub(crate) type Refusal = (&'static str, Option<usize>);

/// A path that a looking verb takes.
pub(crate) fn place(path: &str) -> Result<Spelled, Refusal> {
    if path.is_empty() || path.contains('\0') {
        return Err(("invalid_path", None));
    }
    if path.starts_with('/') {
        return Err(("escape", Some(0)));
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let mut depth = 0_i64;
    for (index, part) in parts.iter().enumerate() {
        depth += if *part == ".." { -1 } else { 1 };
        if depth < 0 {
            return Err(("escape", Some(index)));
        }
    }
    if let Some(index) = parts.iter().position(|part| *part == "..") {
        return Err(("invalid_path", Some(index)));
    }
    if let Some(index) = parts.iter().position(|part| part.len() > 255) {
        return Err(("too_long", Some(index)));
    }
    let directory = parts.is_empty() || path.ends_with('/') || path.ends_with("/.");
    Ok(Spelled { names: parts.into_iter().map(str::to_owned).collect(), directory })
}

/// A path that names a link.
pub(crate) fn link(path: &str) -> Result<Names, Refusal> {
    let spelled = place(path)?;
    if spelled.directory { Err(("invalid_path", None)) } else { Ok(spelled.names) }
}

/// A target below the root; `.` is the root.
pub(crate) fn target(text: &str) -> Result<Names, &'static str> {
    match place(text) {
        Ok(spelled) => Ok(spelled.names),
        Err(("invalid_path", _)) => Err("invalid_target"),
        Err((kind, _)) => Err(kind),
    }
}
