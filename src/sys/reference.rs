//! What processes refer to, where the system tells.

#[cfg(not(target_os = "linux"))]
use super::Handle;
use crate::model::ObjectId;

#[cfg(target_os = "linux")]
pub(crate) use super::references::references;

/// Something that a process refers to.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    pub(crate) pid: u32,
    pub(crate) program: Option<String>,
    pub(crate) how: &'static str,
    /// Below the directory that was asked about.
    pub(crate) path: std::path::PathBuf,
    /// The object, where its path says nothing here.
    pub(crate) id: Option<ObjectId>,
}

/// What processes refer to.
#[derive(Clone, Debug, Default)]
pub(crate) struct References {
    /// What lies in the directory that was asked about.
    pub(crate) near: Vec<Reference>,
    /// What processes with another root or other mounts refer to on its device: it may lie there.
    pub(crate) far: Vec<Reference>,
    /// Every process was looked into.
    pub(crate) complete: bool,
}

/// Nothing tells what processes refer to.
#[cfg(not(target_os = "linux"))]
pub(crate) fn references(_below: &Handle) -> std::io::Result<References> {
    Ok(References::default())
}
