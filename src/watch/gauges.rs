//! What one look came to, as numbers: an OpenMetrics text. Pure.
//!
//! The names and their labels are those of the contract. No path of a link is ever a label: a tree can have a million of
//! them, and whoever writes below the root would choose what a monitoring system stores.

use std::fmt::{self, Write as _};
use std::time::{Duration, SystemTime};

use crate::model::{Status, Summary, Trait};
use crate::plan::{Alarm, ReleaseState};

/// The numbers of one look, shown as an OpenMetrics text.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
/// # dir.symlink("gone", "l")?;
/// use caplink::watch::Gauges;
/// use caplink::{Policy, Root, ScanOptions};
///
/// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
/// let text = Gauges::look(&root, ".", ScanOptions::default())?.to_string();
/// assert!(text.contains("caplink_links{status=\"dangling\"} 1\n"));
/// assert!(text.ends_with("# EOF\n"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Gauges {
    /// The links, counted.
    pub summary: Summary,
    /// When the look began.
    pub at: SystemTime,
    /// How long it took.
    pub took: Duration,
    /// The records, where there are any.
    pub records: Option<RecordsGauges>,
    /// The apps that are known.
    pub apps: Vec<AppGauges>,
    /// The manifests that are known.
    pub manifests: Vec<ManifestGauges>,
}

/// The numbers of the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordsGauges {
    /// The entries.
    pub entries: u64,
    /// The length of the log.
    pub bytes: u64,
    /// The groups that were begun and are not settled.
    pub open_groups: u64,
}

/// The numbers of an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppGauges {
    /// Its name.
    pub app: String,
    /// How many of its releases have each state, in the order of [`ReleaseState::ALL`].
    pub states: Vec<u64>,
    /// What is wrong with it.
    pub alarm: Option<Alarm>,
    /// The active release, and since when, where that is known.
    pub active: Option<(String, Option<SystemTime>)>,
}

/// The numbers of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestGauges {
    /// Its name.
    pub manifest: String,
    /// How many of its entries have each status; every status that an entry can have.
    pub statuses: Vec<(&'static str, u64)>,
}

impl Gauges {
    /// Takes the numbers of a look at links.
    #[must_use]
    pub fn new(summary: Summary, at: SystemTime, took: Duration) -> Gauges {
        Gauges { summary, at, took, records: None, apps: Vec::new(), manifests: Vec::new() }
    }
}

impl fmt::Display for Gauges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Gauges { summary, at, took, records, apps, manifests } = self;
        let mut links = Family::new("caplink_links", "Links by where they lead.");
        for status in Status::ALL {
            links.add(&[("status", status.as_str())], summary.with_status(*status));
        }
        links.fmt(f)?;
        let mut traits = Family::new("caplink_link_traits", "Links by peculiarity; a link has any number.");
        for of in Trait::ALL {
            traits.add(&[("trait", of.as_str())], summary.with_trait(*of));
        }
        traits.fmt(f)?;
        let complete = u8::from(summary.complete);
        Family::one("caplink_scan_complete", "Whether the last look saw everything.", complete).fmt(f)?;
        Family::one("caplink_scan_entries", "Entries of directories that the last look saw.", summary.entries)
            .fmt(f)?;
        let seconds = Seconds(*took);
        Family::one("caplink_scan_duration_seconds", "How long the last look took.", seconds).in_seconds().fmt(f)?;
        Family::one("caplink_scan_timestamp_seconds", "When the last look began.", since_1970(*at))
            .in_seconds()
            .fmt(f)?;
        of_apps(apps, f)?;
        let mut entries = Family::new("caplink_manifest_entries", "Entries of a manifest by status.");
        for ManifestGauges { manifest, statuses } in manifests {
            for (status, count) in statuses {
                entries.add(&[("manifest", manifest), ("status", status)], count);
            }
        }
        entries.fmt(f)?;
        if let Some(RecordsGauges { entries, bytes, open_groups }) = records {
            Family::one("caplink_records_entries", "Entries of the records.", entries).fmt(f)?;
            Family::one("caplink_records_bytes", "Length of the records.", bytes).of_unit("bytes").fmt(f)?;
            let help = "Groups that were begun and are not settled.";
            Family::one("caplink_records_open_groups", help, open_groups).fmt(f)?;
        }
        f.write_str("# EOF\n")
    }
}

