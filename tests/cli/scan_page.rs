//! `scan --format html`: one page that hostile names cannot change.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Place, skipped};

/// A name that would run a script, were it not escaped.
const HOSTILE: &str = "<img src=x onerror=\"document.title='taken'\">";

fn place() -> Place {
    let place = Place::new();
    place
        .link("plain", "file")
        .link("b-chain", "plain")
        .link("turn", "round")
        .link("round", "turn")
        .link("out", "../outside/secret")
        .link(HOSTILE, format!("../{HOSTILE}"))
        .link("line\nbreak", "</td></tr></table><script>document.title='taken'</script>");
    place
}

/// What a row says, without tags.
fn row<'a>(page: &'a str, link: &str) -> &'a str {
    let cell = format!("\"><td>{link}</td>");
    rows(page).find(|line| line.contains(&cell)).unwrap_or_else(|| panic!("{page}"))
}

fn rows(page: &str) -> impl Iterator<Item = &str> {
    page.lines().filter(|line| line.starts_with("<tr class=\"s-"))
}

#[test]
fn the_page_has_counts_a_row_a_link_and_ways() {
    let ran = place().words("scan --format html");
    let page = ran.out();
    assert_eq!((ran.code, rows(page).count()), (0, 7));
    assert!(page.contains("<dt>links</dt><dd>7</dd>") && page.contains("<dt>loop</dt><dd>2</dd>"));
    let chain = "<ol class=\"way\"><li>b-chain</li><li>plain</li><li class=\"there\">file</li></ol>";
    assert!(row(page, "b-chain").contains(chain), "{page}");
    let circle = "<ol class=\"way\"><li>turn</li><li>round</li><li class=\"end\">round and round</li></ol>";
    assert!(row(page, "turn").contains(circle), "{page}");
    let out = "<ol class=\"way\"><li>out</li><li class=\"end\">../outside/secret (outside)</li></ol>";
    assert!(row(page, "out").contains(out), "{page}");
    assert!(row(page, "plain").ends_with("<td></td></tr>"), "a plain link needs no drawing");
}

#[test]
fn what_is_wrong_comes_first_and_the_rest_is_filtered_without_a_script() {
    let ran = place().words("scan --format html");
    let page = ran.out();
    assert!(row(page, "turn").starts_with("<tr class=\"s-loop t-chain\">"), "{page}");
    assert!(page.contains("tbody:not(.sorted) tr:not(.s-ok) { order: -1; }"));
    assert!(!page.contains(":has("), "it would be asked for every row that comes");
    for (rule, of_box) in [
        ("#s-ok:not(:checked) ~ table tr.s-ok,", "id=\"s-ok\"><label for=\"s-ok\">ok"),
        ("#s-escape:not(:checked) ~ table tr.s-escape,", "id=\"s-escape\" checked><label for=\"s-escape\">escape"),
        ("#t-chain:checked ~ table tbody tr:not(.t-chain),", "id=\"t-chain\"><label for=\"t-chain\">chain"),
    ] {
        assert!(page.contains(rule) && page.contains(of_box), "{rule}");
    }
    for what in ["<dt>messy</dt><dd>the text has", "<p class=\"dim\">It took ", "<time>20"] {
        assert!(page.contains(what), "{what}");
    }
}

#[test]
fn names_and_texts_are_escaped() {
    let ran = place().words("scan --format html");
    let page = ran.out();
    assert_eq!((page.matches("<script").count(), page.matches("<img").count()), (1, 0), "only the page's own script");
    assert_eq!((page.matches("</table>").count(), page.matches("<tr").count()), (1, 8));
    assert!(page.contains("<td>line\\nbreak</td>"), "a name stays on its line");
    for elsewhere in ["http:", "https:", "//", "@import", "url("] {
        let comments = ["// What is", "// Clicking", "// Typing", "has `//`, "];
        let own = comments.iter().fold(page.to_owned(), |page, comment| page.replace(comment, ""));
        assert!(!own.contains(elsewhere), "{elsewhere}");
    }
}

