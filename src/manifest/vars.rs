//! Variables: `{name}` in paths and texts. There is nothing else: no conditions, no functions, no nesting.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};

use super::facts::Facts;
use super::problem::shown;

/// The longest text that variables may make of one, in bytes: no longer path is looked up, and no longer text stored.
pub(super) const TEXT_MAX: usize = 4095;

/// How long all texts of a manifest may be together, in bytes.
const TOTAL_MAX: usize = 128 << 20;

/// The names that `[[each]]` gives.
pub(super) const EACH: &[&str] = &["dir", "base"];

pub(super) struct Vars<'f> {
    facts: &'f Facts,
    own: HashMap<String, String>,
    total: usize,
}

/// A text in which the place of a directory is left open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Dir,
    Base,
}

impl Template {
    /// Whether it says where the directory is.
    pub(super) fn has_dir(&self) -> bool {
        self.0.contains(&Part::Dir)
    }

    /// Whether it differs from directory to directory.
    pub(super) fn mentions_directory(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Dir | Part::Base))
    }

    /// The text for a directory. Its bytes are kept, and not read for variables.
    pub(super) fn fill(&self, dir: &OsStr, base: &OsStr) -> OsString {
        let mut text = OsString::new();
        for part in &self.0 {
            match part {
                Part::Text(plain) => text.push(plain),
                Part::Dir => text.push(dir),
                Part::Base => text.push(base),
            }
        }
        text
    }
}

impl<'f> Vars<'f> {
    pub(super) fn new(facts: &'f Facts) -> Vars<'f> {
        Vars { facts, own: HashMap::new(), total: 0 }
    }

    pub(super) fn define(&mut self, name: String, value: String) {
        self.own.insert(name, value);
    }

    /// The text with the values of its variables.
    pub(super) fn fill<'t>(&mut self, text: &'t str) -> Result<Cow<'t, str>, String> {
        if !text.contains('{') {
            self.count(text.len())?;
            return Ok(Cow::Borrowed(text));
        }
        let mut filled = String::new();
        self.read(text, false, &mut |part| {
            if let Part::Text(plain) = part {
                filled.push_str(&plain);
            }
        })?;
        Ok(Cow::Owned(filled))
    }

    /// Counts a text of that length.
    fn count(&mut self, length: usize) -> Result<(), String> {
        if length > TEXT_MAX {
            return Err(too_long());
        }
        self.total += length;
        if self.total > TOTAL_MAX {
            return Err(format!("with their variables the texts are longer than {} MiB together", TOTAL_MAX >> 20));
        }
        Ok(())
    }

    /// The same where `{dir}` and `{base}` are given later.
    pub(super) fn template(&mut self, text: &str) -> Result<Template, String> {
        let mut parts = Vec::new();
        self.read(text, true, &mut |part| match (parts.last_mut(), part) {
            (Some(Part::Text(before)), Part::Text(plain)) => before.push_str(&plain),
            (_, part) => parts.push(part),
        })?;
        Ok(Template(parts))
    }

    fn read(&mut self, text: &str, each: bool, add: &mut dyn FnMut(Part)) -> Result<(), String> {
        let (mut rest, mut length) = (text, 0);
        let mut text = |plain: &str, add: &mut dyn FnMut(Part)| {
            length += plain.len();
            if length > TEXT_MAX {
                return Err(too_long());
            }
            if !plain.is_empty() {
                add(Part::Text(plain.to_owned()));
            }
            Ok(())
        };
        while let Some(open) = rest.find('{') {
            text(&rest[..open], add)?;
            let after = &rest[open + 1..];
            if let Some(behind) = after.strip_prefix('{') {
                text("{", add)?;
                rest = behind;
                continue;
            }
            let Some(close) = after.find('}') else {
                return Err("a `{` has no `}`; a brace by itself is written `{{`".to_owned());
            };
            let name = &after[..close];
            match name {
                "dir" if each => add(Part::Dir),
                "base" if each => add(Part::Base),
                "dir" | "base" => return Err(format!("`{{{name}}}` is given in the links of `[[each]]` only")),
                _ => match self.own.get(name).map(String::as_str).or_else(|| self.facts.get(name)) {
                    Some(value) => text(value, add)?,
                    None => return Err(format!("the variable {} is not defined; `{{{{` is a brace", shown(name))),
                },
            }
            rest = &after[close + 1..];
        }
        text(rest, add)?;
        self.count(length)
    }
}

fn too_long() -> String {
    format!("with its variables it is longer than {TEXT_MAX} bytes")
}

/// Whether a variable can be called so.
pub(super) fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    !name.is_empty() && name.len() <= 64 && name.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars(facts: &Facts) -> Vars<'_> {
        let mut vars = Vars::new(facts);
        vars.define("cfg".into(), ".config".into());
        vars.define("brace".into(), "{cfg}".into());
        vars
    }

    #[test]
    fn variables_are_filled_in_once() {
        let facts = Facts { host: "web-1.example".into(), ..Facts::default() };
        for (text, filled) in [
            ("{cfg}/nvim", ".config/nvim"),
            ("a{cfg}{cfg}", "a.config.config"),
            ("{host}", "web-1.example"),
            ("{brace}", "{cfg}"),
            ("{{cfg}}", "{cfg}}"),
            ("}{{", "}{"),
            ("", ""),
        ] {
            assert_eq!(vars(&facts).fill(text).as_deref(), Ok(filled), "{text}");
        }
    }

    #[test]
    fn what_is_no_variable_is_told() {
        let facts = Facts::default();
        for (text, word) in [
            ("{nope}", "`nope` is not defined"),
            ("{}", "`` is not defined"),
            ("{cfg", "has no `}`"),
            ("{ cfg }", "` cfg ` is not defined"),
            ("{dir}", "`[[each]]` only"),
        ] {
            let error = vars(&facts).fill(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn a_directory_is_filled_in_as_bytes_and_not_read() {
        let facts = Facts::default();
        let template = vars(&facts).template("{dir}/{cfg}/{base}").unwrap();
        assert!(template.has_dir());
        assert_eq!(template.fill(OsStr::new("p/{cfg}"), OsStr::new("{cfg}")), "p/{cfg}/.config/{cfg}");
        assert!(!vars(&facts).template("x/{base}").unwrap().has_dir());
    }

    #[test]
    fn variables_cannot_make_texts_without_bounds() {
        let facts = Facts::default();
        let mut vars = Vars::new(&facts);
        vars.define("x".into(), "x".repeat(TEXT_MAX));
        assert!(vars.fill("{x}").is_ok() && vars.fill("{x}a").is_err() && vars.fill("{x}{x}").is_err());
        let many = (0..100_000).find(|_| vars.fill("{x}").is_err());
        assert!(many.is_some_and(|many| many < TOTAL_MAX / TEXT_MAX + 1), "{many:?}");
    }
}
