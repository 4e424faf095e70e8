//! What a manifest may depend on: the system, the machine, the user.

/// What `when` is compared with and what the given variables stand for.
///
/// The library asks the system for none of it: whoever reads a manifest says what it is read for, so that a manifest can be
/// checked for another machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// `linux`, `macos`, `freebsd` or `windows`: [`std::env::consts::OS`].
    pub os: String,
    /// Rust's word for the processor, for instance `x86_64`: [`std::env::consts::ARCH`].
    pub arch: String,
    /// The name of the machine, whole.
    pub host: String,
    /// The name of the effective user.
    pub user: String,
}

/// The names of the given variables, and of the keys of `when`.
pub(super) const FACTS: &[&str] = &["os", "arch", "host", "user"];

impl Facts {
    /// The value of a given variable.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        match name {
            "os" => Some(&self.os),
            "arch" => Some(&self.arch),
            "host" => Some(&self.host),
            "user" => Some(&self.user),
            _ => None,
        }
    }

    /// What a glob of `when` may match: a host whole, or up to the first dot.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let whole = self.get(name);
        let short = whole.filter(|_| name == "host").and_then(|host| host.split_once('.')).map(|(short, _)| short);
        whole.into_iter().chain(short)
    }
}
