//! A page of the manual about a topic, made from the text that the documentation of the library has too.

use clap_mangen::roff::{Roff, roman};

/// The topics: the name of the page, what it is about, and its text.
const TOPICS: &[(&str, &str, &str)] =
    &[("releases", "what programs keep of an old release", include_str!("../release/consumers.md"))];

/// The page of a topic; none where there is no such topic.
pub(crate) fn page(name: &str) -> Option<String> {
    let (name, about, text) = TOPICS.iter().find(|(topic, ..)| *topic == name)?;
    let mut roff = Roff::new();
    let title = format!("caplink-{name}");
    roff.control("TH", [title.as_str(), "7", "", "", "caplink"]);
    roff.control("SH", ["NAME"]);
    roff.text([roman(format!("{title} - {about}"))]);
    let mut is_code = false;
    let mut paragraph = String::new();
    for line in text.lines() {
        match line.strip_prefix("```") {
            Some(_) => {
                end(&mut roff, &mut paragraph);
                roff.control(if is_code { "EE" } else { "EX" }, []);
                is_code = !is_code;
            }
            None if is_code => drop(roff.text([roman(line)])),
            None => match line.trim_start_matches('#') {
                heading if heading.len() < line.len() => {
                    end(&mut roff, &mut paragraph);
                    let level = if line.starts_with("###") { "SS" } else { "SH" };
                    roff.control(level, [heading.trim().replace('`', "").as_str()]);
                }
                "" => end(&mut roff, &mut paragraph),
                words => {
                    let blank = if paragraph.is_empty() { "" } else { " " };
                    paragraph = format!("{paragraph}{blank}{words}");
                }
            },
        }
    }
    end(&mut roff, &mut paragraph);
    Some(roff.render())
}

fn end(roff: &mut Roff, paragraph: &mut String) {
    if !paragraph.is_empty() {
        roff.control("PP", []);
        roff.text([roman(std::mem::take(paragraph).replace('`', ""))]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_is_a_page_with_its_headings_and_its_code() {
        for (name, _, text) in TOPICS {
            let page = page(name).unwrap();
            for heading in text.lines().filter_map(|line| line.strip_prefix("### ")) {
                assert!(page.contains(&heading.replace('`', "").split(' ').next().unwrap().to_owned()), "{heading}");
            }
            assert_eq!(page.matches("\n.EX").count(), page.matches("\n.EE").count());
            assert!(!page.contains("```"));
        }
        assert!(super::page("nothing").is_none());
    }
}
