//! A scan as one page that needs nothing else: the counts, filters, a table, and the way of each link that leads over
//! others or nowhere.
//!
//! Rows are written as they come. The counts are known last; the style puts them first, puts what is wrong before what is
//! fine, folds that away, and filters by status and trait, all without a script. The script sorts, and searches for words.
//! Nothing of a name or a text reaches the page but through [`Escaped`], none stands in the script, and the browser runs no
//! other script.

use std::fmt::{self, Write as _};
use std::time::Duration;

use caplink::{FileKind, Finding, Root, Status, Summary, Trait, printable};

use crate::cli::words;

/// The hash of `page.js`: no other script runs.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; \
                      script-src 'sha256-UHg2M4Emc36s0xCh8CKEN1GMTnMjb3vvX2dmIIKk7PM='";

/// How many links of a way are drawn.
const DRAWN_MAX: usize = 12;

/// What stands before the rows.
pub(super) fn head(root: &str, time: &str) -> String {
    let (root, time, style, rules) = (Escaped(root), Escaped(time), include_str!("page.css"), rules());
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <title>caplink scan</title>\n<style>\n{style}{rules}</style>\n</head>\n<body>\n\
         <header><h1>Links</h1><p>below <code>{root}</code>, <time>{time}</time></p></header>\n<main>\n{}<table>\n\
         <thead><tr><th>Link</th><th>Target</th><th>Status</th><th>Traits</th><th>Hops</th><th>Way</th></tr></thead>\n\
         <tbody>\n",
        filters()
    )
}

/// What the boxes of the filters do: a status is hidden where its box is not checked; of the traits that are checked a
/// link must have each. The boxes stand before the table: a rule that asks what the page has (`:has`) is asked again for
/// every row that comes.
fn rules() -> String {
    let statuses = Status::ALL.iter().map(|of| of.as_str());
    let statuses = statuses.map(|of| format!("#s-{of}:not(:checked) ~ table tr.s-{of}"));
    let traits = Trait::ALL.iter().map(|of| of.as_str());
    let traits = traits.map(|of| format!("#t-{of}:checked ~ table tbody tr:not(.t-{of})"));
    format!("{} {{ display: none; }}\n", statuses.chain(traits).collect::<Vec<_>>().join(",\n"))
}

/// The boxes, and what the words mean. What is fine is not shown at first.
fn filters() -> String {
    let row = |(word, what): (&str, &str)| format!("<dt>{word}</dt><dd>{}</dd>", Escaped(what));
    let of_box = |kind: char, word: &str, checked: bool| {
        let checked = if checked { " checked" } else { "" };
        format!("<input type=\"checkbox\" id=\"{kind}-{word}\"{checked}><label for=\"{kind}-{word}\">{word}</label>\n")
    };
    let statuses: String = Status::ALL.iter().map(|of| of_box('s', of.as_str(), *of != Status::Ok)).collect();
    let traits: String = Trait::ALL.iter().map(|of| of_box('t', of.as_str(), false)).collect();
    let words = Status::ALL.iter().map(|of| (of.as_str(), words::status(*of)));
    let words: String = words.chain(Trait::ALL.iter().map(|of| (of.as_str(), words::of_trait(*of)))).map(row).collect();
    format!(
        "<span>Shown:</span>\n{statuses}<br><span>Only with:</span>\n{traits}\
         <details><summary>What the words mean</summary><dl>{words}</dl></details>\n"
    )
}

/// A link as a row.
pub(super) fn row(root: &Root, finding: &Finding) -> String {
    let traits: Vec<&str> = finding.traits.iter().map(Trait::as_str).collect();
    let classes: String = traits.iter().map(|of| format!(" t-{of}")).collect();
    let is_drawn = matches!(finding.status, Status::Loop | Status::Escape) || finding.traits.contains(Trait::Chain);
    format!(
        "<tr class=\"s-{status}{classes}\"><td>{}</td><td>{}</td><td>{status}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        Escaped(&printable(&finding.link)),
        finding.target.as_ref().map(|target| Escaped(printable(target)).to_string()).unwrap_or_default(),
        traits.join(", "),
        finding.hops,
        if is_drawn { way(root, finding) } else { String::new() },
        status = finding.status.as_str(),
    )
}

