//! Audits the links of a tree: a report by status, worst first, for a job that runs every night.
//!
//!     audit_tree ROOT
//!
//! Nothing is changed, and nothing outside ROOT is opened. What could not be looked at is said, and makes the audit
//! incomplete: an audit that is silent about it would be taken for a clean one.
//!
//! Exit status: 0 clean, 1 findings, 2 incomplete or failed.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a report")]

use std::collections::BTreeMap;
use std::process::ExitCode;

use caplink::{Error, Finding, Policy, Root, ScanOptions, Status, Summary, Trait, printable};

/// What is reported, worst first.
const REPORTED: [Status; 5] = [Status::Escape, Status::Corrupt, Status::Loop, Status::Dangling, Status::Denied];

fn main() -> ExitCode {
    let Some(root) = std::env::args_os().nth(1) else {
        eprintln!("usage: audit_tree ROOT");
        return ExitCode::from(2);
    };
    // An audit may go everywhere below the root, and change nothing.
    let opened =
        Root::open_ambient(root, Policy::default().changes(false).cross_mounts(true), cap_std::ambient_authority());
    match opened.and_then(|root| audit(&root)) {
        Ok(audit) => audit.report(),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// What an audit found.
struct Audit {
    found: BTreeMap<Status, Vec<Finding>>,
    unread: Vec<Error>,
    summary: Summary,
}

fn audit(root: &Root) -> caplink::Result<Audit> {
    let mut scan = root.scan(".", ScanOptions::default().sorted(true))?;
    let (mut found, mut unread) = (BTreeMap::<Status, Vec<Finding>>::new(), Vec::new());
    for next in &mut scan {
        match next {
            Ok(finding) => found.entry(finding.status).or_default().push(finding),
            Err(error) => unread.push(error),
        }
    }
    Ok(Audit { found, unread, summary: scan.summary() })
}

impl Audit {
    fn report(&self) -> ExitCode {
        for status in REPORTED {
            let links = self.found.get(&status).map_or(&[][..], Vec::as_slice);
            if !links.is_empty() {
                println!("{} ({})", status.as_str(), links.len());
            }
            for finding in links {
                let nothing = if finding.traits.contains(Trait::OutsideMissing) { ", where nothing is" } else { "" };
                let target = finding.target.as_deref().unwrap_or("?".as_ref());
                println!("  {} -> {}{nothing}", printable(&finding.link), printable(target));
            }
        }
        for error in &self.unread {
            eprintln!("error: {error}");
        }
        let fine = self.summary.with_status(Status::Ok);
        println!("{fine} of {} links are fine", self.summary.links);
        match (self.summary.complete, fine == self.summary.links) {
            (false, _) => ExitCode::from(2),
            (true, false) => ExitCode::from(1),
            (true, true) => ExitCode::SUCCESS,
        }
    }
}
