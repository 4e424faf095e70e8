//! What is printed: a table for each tree, and the goals.

use crate::Result;
use crate::rounds::Measured;
use crate::tree::Grown;
use crate::ways::Way;

pub(super) struct Report {
    goals: Vec<(String, bool)>,
    /// The peak memory of the library on the smaller tree of each place.
    memory: Vec<(String, u64)>,
}

impl Report {
    pub(super) fn begin() -> Report {
        println!("median; ratio to the first way; peak memory; system calls an entry");
        Report { goals: Vec::new(), memory: Vec::new() }
    }

    pub(super) fn warm(&mut self, place: &str, grown: &Grown, measured: &[Measured]) -> Result<()> {
        let title = format!("{place}, {} entries, warm", grown.counts.entries);
        table(&title, measured);
        let of = |way: Way| measured.iter().find(|one| one.way == way);
        let library = of(Way::Library(1)).ok_or("the library was not measured")?;
        self.goal(&title, "one thread within 1.08 of the bare calls", library.ratio, 1.08);
        if let Some(calls) = library.calls {
            self.goal(&title, "system calls an entry at most 0.40", calls, 0.40);
        }
        if let Some(two) = of(Way::Library(2)) {
            self.goal(&title, "two threads at most 0.62 of one", two.median / library.median, 0.62);
        }
        for (way, bound) in [(Way::Program(1), 1.25), (Way::Ndjson, 1.30)] {
            if let Some(program) = of(way) {
                let goal = format!("{} into a pipe within {bound:.2} of the bare calls", way.name());
                self.goal(&title, &goal, program.ratio, bound);
            }
        }
        let bare_and_library = [Way::Bare(1), Way::Library(1), Way::Bare(2), Way::Library(2)];
        let own = [&bare_and_library[..], &[Way::Program(1), Way::Program(2), Way::Ndjson]].concat();
        let program = of(Way::Program(1)).unwrap_or(library);
        for other in measured.iter().filter(|one| !own.contains(&one.way)) {
            let name = format!("faster than {}", other.way.name());
            self.goal(&title, &name, program.median / other.median, 1.0);
        }
        if let Some(memory) = library.memory {
            if let Some((_, small)) = self.memory.iter().find(|(name, _)| name == place) {
                let ratio = memory as f64 / *small as f64;
                self.goal(&title, "memory as on the smaller tree, within 1.10", ratio, 1.10);
            }
            self.memory.push((place.to_owned(), memory));
        }
        Ok(())
    }

    pub(super) fn cold(&mut self, place: &str, grown: &Grown, measured: &[Measured]) {
        let title = format!("{place}, {} entries, cold", grown.counts.entries);
        table(&title, measured);
        if let Some(library) = measured.iter().find(|one| one.way == Way::Library(8)) {
            self.goal(&title, "eight threads level with the bare calls, within 1.05", library.ratio, 1.05);
        }
    }

    fn goal(&mut self, title: &str, goal: &str, reached: f64, bound: f64) {
        self.goals.push((format!("{title}: {goal}: {reached:.3}"), reached <= bound));
    }

    pub(super) fn goals(&self) {
        println!("\ngoals");
        for (goal, reached) in &self.goals {
            println!("  {} {goal}", if *reached { "reached" } else { "MISSED " });
        }
    }
}

fn table(title: &str, measured: &[Measured]) {
    println!("\n{title}");
    for one in measured {
        let memory = one.memory.map_or(String::new(), |kib| format!("{:.1} MiB", kib as f64 / 1024.0));
        let calls = one.calls.map_or(String::new(), |calls| format!("{calls:.3}"));
        let milliseconds = one.median * 1000.0;
        println!("  {:<44} {milliseconds:>9.1} ms {:>6.2} {memory:>10} {calls:>6}", one.way.name(), one.ratio);
    }
}
