//! Manifests from outside: what is read, what is refused and where, what a tree is expanded to, and what is planned.

mod applied;
mod displaced;
mod errors;
mod examples;
mod expanding;
#[cfg(target_os = "linux")]
mod folding;
mod history;
mod hostile;
mod looking;
mod memory;
mod model;
mod parsing;
mod properties;
mod real;
#[cfg(target_os = "linux")]
mod stow;
mod toml_agreement;

use caplink::manage::{Facts, Manifest};

/// The machine that the manifests of these tests are read for.
fn facts() -> Facts {
    Facts { os: "linux".into(), arch: "x86_64".into(), host: "web-1.example.org".into(), user: "alice".into() }
}

/// A manifest with this after its head, which is two lines.
fn with_head(body: &str) -> String {
    format!("version = 1\nname = \"test\"\n{body}")
}

/// A manifest that nothing is wrong with.
fn good(body: &str) -> Manifest {
    let text = with_head(body);
    Manifest::parse(text.as_bytes(), &facts()).unwrap_or_else(|problems| panic!("{text}\n{problems:#?}"))
}

/// The problems of a manifest, as `line:column message`.
fn problems(text: &str) -> Vec<String> {
    let problems = Manifest::parse(text.as_bytes(), &facts()).err().unwrap_or_default();
    problems.iter().map(|problem| format!("{}:{} {}", problem.line(), problem.column(), problem.message())).collect()
}
