//! Manifests: whatever the bytes are, they are read or refused, and what is said about them is about them.

#![no_main]

use caplink::manage::{Facts, Manifest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let facts = Facts { os: "linux".into(), arch: "x86_64".into(), host: "web-1.example".into(), user: "alice".into() };
    // The head is the same for most: the rest is what is of interest.
    let (first, rest) = bytes.split_first().unwrap_or((&0, bytes));
    let head: &[u8] = if first % 4 == 0 { b"" } else { b"version = 1\nname = \"fuzz\"\n" };
    let text = [head, rest].concat();
    match Manifest::parse(&text, &facts) {
        Ok(manifest) => {
            assert_eq!(manifest.links().len(), Manifest::parse(&text, &facts).map_or(0, |again| again.links().len()));
            for link in manifest.links() {
                assert!(link.at.line >= 1 && link.at.column >= 1, "{link:?}");
                assert!(link.link.as_path().as_os_str().len() <= 4095, "{link:?}");
            }
        }
        Err(problems) => {
            assert!(!problems.is_empty() && problems.len() <= 1001);
            let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
            for problem in &problems {
                let line = lines.get(problem.line() - 1).expect("a problem is in a line that is there");
                assert!(problem.column() <= line.len() + 1, "{problem:?}");
                let (excerpt, cut) = problem.excerpt();
                assert!(line[cut..].starts_with(excerpt.as_bytes()) || std::str::from_utf8(&text).is_err(), "{problem:?}");
                assert!(!problem.message().is_empty() && problem.message().len() < 2000, "{problem:?}");
            }
            assert!(problems.len() == 1001 || problems.is_sorted_by_key(|problem| (problem.line(), problem.column())));
        }
    }
});