/// The links that are gone through, and where the way ends.
fn way(root: &Root, finding: &Finding) -> String {
    let hops = root.explain(&finding.link).map(|explained| explained.hops).unwrap_or_default();
    let mut drawn = String::from("<ol class=\"way\">");
    let mut step = |class: &str, shown: &dyn fmt::Display| {
        // A string takes what is written.
        let _always = write!(drawn, "<li{class}>{}</li>", Escaped(shown));
    };
    let mut seen = Vec::new();
    let mut last = None;
    for hop in hops.iter().filter(|hop| hop.kind == Some(FileKind::Symlink)) {
        if seen.contains(&&hop.at) || seen.len() == DRAWN_MAX {
            break;
        }
        step("", &printable(&hop.at));
        seen.push(&hop.at);
        last = hop.target.as_ref();
    }
    match (finding.status, &finding.resolved) {
        (Status::Loop, _) => step(" class=\"end\"", &"round and round"),
        (Status::Escape, _) => {
            let text = last.or(finding.target.as_ref()).map(|text| printable(text).to_string());
            step(" class=\"end\"", &format_args!("{} (outside)", text.unwrap_or_default()));
        }
        (_, Some(path)) if path.as_os_str().is_empty() => step(" class=\"there\"", &"."),
        (_, Some(path)) => step(" class=\"there\"", &printable(path)),
        (status, None) => step(" class=\"end\"", &status.as_str()),
    }
    drawn + "</ol>"
}

/// What stands after the rows.
pub(super) fn tail(standing: &str, summary: &Summary, errors: &[&str], unlisted: u64, took: Duration) -> String {
    let mut counts = vec![("links", summary.links), ("entries", summary.entries)];
    counts.extend(Status::ALL.iter().map(|of| (of.as_str(), summary.with_status(*of))));
    counts.extend(Trait::ALL.iter().map(|of| (of.as_str(), summary.with_trait(*of))));
    counts.push(("directories unread", summary.dirs_unread));
    let counts: String =
        counts.iter().map(|(name, count)| format!("<div><dt>{name}</dt><dd>{count}</dd></div>")).collect();
    let complete = if summary.complete { "" } else { "<p class=\"bad\">The scan is incomplete.</p>" };
    let errors: String = errors.iter().map(|error| format!("<p class=\"bad\">{}</p>", Escaped(error))).collect();
    let more = if unlisted > 0 { format!("<p class=\"bad\">And {unlisted} more errors.</p>") } else { String::new() };
    let script = include_str!("page.js");
    format!(
        "</tbody>\n</table>\n</main>\n{standing}<section id=\"summary\"><p class=\"dim\">It took {:.1} s.</p><dl>{counts}</dl>{complete}{errors}{more}</section>\n\
         <script>{script}</script>\n</body>\n</html>\n",
        took.as_secs_f64()
    )
}

/// A text that stands for itself between tags and in quoted attributes.
pub(super) struct Escaped<T>(pub(super) T);

impl<T: fmt::Display> fmt::Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

/// Escapes what is written through it.
struct Escaping<W>(W);

impl<W: fmt::Write> fmt::Write for Escaping<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '&' => self.0.write_str("&amp;")?,
                '<' => self.0.write_str("&lt;")?,
                '>' => self.0.write_str("&gt;")?,
                '"' => self.0.write_str("&quot;")?,
                '\'' => self.0.write_str("&#39;")?,
                c => self.0.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_html_reads_is_left_in_a_text() {
        let hostile = "</td><script>a('&')</script><a href=\"x\">";
        let escaped = "&lt;/td&gt;&lt;script&gt;a(&#39;&amp;&#39;)&lt;/script&gt;&lt;a href=&quot;x&quot;&gt;";
        assert_eq!(Escaped(hostile).to_string(), escaped);
    }

    #[test]
    fn the_browser_runs_the_script_of_the_page() {
        use base64::Engine as _;
        use sha2::Digest as _;
        let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(include_str!("page.js")));
        assert!(POLICY.contains(&format!("'sha256-{hash}'")), "{hash}");
    }

    #[test]
    fn the_script_cannot_end_early() {
        assert!(!include_str!("page.js").contains("</") && !include_str!("page.css").contains("</"));
    }
}
