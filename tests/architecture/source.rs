//! One file of the package, and what its code refers to.

use super::code;

pub(crate) struct Source {
    /// From the top of the package, with `/`.
    pub(crate) path: String,
    pub(crate) raw: String,
    pub(crate) code: String,
}

impl Source {
    pub(crate) fn new(path: &str, raw: &str) -> Source {
        Source { path: path.to_owned(), raw: raw.to_owned(), code: code::strip(raw) }
    }

    pub(crate) fn is_program(&self) -> bool {
        self.path == "src/main.rs" || self.path.starts_with("src/cli/")
    }

    pub(crate) fn is_library(&self) -> bool {
        self.path.starts_with("src/") && !self.is_program()
    }

    /// A file that is a test module as a whole.
    pub(crate) fn is_test(&self) -> bool {
        !self.path.starts_with("src/") || self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// The modules that lead to this file.
    pub(crate) fn modules(&self) -> Vec<&str> {
        let path = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        path.split('/').filter(|name| *name != "mod" && *name != "lib" && *name != "main").collect()
    }

    /// The room of the library that it belongs to.
    pub(crate) fn room(&self) -> Option<&str> {
        self.modules().first().copied().filter(|_| self.is_library())
    }

    /// How often the code has this word.
    pub(crate) fn uses_word(&self, word: &str) -> usize {
        let part = |c: char| c.is_alphanumeric() || c == '_';
        self.code.split(|c| !part(c)).filter(|found| *found == word).count()
    }

    /// Lines of code that contain one of these words as a whole.
    pub(crate) fn lines_with(&self, words: &[&str]) -> Vec<String> {
        let part = |c: char| c.is_alphanumeric() || c == '_';
        let found = |line: &str, word: &str| {
            line.match_indices(word).any(|(at, _)| {
                let before = line[..at].chars().next_back().is_some_and(part) && word.starts_with(part);
                let after = line[at + word.len()..].chars().next().is_some_and(part) && word.ends_with(part);
                !before && !after
            })
        };
        let line = |(number, line): (usize, &str)| {
            let word = words.iter().find(|word| found(line, word))?;
            Some(format!("{}:{}: `{word}`", self.path, number + 1))
        };
        self.code.lines().enumerate().filter_map(line).collect()
    }

    /// The names at the top of this crate that the file refers to.
    pub(crate) fn known(&self) -> Vec<String> {
        let mut known = Vec::new();
        let name =
            |path: &str| path.split([':', ' ', ';', ',', ')', '(', '<', '>', '&', '.', '\n']).next().map(str::to_owned);
        let depth = self.modules().len();
        for path in code::imports(&self.code) {
            let ups = path.split("::").take_while(|segment| *segment == "super").count();
            let rest: Vec<&str> = path.split("::").skip(ups).collect();
            if ups > 0 && ups == depth && depth > 0 {
                known.extend(rest.first().map(|first| (*first).to_owned()));
            } else if rest.first() == Some(&"crate") {
                known.extend(rest.get(1).and_then(|next| name(next)));
            }
        }
        let inline = self.code.match_indices("crate::").filter_map(|(at, word)| name(&self.code[at + word.len()..]));
        known.extend(inline.filter(|name| !name.is_empty() && !name.starts_with('{')));
        known.sort();
        known.dedup();
        known
    }
}
