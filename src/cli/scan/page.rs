//! A scan as one page that needs nothing else: the counts, a table, and the way of each link that leads over others or
//! nowhere.
//!
//! Rows are written as they come. The counts are known last; the style puts them first. Nothing of a name or a text
//! reaches the page but through [`Escaped`], none stands in the script, and the browser runs no other script.

use std::fmt::{self, Write as _};

use caplink::{FileKind, Finding, Root, Status, Summary, Trait, printable};

/// The hash of `page.js`: no other script runs.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; \
                      script-src 'sha256-/80fcZOMTw6+3A7pmvmDf6809meq709CEz9CMhSnQSA='";

/// How many links of a way are drawn.
const DRAWN_MAX: usize = 12;

/// What stands before the rows.
pub(super) fn head(root: &str) -> String {
    let (root, style) = (Escaped(root), include_str!("page.css"));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <title>caplink scan</title>\n<style>\n{style}</style>\n</head>\n<body>\n\
         <header><h1>Links</h1><p>below <code>{root}</code></p></header>\n<table>\n\
         <thead><tr><th>Link</th><th>Target</th><th>Status</th><th>Traits</th><th>Hops</th><th>Way</th></tr></thead>\n\
         <tbody>\n"
    )
}

/// A link as a row.
pub(super) fn row(root: &Root, finding: &Finding) -> String {
    let class = if finding.status == Status::Ok { "ok" } else { "bad" };
    let traits: Vec<&str> = finding.traits.iter().map(Trait::as_str).collect();
    let is_drawn = matches!(finding.status, Status::Loop | Status::Escape) || finding.traits.contains(Trait::Chain);
    format!(
        "<tr><td>{}</td><td>{}</td><td class=\"{class}\">{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        Escaped(&printable(&finding.link)),
        finding.target.as_ref().map(|target| Escaped(printable(target)).to_string()).unwrap_or_default(),
        finding.status.as_str(),
        traits.join(", "),
        finding.hops,
        if is_drawn { way(root, finding) } else { String::new() },
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
pub(super) fn tail(summary: &Summary, errors: &[&str], unlisted: u64) -> String {
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
        "</tbody>\n</table>\n<section id=\"summary\"><dl>{counts}</dl>{complete}{errors}{more}</section>\n\
         <script>{script}</script>\n</body>\n</html>\n"
    )
}

/// A text that stands for itself between tags and in quoted attributes.
struct Escaped<T>(T);

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
    fn the_script_cannot_end_early() {
        assert!(!include_str!("page.js").contains("</") && !include_str!("page.css").contains("</"));
    }
}
