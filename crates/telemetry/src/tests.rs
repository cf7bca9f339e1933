//! Figures and traces, as a monitoring system and a collector get them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tb_base::{Clock, Entropy, Timestamp};
use tracing::info_span;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::metrics::{Metric, Metrics, Page, SERIES_MAX};
use crate::trace::{Ended, Place, Spans, TARGET};

const COUNT: Metric = Metric { name: "test_total", help: "Tests.", labels: &["kind"] };
const TIME: Metric = Metric { name: "test_seconds", help: "How long.", labels: &["kind"] };
static COUNTED: Metric = COUNT;
static TIMED: Metric = TIME;

fn text(metrics: &Metrics) -> String {
    let mut page = Page::default();
    metrics.write(&mut page);
    page.gauge("test_size", "Size.", &[(&[], 1.5), (&[("of", "a\"b")], 2.0)]);
    page.text()
}

#[test]
fn a_page_of_figures() {
    let metrics = Metrics::default();
    metrics.count(&COUNTED, &["a"]);
    metrics.count(&COUNTED, &["a"]);
    metrics.time(&TIMED, &["b"], Duration::from_micros(700));
    metrics.time(&TIMED, &["b"], Duration::from_secs(60));
    let page = text(&metrics);
    for line in [
        "# TYPE test_total counter",
        "test_total{kind=\"a\"} 2",
        "# TYPE test_seconds histogram",
        "test_seconds_bucket{kind=\"b\",le=\"0.0005\"} 0",
        "test_seconds_bucket{kind=\"b\",le=\"0.001\"} 1",
        "test_seconds_bucket{kind=\"b\",le=\"15\"} 1",
        "test_seconds_bucket{kind=\"b\",le=\"+Inf\"} 2",
        "test_seconds_sum{kind=\"b\"} 60.0007",
        "test_seconds_count{kind=\"b\"} 2",
        "test_size 1.5",
        "test_size{of=\"a\\\"b\"} 2",
    ] {
        assert!(page.lines().any(|it| it == line), "{line} in\n{page}");
    }
}

#[test]
fn labels_do_not_grow_without_end() {
    let metrics = Metrics::default();
    for number in 0..SERIES_MAX + 50 {
        metrics.count(&COUNTED, &[&number.to_string()]);
    }
    let page = text(&metrics);
    assert_eq!(page.lines().filter(|line| line.starts_with("test_total{")).count(), SERIES_MAX + 1);
    assert!(page.contains("test_total{kind=\"other\"} 50"), "{page}");
}

struct Steps(AtomicI64);

impl Clock for Steps {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1_000, Ordering::Relaxed))
    }
}

struct Counting(u8);

impl Entropy for Counting {
    fn fill(&mut self, buffer: &mut [u8]) {
        self.0 += 1;
        buffer.fill(self.0);
    }
}

fn spans(act: impl FnOnce()) -> Vec<Ended> {
    let (layer, gathered) = Spans::gather(Arc::new(Steps(AtomicI64::new(0))), Box::new(Counting(0)));
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, act);
    gathered.spans.try_iter().collect()
}

#[test]
fn spans_stand_in_each_other_and_continue_the_trace_of_a_peer() {
    let there = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let mut header = None;
    let ended = spans(|| {
        let outer = info_span!(target: TARGET, "request", otel.name = "GET /x", otel.kind = "server",
            traceparent = there, status = tracing::field::Empty);
        outer.in_scope(|| {
            let _other = info_span!(target: "elsewhere", "other").entered();
            let _inner = info_span!(target: TARGET, "store", otel.name = "test.write").entered();
            header = Place::current();
        });
        outer.record("status", 200);
    });
    let [inner, outer] = ended.as_slice() else { panic!("{ended:?}") };
    assert_eq!((inner.name.as_str(), outer.name.as_str()), ("test.write", "GET /x"));
    assert_eq!(outer.parent, Some([0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31]));
    assert_eq!(inner.parent, Some(outer.place.span));
    assert_eq!(inner.place.trace, outer.place.trace);
    assert!(there.contains(&crate::trace::hex(&outer.place.trace)));
    assert_eq!(header, Some(inner.place));
    assert_eq!(outer.fields, [("status", "200".to_owned())]);
    assert!(outer.begun < inner.begun && inner.ended < outer.ended);
    assert!(Place::current().is_none(), "nothing runs here");
}

#[test]
fn headers_are_read_strictly() {
    let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    assert_eq!(Place::read(good).map(|it| it.to_string()).as_deref(), Some(good));
    for wrong in [
        "",
        "00-x",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-02",
        "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
    ] {
        assert_eq!(Place::read(wrong), None, "{wrong}");
    }
}
