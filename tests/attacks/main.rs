//! The named attacks on paths (`s_`) and on objects (`o_`), each with its expected outcome.
//!
//! A case is a root with a canary tree beside it. It runs on every backend: with the abilities of this kernel, with
//! abilities masked, and under a seccomp filter that refuses the calls themselves. After every operation the canary is
//! identical to the nanosecond, everything that is no link is where it was with its content, there is no residue, no
//! descriptor leaked, and the report describes what is on disk. No operation may take longer than two seconds.
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
