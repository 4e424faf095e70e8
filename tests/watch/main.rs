//! Watching a root through the library: what is told of links, whatever happens to the tree and to the hints.

#![cfg(all(unix, feature = "watch"))]

#[cfg(target_os = "linux")]
mod drawn;
mod links;
#[path = "../support"]
mod asked {
    pub(crate) mod environment;
    pub(crate) mod rounds;
}
mod storms;
mod support;
