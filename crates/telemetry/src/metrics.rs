//! Figures (指标): counters and durations by few labels, written in the text format that Prometheus reads.
//!
//! Invariant: a figure has at most [`SERIES_MAX`] combinations of labels; what is more is counted as `other`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Combinations of labels that one figure keeps apart.
pub const SERIES_MAX: usize = 400;
/// What stands for every label once there is no room.
const OTHER: &str = "other";
/// The bounds of durations in microseconds, from a read in memory to a call that was given up.
const BOUNDS_MICROS: [u64; 14] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 15_000_000,
];

/// A figure that is counted as things happen.
#[derive(Debug)]
pub struct Metric {
    /// Its name, such as `tongban_http_request_seconds`.
    pub name: &'static str,
    /// What it says, in English.
    pub help: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
}

/// The figures of one process; cheap to clone.
#[derive(Clone, Default)]
pub struct Metrics {
    families: Arc<Mutex<BTreeMap<&'static str, Family>>>,
}

struct Family {
    metric: &'static Metric,
    series: BTreeMap<Vec<String>, Series>,
}

enum Series {
    Count(u64),
    Times(Box<Times>),
}

#[derive(Default)]
struct Times {
    buckets: [u64; BOUNDS_MICROS.len()],
    count: u64,
    sum_micros: u64,
}

impl Metrics {
    /// Counts something.
    pub fn count(&self, metric: &'static Metric, labels: &[&str]) {
        let mut families = self.families();
        if let Series::Count(count) = series(&mut families, metric, labels, || Series::Count(0)) {
            *count += 1;
        }
    }

    /// Notes how long something took.
    pub fn time(&self, metric: &'static Metric, labels: &[&str], took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let mut families = self.families();
        if let Series::Times(times) = series(&mut families, metric, labels, || Series::Times(Box::default()))
        {
            times.count += 1;
            times.sum_micros = times.sum_micros.saturating_add(micros);
            if let Some(bucket) = BOUNDS_MICROS.iter().position(|bound| micros <= *bound) {
                times.buckets[bucket] += 1;
            }
        }
    }

    /// Everything that was counted, onto a page.
    pub fn write(&self, page: &mut Page) {
        for family in self.families().values() {
            let Metric { name, help, labels } = family.metric;
            let is_count = family.series.values().any(|series| matches!(series, Series::Count(_)));
            page.head(name, help, if is_count { "counter" } else { "histogram" });
            for (values, series) in &family.series {
                let labels: Vec<(&str, &str)> =
                    labels.iter().copied().zip(values.iter().map(String::as_str)).collect();
                match series {
                    Series::Count(count) => page.line(name, &labels, &count.to_string()),
                    Series::Times(times) => page.times(name, &labels, times),
                }
            }
        }
    }

    fn families(&self) -> MutexGuard<'_, BTreeMap<&'static str, Family>> {
        self.families.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn series<'f>(
    families: &'f mut BTreeMap<&'static str, Family>,
    metric: &'static Metric,
    labels: &[&str],
    fresh: impl FnOnce() -> Series,
) -> &'f mut Series {
    let family = families.entry(metric.name).or_insert_with(|| Family { metric, series: BTreeMap::new() });
    let mut key: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
    if SERIES_MAX <= family.series.len() && !family.series.contains_key(&key) {
        key = labels.iter().map(|_| OTHER.to_owned()).collect();
    }
    family.series.entry(key).or_insert_with(fresh)
}

/// A page of figures in Prometheus's text format (version 0.0.4).
#[derive(Debug, Default)]
pub struct Page {
    text: String,
}

impl Page {
    /// A figure that is read when the page is made: one line for each set of labels.
    pub fn gauge(&mut self, name: &str, help: &str, lines: &[(&[(&str, &str)], f64)]) {
        self.head(name, help, "gauge");
        for (labels, value) in lines {
            self.line(name, labels, &value.to_string());
        }
    }

    /// The page's text.
    pub fn text(self) -> String {
        self.text
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        // Writing into a text cannot fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: &str) {
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", quoted(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.text, "{name}{labels} {value}");
    }

    fn times(&mut self, name: &str, labels: &[(&str, &str)], times: &Times) {
        let mut below = 0;
        let bucket = format!("{name}_bucket");
        for (bound, count) in BOUNDS_MICROS.iter().zip(times.buckets) {
            below += count;
            let bound = seconds(*bound);
            self.line(&bucket, &[labels, &[("le", &bound)]].concat(), &below.to_string());
        }
        self.line(&bucket, &[labels, &[("le", "+Inf")]].concat(), &times.count.to_string());
        self.line(&format!("{name}_sum"), labels, &seconds(times.sum_micros));
        self.line(&format!("{name}_count"), labels, &times.count.to_string());
    }
}

/// Microseconds as seconds, without a detour over floating point.
fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn quoted(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
