//! Releases through the library: what is decided, kept and removed, whoever writes at the same time and wherever a program
//! is stopped.
#![cfg(all(target_os = "linux", feature = "cli"))]

mod closures;
mod ground;
mod many;
mod readers;
#[path = "../tracer/registers.rs"]
mod registers;
mod removal;
mod stops;
#[path = "../support"]
mod support {
    pub(crate) mod environment;
    pub(crate) mod rounds;
}
#[path = "../tracer/tracee.rs"]
#[expect(dead_code, reason = "calls are counted here, and not looked into")]
mod tracee;
