//! What was measured, as lines and as a table beside the targets.

use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) case: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) us_per_op: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) n: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mib: Option<f64>,
}

/// A target; nothing fails by missing it.
enum Target {
    /// So many times the floor.
    Times(f64),
    /// So many microseconds more than the floor.
    Plus(f64),
    /// So many times another case.
    TimesCase(f64, &'static str),
    Micros(f64),
    Millis(f64),
    Megabytes(f64),
}

const TARGETS: &[(&str, Target)] = &[
    ("verify_api_key", Target::Times(1.1)),
    (
        "verify_api_key_1m",
        Target::TimesCase(1.2, "verify_api_key"),
    ),
    (
        "verify_app_password",
        Target::TimesCase(1.5, "verify_session_beside_it"),
    ),
    ("verify_session", Target::Times(1.1)),
    ("verify_service_session", Target::Times(1.5)),
    ("verify_api_key_hot", Target::Times(0.3)),
    ("verify_session_hot", Target::Times(0.3)),
    ("create_user", Target::Times(1.5)),
    ("sign_up_race", Target::Times(3.0)),
    ("open", Target::Millis(5.0)),
    ("c_verify_api_key", Target::Plus(0.2)),
    ("python_verify_api_key", Target::Times(1.0)),
    ("kotlin_verify_api_key", Target::Micros(40.0)),
    ("kotlin_authenticate", Target::Micros(40.0)),
    ("library_size", Target::Megabytes(6.0)),
    ("memory_after_open", Target::Megabytes(10.0)),
];

#[derive(Default)]
pub(super) struct Report(Vec<Line>);

impl Report {
    /// Keeps a line, and prints it.
    pub(super) fn add(&mut self, mut line: Line) {
        for value in [&mut line.us_per_op, &mut line.mib].into_iter().flatten() {
            *value = (*value * 1000.0).round() / 1000.0;
        }
        println!(
            "{}",
            serde_json::to_string(&line).expect("a line is plain data")
        );
        self.0.push(line);
    }

    pub(super) fn print_table(&self) {
        eprintln!(
            "\n{:<36} {:>12} {:>12} {:>7}  target",
            "case", "measured", "floor", "ratio"
        );
        for line in self.0.iter().filter(|line| !line.case.ends_with("_floor")) {
            let floor = self.us_per_op(&format!("{}_floor", line.case));
            let ratio = line
                .us_per_op
                .zip(floor)
                .map(|(case, floor)| format!("{:.2}", case / floor));
            eprintln!(
                "{:<36} {:>12} {:>12} {:>7}  {}",
                line.case,
                line.value(),
                floor.map(micros).unwrap_or_default(),
                ratio.unwrap_or_default(),
                self.target(line, floor),
            );
        }
    }

    fn us_per_op(&self, case: &str) -> Option<f64> {
        self.0
            .iter()
            .find(|line| line.case == case)
            .and_then(|line| line.us_per_op)
    }

    /// The target in words, with what it comes to today.
    fn target(&self, line: &Line, floor: Option<f64>) -> String {
        let found = TARGETS.iter().find(|(case, _)| *case == line.case);
        match found.map(|(_, target)| target) {
            None => String::new(),
            Some(Target::Times(times)) => format!("<= {times} x floor"),
            Some(Target::Plus(more)) => {
                let limit = floor.map_or(String::new(), |floor| {
                    format!(" = {}", micros(floor + more))
                });
                format!("<= floor + {more} us{limit}")
            }
            Some(Target::TimesCase(times, case)) => {
                let limit = self.us_per_op(case).map_or(String::new(), |other| {
                    format!(" = {}", micros(other * times))
                });
                format!("<= {times} x {case}{limit}")
            }
            Some(Target::Micros(most)) => format!("<= {most} us"),
            Some(Target::Millis(most)) => format!("<= {most} ms"),
            Some(Target::Megabytes(most)) => {
                format!("<= {most} MB = {:.2} MiB", most * 1e6 / 1024.0 / 1024.0)
            }
        }
    }
}

impl Line {
    fn value(&self) -> String {
        match (self.us_per_op, self.mib) {
            (Some(us), _) => micros(us),
            (None, Some(mib)) => format!("{mib:.2} MiB"),
            (None, None) => String::new(),
        }
    }
}

fn micros(us: f64) -> String {
    format!("{us:.2} us")
}