fn of_apps(apps: &[AppGauges], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut releases = Family::new("caplink_releases", "Releases of an app by state.");
    let mut alarms = Family::new("caplink_alarm", "Whether this is wrong with an app.");
    let mut active = Family::new("caplink_active_release_info", "The active release of an app.");
    let mut since = Family::new("caplink_active_since_timestamp_seconds", "When it became active.").in_seconds();
    for gauges in apps {
        let app = ("app", &*gauges.app);
        for (state, count) in ReleaseState::ALL.iter().zip(&gauges.states) {
            releases.add(&[app, ("state", state.as_str())], count);
        }
        for alarm in Alarm::ALL {
            alarms.add(&[app, ("alarm", alarm.as_str())], u8::from(gauges.alarm == Some(*alarm)));
        }
        if let Some((release, from)) = &gauges.active {
            active.add(&[app, ("release", release)], 1);
            if let Some(from) = from {
                since.add(&[app], since_1970(*from));
            }
        }
    }
    [releases, alarms, active, since].iter().try_for_each(|family| family.fmt(f))
}

/// A metric with its samples; shown only if it has some.
struct Family {
    name: &'static str,
    help: &'static str,
    unit: Option<&'static str>,
    samples: String,
}

impl Family {
    fn new(name: &'static str, help: &'static str) -> Family {
        Family { name, help, unit: None, samples: String::new() }
    }

    fn one(name: &'static str, help: &'static str, value: impl fmt::Display) -> Family {
        let mut family = Family::new(name, help);
        family.add(&[], value);
        family
    }

    fn in_seconds(self) -> Family {
        self.of_unit("seconds")
    }

    fn of_unit(self, unit: &'static str) -> Family {
        Family { unit: Some(unit), ..self }
    }

    fn add(&mut self, labels: &[(&str, &str)], value: impl fmt::Display) {
        self.samples.push_str(self.name);
        for (index, (label, text)) in labels.iter().enumerate() {
            self.samples.push(if index == 0 { '{' } else { ',' });
            self.samples.push_str(label);
            self.samples.push_str("=\"");
            text.chars().for_each(|c| match c {
                '\\' => self.samples.push_str("\\\\"),
                '"' => self.samples.push_str("\\\""),
                '\n' => self.samples.push_str("\\n"),
                c => self.samples.push(c),
            });
            self.samples.push('"');
        }
        let end = if labels.is_empty() { "" } else { "}" };
        // A string takes what is written.
        let _always = writeln!(self.samples, "{end} {value}");
    }

    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Family { name, help, unit, samples } = self;
        if samples.is_empty() {
            return Ok(());
        }
        writeln!(f, "# TYPE {name} gauge")?;
        if let Some(unit) = unit {
            writeln!(f, "# UNIT {name} {unit}")?;
        }
        writeln!(f, "# HELP {name} {help}")?;
        f.write_str(samples)
    }
}

/// Seconds with all nine digits: a number of binary digits has not enough for a time of today.
struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.0.as_secs(), self.0.subsec_nanos())
    }
}

/// A moment before 1970 is shown as 0.
fn since_1970(time: SystemTime) -> Seconds {
    Seconds(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gauges() -> Gauges {
        Gauges::new(Summary::default(), SystemTime::UNIX_EPOCH + Duration::from_millis(1500), Duration::from_micros(7))
    }

    #[test]
    fn times_have_nine_digits() {
        let text = gauges().to_string();
        assert!(text.contains("\ncaplink_scan_timestamp_seconds 1.500000000\n"), "{text}");
        assert!(text.contains("\ncaplink_scan_duration_seconds 0.000007000\n"), "{text}");
    }

    #[test]
    fn what_there_is_none_of_is_left_out() {
        let text = gauges().to_string();
        for name in ["records", "releases", "alarm", "active", "manifest"] {
            assert!(!text.contains(name), "{text}");
        }
    }

    #[test]
    fn labels_are_escaped() {
        let manifests = vec![ManifestGauges { manifest: "a\"b\\c\nd".into(), statuses: vec![("ok", 2)] }];
        let text = Gauges { manifests, ..gauges() }.to_string();
        let line = r#"caplink_manifest_entries{manifest="a\"b\\c\nd",status="ok"} 2"#;
        assert!(text.lines().any(|shown| shown == line), "{text}");
    }

    #[test]
    fn an_app_has_a_sample_for_each_alarm() {
        let app = AppGauges {
            app: "web".into(),
            states: vec![1, 1, 0, 0, 0],
            alarm: Some(Alarm::Drift),
            active: Some(("42".into(), Some(SystemTime::UNIX_EPOCH))),
        };
        let text = Gauges { apps: vec![app], ..gauges() }.to_string();
        for alarm in Alarm::ALL {
            let value = u8::from(*alarm == Alarm::Drift);
            let line = format!("caplink_alarm{{app=\"web\",alarm=\"{}\"}} {value}\n", alarm.as_str());
            assert!(text.contains(&line), "{text}");
        }
        assert!(text.contains("caplink_active_release_info{app=\"web\",release=\"42\"} 1\n"), "{text}");
    }
}
