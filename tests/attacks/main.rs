//! Every attack on paths (`s_`) and on objects (`o_`) that is known by name, each with the outcome that is owed.
//!
//! A case is a root with a canary tree beside it. It runs on every backend: with the abilities of this kernel, with
//! abilities taken away, and under a seccomp filter that refuses the very calls. After every operation the canary is
//! the same to the nanosecond, what is no link is where it was with its content, nothing of the library's own is left,
//! no descriptor leaked, and what was reported is on disk. No operation may take longer than two seconds.
//!
//! Each case records a row: name, backend, file system, outcome. What this host lacks is skipped aloud.

#![cfg(target_os = "linux")]

mod backend;
mod file_systems;
mod filters;
mod ground;
mod kinds;
mod limits;
mod links_on_the_way;
mod mounts;
mod privileges;
mod program;
mod roots;
mod spelling;
mod targets;
mod users;

#[path = "../support"]
mod support {
    pub(crate) mod environment;
    pub(crate) mod file_systems;
    pub(crate) mod ground;
    pub(crate) mod rounds;
    pub(crate) mod rows;
    pub(crate) mod snapshot;
    pub(crate) mod table;
    pub(crate) mod umask;
}
