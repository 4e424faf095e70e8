//! Who holds a lock.

/// Who holds a lock, as far as the system tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// The name of its program.
    pub program: Option<String>,
    /// Since when, as the holder says it, as RFC 3339 has it.
    pub since: Option<String>,
}
