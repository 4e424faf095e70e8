//! The planted faults of `tests/mutations` keep up with the sources.
//!
//! Whether each is caught takes minutes and is shown by `tests/mutations/run`. Here is held what takes no time: that each
//! still applies, and that the test it names is there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A patch with its two lines in front.
struct Fault {
    path: PathBuf,
    text: String,
}

impl Fault {
    fn name(&self) -> String {
        self.path.file_stem().unwrap().to_string_lossy().into_owned()
    }

    fn header(&self, key: &str) -> Option<&str> {
        let before = self.text.lines().take_while(|line| !line.starts_with("diff "));
        before.filter_map(|line| line.strip_prefix(key)).next()
    }

    /// What is wrong with it beside whether it applies.
    fn blemish(&self, package: &Path) -> Option<String> {
        if self.header("Fault: ").is_none_or(str::is_empty) {
            return Some("it does not say what is wrong".into());
        }
        let changed = self.text.lines().filter_map(|line| line.strip_prefix("+++ b/"));
        if changed.clone().count() == 0 || changed.clone().any(|path| !path.starts_with("src/")) {
            return Some("it is to change the sources of the program and nothing else".into());
        }
        let test: Vec<&str> = self.header("Test: ").unwrap_or_default().split_whitespace().collect();
        let (top, name) = match test[..] {
            ["--test", target, name] => (format!("tests/{target}"), name),
            ["--lib", name] | ["--bin", "caplink", name] => ("src".to_owned(), name),
            _ => return Some("it names no test".into()),
        };
        let found = files(&top, name).iter().any(|file| {
            let function = format!("fn {}(", name.rsplit("::").next().unwrap_or(name));
            fs::read_to_string(package.join(file)).is_ok_and(|source| source.contains(&function))
        });
        (!found).then(|| format!("there is no test {name}"))
    }
}

/// Where the modules of a test's name can be, from the top of its target.
fn files(top: &str, name: &str) -> Vec<String> {
    let mut modules: Vec<&str> = name.split("::").collect();
    modules.pop();
    let file = [&[top], &modules[..]].concat().join("/");
    let mut files = vec![format!("{file}.rs"), format!("{file}/main.rs"), format!("{file}/mod.rs")];
    if modules.last() == Some(&"tests") {
        // Within the file that it tests.
        let file = file.trim_end_matches("/tests");
        files.extend([format!("{file}.rs"), format!("{file}/mod.rs")]);
    }
    files
}

fn faults(package: &Path) -> Vec<Fault> {
    let entries = fs::read_dir(package.join("tests/mutations")).unwrap().map(|entry| entry.unwrap().path());
    let patches = entries.filter(|path| path.extension().is_some_and(|extension| extension == "patch"));
    let mut faults: Vec<Fault> = patches.map(|path| Fault { text: fs::read_to_string(&path).unwrap(), path }).collect();
    faults.sort_by(|a, b| a.path.cmp(&b.path));
    faults
}

#[test]
fn every_planted_fault_names_a_test_that_is_there() {
    let package = super::package();
    let faults = faults(package);
    assert!(faults.len() >= 25, "{} faults", faults.len());
    let blemishes: Vec<String> =
        faults.iter().filter_map(|fault| Some(format!("{}: {}", fault.name(), fault.blemish(package)?))).collect();
    assert!(blemishes.is_empty(), "\n{}", blemishes.join("\n"));
}

/// Asks git whether a patch applies, and shows what it says. None where there is no git.
fn refusal(package: &Path, patch: &Path) -> Option<Result<(), String>> {
    let mut git = Command::new("git");
    // Within a repository it would leave out what it takes for another directory's.
    git.args(["apply", "--check"]).arg(patch).current_dir(package);
    git.env("GIT_CEILING_DIRECTORIES", package.parent().unwrap_or(package)).env_remove("GIT_DIR");
    let said = git.output().ok()?;
    Some(if said.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&said.stderr).into_owned()) })
}

#[test]
fn every_planted_fault_applies_to_the_sources() {
    let package = super::package();
    let mut refused = Vec::new();
    for fault in faults(package) {
        match refusal(package, &fault.path) {
            None => return println!("SKIPPED: planted faults: there is no git to apply them with"),
            Some(Ok(())) => {}
            Some(Err(said)) => refused.push(format!("{}: {said}", fault.name())),
        }
    }
    assert!(refused.is_empty(), "make them anew, or take them out if their sources are gone:\n{}", refused.join("\n"));
}

#[test]
fn a_fault_that_is_out_of_date_is_seen() {
    let package = super::package();
    let fault = |text: &str| Fault { path: "00-example.patch".into(), text: text.into() };
    let diff = "diff --git a/src/lib.rs b/src/lib.rs\n--- a/src/lib.rs\n+++ b/src/lib.rs\n";
    let good = format!("Fault: x\nTest: --test architecture faults::a_fault_that_is_out_of_date_is_seen\n{diff}");
    assert_eq!(fault(&good).blemish(package), None);
    for bad in [
        good.replace("Fault: x\n", ""),
        good.replace("Test: ", "Tests: "),
        good.replace("is_out_of_date_is_seen", "is_nowhere"),
        good.replace("b/src/lib.rs", "b/tests/verbs.rs"),
    ] {
        assert!(fault(&bad).blemish(package).is_some(), "{bad}");
    }
    let stale = tempfile::NamedTempFile::new().unwrap();
    fs::write(stale.path(), format!("{diff}@@ -1,1 +1,1 @@\n-nothing of the kind\n+x\n")).unwrap();
    assert!(refusal(package, stale.path()).is_none_or(|said| said.is_err()));
}
