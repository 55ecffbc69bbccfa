//! Reads an hour as the compiled miner does that forge replaces: the whole hour decompressed into
//! one string, every line parsed to a value, merged pull requests kept.

use std::{env, fs, fs::File, io::Read};

use flate2::read::MultiGzDecoder;
use serde_json::Value;

fn main() {
    let path = env::args().nth(1).expect("usage: rust_reader FILE");
    let began = nanoseconds();
    let mut text = String::new();
    let file = File::open(path).expect("the file opens");
    MultiGzDecoder::new(file).read_to_string(&mut text).expect("the file is gzip of UTF-8");
    let events: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let rows = events.iter().filter(|event| event["type"] == "PullRequestEvent").count();
    let merges = events.into_iter().filter(is_merge).collect::<Vec<_>>();
    let seconds = (nanoseconds() - began) / 1e9;
    let (merges, peak) = (merges.len(), peak());
    println!("{{\"seconds\":{seconds},\"rows\":{rows},\"merges\":{merges},\"peak\":{peak}}}");
}

fn is_merge(event: &Value) -> bool {
    let payload = &event["payload"];
    let is_merged = payload["pull_request"]["merged"] == true;
    event["type"] == "PullRequestEvent"
        && (payload["action"] == "merged" || (payload["action"] == "closed" && is_merged))
}

/// Time of the processor that this one thread took.
fn nanoseconds() -> f64 {
    let told = fs::read_to_string("/proc/self/schedstat").expect("Linux tells the time");
    told.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0.0)
}

fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM: 0");
    line.split_whitespace().nth(1).map_or(0, |kib| kib.parse().unwrap_or(0)) * 1024
}