/// The page as a browser has it after its scripts ran; none without a browser.
fn browsed(dir: &Path, page: &str) -> Option<String> {
    let chromium = Path::new("/usr/bin/chromium");
    if !chromium.exists() {
        return None;
    }
    let file = dir.join("page.html");
    fs::write(&file, page).unwrap();
    let mut command = Command::new("timeout");
    command.arg("60").arg(chromium).args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]);
    command.arg(format!("--user-data-dir={}", dir.join("profile").display())).arg("--dump-dom");
    let output = command.arg(format!("file://{}", file.display())).env("HOME", dir).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_browser_runs_the_pages_script_and_no_other() {
    let place = place();
    let page = place.words("scan --format html").out().to_owned();
    let Some(dom) = browsed(place.base.path(), &page) else {
        return skipped("scan_page::a_browser_runs_the_pages_script_and_no_other", "there is no /usr/bin/chromium");
    };
    assert!(dom.contains("<title>caplink scan</title>"), "{dom}");
    assert!(dom.contains("<th><button>Link</button></th>"), "the script of the page has the hash that the page names");
    assert_eq!((dom.matches("<tr").count(), dom.matches("<img").count()), (8, 0));
    assert!(dom.contains("type=\"search\""), "{dom}");

    // The browser would let a foreign script run, were it not for the policy.
    let foreign = "<script>document.title = 'taken'</script></body>";
    let with_foreign = page.replace("</body>", foreign);
    assert!(browsed(place.base.path(), &with_foreign).unwrap().contains("<title>caplink scan</title>"));
    let start = page.find("<meta http-equiv").unwrap();
    let end = start + page[start..].find('\n').unwrap();
    let without_policy = format!("{}{}", &page[..start], &page[end..]);
    let taken = browsed(place.base.path(), &without_policy.replace("</body>", foreign)).unwrap();
    assert!(taken.contains("<title>taken</title>"), "{taken}");

    let click = "<script>document.querySelectorAll('th button')[0].click();\
                 document.querySelectorAll('th button')[0].click()</script></body>";
    let sorted = browsed(place.base.path(), &without_policy.replace("</body>", click)).unwrap();
    let links: Vec<&str> = sorted.split("\"><td>").skip(1).filter_map(|row| row.split("</td>").next()).collect();
    let at = |link: &str| links.iter().position(|found| *found == link).unwrap_or_else(|| panic!("{links:?}"));
    assert!(at("turn") < at("round") && at("round") < at("plain") && at("plain") < at("b-chain"), "{links:?}");
}

#[test]
fn the_page_shows_what_stands_over_the_links_where_there_is_something() {
    let place = Place::new();
    assert!(!place.words("scan --format html").out().contains("class=\"standing\""));
    for line in ["release add 1 2", "release switch 1", "release switch 2", "release mark 2 --bad"] {
        assert_eq!(place.words(line).code, 0, "{line}");
    }
    let ran = place.words("scan --format html");
    let row = ran.out().lines().find(|line| line.starts_with("<tr><td>default</td>")).unwrap();
    assert!(row.starts_with("<tr><td>default</td><td>current</td><td>2</td><td>20"), "{row}");
    assert!(row.ends_with("<td class=\"bad\">bad_release</td><td>1 active, 1 superseded</td></tr>"), "{row}");
    fs::write(place.root.join(".caplink/log.jsonl"), "{}\n").unwrap();
    let ran = place.words("scan --format html");
    assert!(ran.code == 0 && ran.out().contains("<section class=\"standing\">\n<p class=\"bad\">"), "{}", ran.out());
}

#[test]
fn the_page_shows_what_is_not_as_the_manifest_declares_it() {
    let place = Place::new();
    place.link("good", "file").link("bad", "a");
    let text = "version = 1\nname = \"files\"\n[links]\ngood = \"file\"\nbad = \"file\"\n\"<b>\" = \"file\"\n";
    fs::write(place.root.join("caplink.toml"), text).unwrap();
    let ran = place.words("scan --format html");
    let page = ran.out();
    assert!(page.contains("<h2>Manifest files: 2 of 3 not as declared</h2>"), "{page}");
    assert!(page.contains("<tr><td>bad</td><td class=\"bad\">changed</td></tr>"), "{page}");
    assert!(page.contains("<tr><td>&lt;b&gt;</td><td class=\"bad\">missing</td></tr>"), "{page}");
    fs::write(place.root.join("caplink.toml"), "<script>").unwrap();
    let ran = place.words("scan --format html");
    assert!(ran.code == 0 && ran.out().matches("<script>").count() == 1, "{}", ran.out());
}
