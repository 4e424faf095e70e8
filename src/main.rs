//! The `caplink` program.

fn main() {}
