//! A strict reader of OpenMetrics text, written from its specification (1.0), for gauges.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};

/// Every sample by its name with its labels as they are written, without blanks: `caplink_links{status="ok"}`.
#[derive(Debug)]
pub(crate) struct Read(BTreeMap<String, f64>);

impl Read {
    /// The value of a sample; it must be there.
    pub(crate) fn value(&self, sample: &str) -> f64 {
        *self.0.get(sample).unwrap_or_else(|| panic!("no {sample} in {:#?}", self.0))
    }

    pub(crate) fn has(&self, sample: &str) -> bool {
        self.0.contains_key(sample)
    }

    /// The names, without labels.
    pub(crate) fn names(&self) -> BTreeSet<&str> {
        self.0.keys().map(|sample| sample.split('{').next().unwrap()).collect()
    }
}

/// Reads a whole text, or says what is wrong with it.
pub(crate) fn read(text: &str) -> Result<Read, String> {
    let body = text.strip_suffix("# EOF\n").ok_or("it does not end in `# EOF`")?;
    let (mut samples, mut families) = (BTreeMap::new(), BTreeSet::new());
    let mut family: Option<&str> = None;
    let mut told: BTreeSet<&str> = BTreeSet::new();
    let mut sampled = false;
    for line in body.split_terminator('\n') {
        let wrong = |what: &str| format!("{what}: {line:?}");
        if let Some(meta) = line.strip_prefix("# ") {
            let mut words = meta.splitn(3, ' ');
            let (kind, name, rest) = (words.next().unwrap_or(""), words.next().unwrap_or(""), words.next());
            let rest = rest.ok_or_else(|| wrong("cut short"))?;
            if family != Some(name) {
                if !families.insert(name) {
                    return Err(wrong("a family in two places"));
                }
                if family.is_some() && !sampled {
                    return Err(wrong("a family without samples before"));
                }
                (family, sampled) = (Some(name), false);
                told.clear();
            }
            if sampled || !told.insert(kind) {
                return Err(wrong("metadata behind samples, or twice"));
            }
            match kind {
                "TYPE" if rest == "gauge" => {}
                "HELP" if !rest.is_empty() => {}
                "UNIT" if name.ends_with(&format!("_{rest}")) => {}
                _ => return Err(wrong("no metadata")),
            }
            continue;
        }
        let end = line.find(['{', ' ']).ok_or_else(|| wrong("no value"))?;
        let (name, rest) = line.split_at(end);
        if family != Some(name) || !told.contains("TYPE") {
            return Err(wrong("a sample outside its family"));
        }
        let is_name = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        if !is_name(name) {
            return Err(wrong("no name"));
        }
        let value = match rest.strip_prefix('{') {
            Some(labels) => after_labels(labels, is_name).ok_or_else(|| wrong("labels"))?,
            None => rest,
        };
        let value = value.strip_prefix(' ').ok_or_else(|| wrong("no blank before the value"))?;
        let number: f64 = value.parse().map_err(|_| wrong("no number"))?;
        let sample = line[..line.len() - value.len() - 1].to_owned();
        if samples.insert(sample, number).is_some() {
            return Err(wrong("a sample twice"));
        }
        sampled = true;
    }
    if text.contains('\r') || !sampled { Err("a CR, or no sample".to_owned()) } else { Ok(Read(samples)) }
}

/// What comes behind the labels.
fn after_labels(mut rest: &str, is_name: impl Fn(&str) -> bool) -> Option<&str> {
    let mut names = BTreeSet::new();
    loop {
        let (name, text) = rest.split_once("=\"")?;
        if !is_name(name) || name.contains(':') || !names.insert(name) {
            return None;
        }
        let mut chars = text.char_indices();
        let end = loop {
            match chars.next()? {
                (at, '"') => break at,
                (_, '\\') if !matches!(chars.next()?.1, '\\' | '"' | 'n') => return None,
                _ => {}
            }
        };
        rest = &text[end + 1..];
        match rest.split_at_checked(1)? {
            (",", more) => rest = more,
            ("}", more) => return Some(more),
            _ => return None,
        }
    }
}

/// Has the client library of Prometheus read it as well.
pub(crate) fn read_by_client_library(text: &str) {
    let available = Command::new("python3").args(["-c", "import prometheus_client"]).stderr(Stdio::null()).status();
    if !available.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: python3 has no prometheus_client");
        return;
    }
    let script = "import sys\n\
                  from prometheus_client.openmetrics.parser import text_string_to_metric_families as read\n\
                  families = list(read(sys.stdin.read()))\n\
                  assert families and all(f.type == 'gauge' and f.samples for f in families)";
    let mut python = Command::new("python3").args(["-c", script]).stdin(Stdio::piped()).spawn().unwrap();
    python.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(python.wait().unwrap().success(), "{text}");
}

#[test]
fn the_reader_refuses_what_the_specification_refuses() {
    let good = "# TYPE a gauge\n# HELP a h\na{l=\"x\\\"\\\\\\n\"} 1\na 2.5\n# EOF\n";
    assert_eq!(read(good).unwrap().value("a"), 2.5);
    for bad in [
        "a 1\n# EOF\n",
        "# TYPE a gauge\na 1\n",
        "# TYPE a gauge\na 1\na 1\n# EOF\n",
        "# TYPE a gauge\n\na 1\n# EOF\n",
        "# TYPE a gauge\na  1\n# EOF\n",
        "# TYPE a gauge\na{l=\"x} 1\n# EOF\n",
        "# TYPE a gauge\na{l=\"x\",l=\"y\"} 1\n# EOF\n",
        "# TYPE a gauge\na{l=\"\\x\"} 1\n# EOF\n",
        "# TYPE a gauge\n# UNIT a seconds\na 1\n# EOF\n",
        "# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\na{l=\"x\"} 1\n# EOF\n",
        "# TYPE a gauge\na x\n# EOF\n",
        "# TYPE a gauge\na 1\n# EOF\nb 1\n",
    ] {
        assert!(read(bad).is_err(), "{bad}");
    }
}
