//! The `caplink` program.

mod cli;

/// The allocator of musl asks the kernel for every few kilobytes; a program that runs for a millisecond feels that.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> std::process::ExitCode {
    cli::main()
}
