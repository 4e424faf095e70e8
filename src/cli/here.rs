//! Command lines that can be pasted: they repeat what of the present line they need.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::global::Global;

/// What of the present line other commands need, to mean the same tree.
#[derive(Default)]
pub(crate) struct Here {
    root: Option<PathBuf>,
    state: Option<PathBuf>,
    /// How paths are read and texts are judged.
    flags: Vec<&'static str>,
}

/// The verbs to which the state directory matters.
const WITH_STATE: &[&str] = &["doctor", "log", "recover", "repair", "undo"];

impl Here {
    pub(crate) fn of(global: &Global) -> Here {
        let flags = [(global.follow, "--follow"), (global.cross_mounts, "--cross-mounts"), (global.rooted, "--rooted")];
        let flags = flags.into_iter().filter(|(given, _)| *given).map(|(_, flag)| flag).collect();
        Here { root: global.root.clone(), state: global.state.clone(), flags }
    }

    /// A command of this verb with its options, on a path if there is one; none where it could not be written so that it
    /// can be pasted.
    pub(crate) fn command(&self, verb: &str, options: &[&str], path: Option<&OsStr>) -> Option<String> {
        let mut words = vec!["caplink".to_owned()];
        if let Some(root) = &self.root {
            words.extend(option("-C", "--root", root.as_os_str())?);
        }
        words.push(verb.to_owned());
        words.extend(self.flags.iter().chain(options).map(|word| (*word).to_owned()));
        if let Some(state) = self.state.as_ref().filter(|_| WITH_STATE.contains(&verb) || verb.starts_with("release")) {
            words.extend(option("--state", "--state", state.as_os_str())?);
        }
        if let Some(path) = path {
            if is_like_option(path) {
                words.push("--".to_owned());
            }
            words.push(quoted(path)?);
        }
        Some(words.join(" "))
    }
}

/// An option and its value, in one word where the value looks like an option.
fn option(name: &str, long: &str, value: &OsStr) -> Option<Vec<String>> {
    let word = quoted(value)?;
    Some(if is_like_option(value) { vec![format!("{long}={word}")] } else { vec![name.to_owned(), word] })
}

fn is_like_option(word: &OsStr) -> bool {
    word.as_encoded_bytes().starts_with(b"-")
}

/// A word for a shell; none for bytes that a terminal would not show as they are, or that end the command in a hint.
fn quoted(word: &OsStr) -> Option<String> {
    let word = word.to_str()?;
    if caplink::printable(word).to_string() != word || word.is_empty() || word.contains('`') {
        return None;
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,".contains(c);
    Some(if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_pasted() {
        let mut here = Here { root: Some("/s r".into()), state: Some("st".into()), flags: Vec::new() };
        let inspect = |link: &str| here.command("inspect", &[], Some(link.as_ref()));
        assert_eq!(inspect("a/b").as_deref(), Some("caplink -C '/s r' inspect a/b"));
        assert_eq!(inspect("it's").as_deref(), Some(r"caplink -C '/s r' inspect 'it'\''s'"));
        assert_eq!(inspect("-n").as_deref(), Some("caplink -C '/s r' inspect -- -n"));
        assert_eq!(inspect("-n x").as_deref(), Some("caplink -C '/s r' inspect -- '-n x'"));
        assert_eq!(inspect("a\nb"), None);
        assert_eq!(inspect("`id`"), None);
        (here.root, here.state) = (Some("-r".into()), Some("- st".into()));
        let repair = here.command("repair", &["--tidy"], None);
        assert_eq!(repair.as_deref(), Some("caplink --root=-r repair --tidy --state='- st'"));
        (here.root, here.state) = (None, Some("st".into()));
        here.flags = vec!["--follow"];
        let repair = here.command("repair", &["--tidy"], Some(".".as_ref()));
        assert_eq!(repair.as_deref(), Some("caplink repair --follow --tidy --state st ."));
        assert_eq!(here.command("resolve", &[], None).as_deref(), Some("caplink resolve --follow"));
    }
}
