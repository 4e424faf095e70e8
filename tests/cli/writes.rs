//! In how many pieces answers are written.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};

use crate::support::Place;

#[test]
fn answers_are_written_at_once_and_not_link_by_link() {
    let place = Place::new();
    for link in 0..300 {
        place.link(format!("l{link}"), "gone");
    }
    let lines = [
        ("scan", 301),
        ("scan --format ndjson", 301),
        ("scan --format paths", 300),
        ("-n repair --remove-dangling", 300),
        ("ensure l0 --to gone --allow-dangling", 1),
    ];
    for (line, expected) in lines {
        let writes = writes(place.command(line.split_whitespace()));
        assert_eq!(writes.concat().iter().filter(|byte| **byte == b'\n').count(), expected, "{line}");
        // At most one for each 8 KiB, and after 200 ms what there is: some for a machine that is very busy.
        let most = 1 + writes.concat().len() / 8000 + if expected > 1 { 10 } else { 0 };
        assert!(writes.len() <= most, "{line}: {} writes", writes.len());
    }
}

/// What the program writes to stdout, write by write.
fn writes(mut command: Command) -> Vec<Vec<u8>> {
    // Each write to it is a message of its own.
    let (reader, writer) = UnixDatagram::pair().unwrap();
    let end = writer.try_clone().unwrap();
    let mut child = command.stdout(OwnedFd::from(writer)).stderr(Stdio::null()).spawn().unwrap();
    let ended = std::thread::spawn(move || {
        let status = child.wait().unwrap();
        end.send(b"").unwrap();
        status
    });
    let mut buffer = vec![0; 256 << 10];
    let next =
        || Some(reader.recv(&mut buffer).unwrap()).filter(|length| *length > 0).map(|length| buffer[..length].to_vec());
    let writes = std::iter::from_fn(next).collect();
    assert!(ended.join().unwrap().success(), "{command:?}");
    writes
}
