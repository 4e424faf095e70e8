//! Values of the kinds that a manifest has, taken from a table; what is of another kind is told.

use std::borrow::Cow;
use std::time::Duration;

use toml_parser::decoder::ScalarKind;

use super::document::{Scalar, Spot, Table, Value};
use super::problem::{Problems, shown};

/// Reads the values of a text.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) problems: Problems,
}

impl<'a> Reader<'a> {
    /// Tells every key that the table may not have.
    pub(super) fn known(&mut self, table: &Table<'_>, keys: &[&str]) {
        for (key, _) in table.pairs() {
            if !keys.contains(&&*key.text) {
                let message = format!("unknown key {}", shown(&key.text));
                let list = keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
                let expected = match nearest(&key.text, keys) {
                    Some(near) => format!("`{near}`, or another of {list}"),
                    None => format!("one of {list}"),
                };
                self.problems.add_expecting(key.at, message, expected);
            }
            if self.problems.is_full() {
                return;
            }
        }
    }

    fn wrong(&mut self, value: &Value<'_>, expected: &str) {
        self.problems.add_expecting(value.at(), format!("this is {}", value.what()), expected);
    }

    fn scalar<'v>(value: &'v Value<'_>) -> Option<&'v Scalar> {
        match value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// A string.
    pub(super) fn string(&mut self, value: &Value<'_>, expected: &str) -> Option<Cow<'a, str>> {
        match Self::scalar(value) {
            Some(scalar) if scalar.kind == ScalarKind::String => Some(scalar.decode(self.text)),
            _ => {
                self.wrong(value, expected);
                None
            }
        }
    }

    pub(super) fn flag(&mut self, value: &Value<'_>) -> Option<bool> {
        match Self::scalar(value).map(|scalar| scalar.kind) {
            Some(ScalarKind::Boolean(flag)) => Some(flag),
            _ => {
                self.wrong(value, "`true` or `false`");
                None
            }
        }
    }

    /// A whole number that is not negative.
    pub(super) fn number(&mut self, value: &Value<'_>) -> Option<u32> {
        let expected = "a whole number from 0 to 4294967295";
        let Some(Scalar { kind: ScalarKind::Integer(radix), .. }) = Self::scalar(value) else {
            self.wrong(value, expected);
            return None;
        };
        let digits = Self::scalar(value).map(|scalar| scalar.decode(self.text)).unwrap_or_default();
        let number = u32::from_str_radix(&digits, radix.value()).ok();
        if number.is_none() {
            self.problems.add_expecting(value.at(), "this number is out of range", expected);
        }
        number
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&mut self, value: &Value<'_>, words: &[(&str, T)]) -> Option<T> {
        let list = words.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        let expected = format!("one of {list}");
        let given = self.string(value, &expected)?;
        let found = words.iter().find(|(word, _)| *word == given).map(|(_, meant)| *meant);
        if found.is_none() {
            self.problems.add_expecting(value.at(), format!("{} has no meaning here", shown(&given)), expected);
        }
        found
    }

    /// A time: a whole number and a unit.
    pub(super) fn duration(&mut self, value: &Value<'_>) -> Option<Duration> {
        let expected = "a whole number and `ms`, `s`, `m`, `h` or `d`, as in `\"10m\"`";
        let given = self.string(value, expected)?;
        let duration = duration(&given);
        if duration.is_none() {
            self.problems.add_expecting(value.at(), format!("{} is no duration", shown(&given)), expected);
        }
        duration
    }

    pub(super) fn items<'v>(&mut self, value: &'v Value<'a>, expected: &str) -> Option<&'v [Value<'a>]> {
        match value {
            Value::Array(array) => Some(&array.items),
            _ => {
                self.wrong(value, expected);
                None
            }
        }
    }

    /// A list of strings; those that are none are told and left out.
    pub(super) fn strings(&mut self, value: &Value<'a>, expected: &str) -> Option<Vec<(Cow<'a, str>, Spot)>> {
        let items = self.items(value, expected)?;
        let strings: Vec<_> =
            items.iter().filter_map(|item| Some((self.string(item, "a string")?, item.at()))).collect();
        (strings.len() == items.len()).then_some(strings)
    }

    pub(super) fn table<'v>(&mut self, value: &'v Value<'a>, expected: &str) -> Option<&'v Table<'a>> {
        match value {
            Value::Table(table) => Some(table),
            _ => {
                self.wrong(value, expected);
                None
            }
        }
    }

    /// The tables of `[[name]]`.
    pub(super) fn tables<'v>(&mut self, root: &'v Table<'a>, name: &str) -> Vec<&'v Table<'a>> {
        let Some(value) = root.get(name) else { return Vec::new() };
        let expected = format!("tables that begin with `[[{name}]]`");
        let Some(items) = self.items(value, &expected) else { return Vec::new() };
        items.iter().filter_map(|item| self.table(item, &expected)).collect()
    }
}

/// A whole number and a unit.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text.get(..digits)?.parse().ok()?;
    let seconds = |each: u64| number.checked_mul(each).map(Duration::from_secs);
    match &text[digits..] {
        "ms" => Some(Duration::from_millis(number)),
        "s" => seconds(1),
        "m" => seconds(60),
        "h" => seconds(3600),
        "d" => seconds(86400),
        _ => None,
    }
}

/// The key that was probably meant: with one or two letters changed, added, left out or swapped.
fn nearest<'k>(given: &str, keys: &[&'k str]) -> Option<&'k str> {
    if given.len() > 32 {
        return None;
    }
    let close = |key: &&str| distance(given.as_bytes(), key.as_bytes()) <= if key.len() > 4 { 2 } else { 1 };
    keys.iter().copied().filter(close).min_by_key(|key| distance(given.as_bytes(), key.as_bytes()))
}

/// How many letters have to be changed, added, left out or swapped with the next.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = match (i, j) {
                (0, _) => j,
                (_, 0) => i,
                _ => {
                    let same = usize::from(a[i - 1] != b[j - 1]);
                    let plain = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + same);
                    let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                    if swapped { plain.min(rows[i - 2][j - 2] + 1) } else { plain }
                }
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_whole_number_and_a_unit() {
        for (text, milliseconds) in [
            ("500ms", Some(500)),
            ("10s", Some(10_000)),
            ("2m", Some(120_000)),
            ("1h", Some(3_600_000)),
            ("1d", Some(86_400_000)),
            ("0s", Some(0)),
            ("", None),
            ("10", None),
            ("s", None),
            ("-1s", None),
            ("+1s", None),
            ("1.5s", None),
            ("1 s", None),
            ("1S", None),
            ("1w", None),
            ("99999999999999999999s", None),
            ("999999999999999999d", None),
        ] {
            assert_eq!(duration(text).map(|time| time.as_millis()), milliseconds, "{text}");
        }
    }

    #[test]
    fn a_key_that_is_nearly_right_is_named() {
        let keys = ["at", "to", "comment", "on_conflict"];
        for (given, near) in
            [("tp", Some("to")), ("coment", Some("comment")), ("onconflict", Some("on_conflict")), ("colour", None)]
        {
            assert_eq!(nearest(given, &keys), near, "{given}");
        }
    }
}
