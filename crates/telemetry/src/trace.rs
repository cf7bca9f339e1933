//! Traces (链路): spans of the program made known to a collector, and the header by which a trace crosses cities.
//!
//! A span counts where its target is [`TARGET`]; `otel.name` and `otel.kind` name it as other Rust programs do.
//! Invariant: a queue that is full loses spans, and never keeps the program waiting.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use tb_base::{Clock, Entropy, Timestamp};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Span, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

/// The target of spans that are traced.
pub const TARGET: &str = "tongban.trace";
/// The name of the header, as W3C Trace Context has it.
pub const HEADER: &str = "traceparent";
/// The field of a span that begins where another city's ended.
const REMOTE: &str = "traceparent";
/// Spans that wait for the collector; what is more is lost.
const WAITING_MAX: usize = 8_192;
/// Letters of a value that are kept.
const VALUE_LETTERS_MAX: usize = 200;

/// The place of a span in its trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The trace.
    pub trace: [u8; 16],
    /// The span.
    pub span: [u8; 8],
}

/// As the header carries it, sampled.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-01", hex(&self.trace), hex(&self.span))
    }
}

impl Place {
    /// Reads a header; what is malformed begins a new trace, as the standard says.
    pub fn read(header: &str) -> Option<Place> {
        let mut parts = header.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_known = version == "00" && parts.next().is_none() && flags.len() == 2;
        let place = Place { trace: unhex(trace)?, span: unhex(span)? };
        (is_known && place.trace != [0; 16] && place.span != [0; 8]).then_some(place)
    }

    /// The place of the span that runs here, if it is traced.
    pub fn current() -> Option<Place> {
        Span::current()
            .with_subscriber(|(id, dispatch)| place_of(dispatch.downcast_ref::<Registry>()?, id))
            .flatten()
    }
}

fn place_of(registry: &Registry, id: &Id) -> Option<Place> {
    registry.span(id)?.scope().find_map(|span| span.extensions().get::<Open>().map(|open| open.place))
}

/// A span that ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Where it stands.
    pub place: Place,
    /// The span that it is within.
    pub parent: Option<[u8; 8]>,
    /// Its name.
    pub name: String,
    /// `server`, `client` or `internal`.
    pub kind: String,
    /// When it began.
    pub begun: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// What is known of it, in the order in which it was said.
    pub fields: Vec<(&'static str, String)>,
}

/// A span on its way.
struct Open {
    place: Place,
    parent: Option<[u8; 8]>,
    begun: Timestamp,
    said: Said,
}

#[derive(Default)]
struct Said {
    name: Option<String>,
    kind: Option<String>,
    remote: Option<Place>,
    fields: Vec<(&'static str, String)>,
}

impl Said {
    fn note(&mut self, field: &Field, value: &str) {
        match field.name() {
            "otel.name" => self.name = Some(value.to_owned()),
            "otel.kind" => self.kind = Some(value.to_owned()),
            REMOTE => self.remote = Place::read(value),
            name => self.fields.push((name, value.chars().take(VALUE_LETTERS_MAX).collect())),
        }
    }
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.note(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.note(field, &format!("{value:?}"));
    }
}

/// Gathers the spans of the process for whoever sends them on.
pub struct Spans {
    clock: Arc<dyn Clock>,
    entropy: Mutex<Box<dyn Entropy>>,
    ended: SyncSender<Ended>,
    lost: Arc<AtomicU64>,
}

/// The end of the queue that is read.
pub struct Gathered {
    /// Spans that ended.
    pub spans: Receiver<Ended>,
    /// How many found no place.
    pub lost: Arc<AtomicU64>,
}

impl Spans {
    /// The layer for the subscriber, and what it gathers.
    pub fn gather(clock: Arc<dyn Clock>, entropy: Box<dyn Entropy>) -> (Spans, Gathered) {
        let (ended, spans) = sync_channel(WAITING_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        (Spans { clock, entropy: Mutex::new(entropy), ended, lost: lost.clone() }, Gathered { spans, lost })
    }

    fn draw<const LENGTH: usize>(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        self.entropy.lock().unwrap_or_else(PoisonError::into_inner).fill(&mut bytes);
        bytes
    }
}

impl<S> Layer<S> for Spans
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id).filter(|span| span.metadata().target() == TARGET) else { return };
        let mut said = Said::default();
        attributes.record(&mut said);
        let above = span.parent().and_then(|parent| {
            parent.scope().find_map(|span| span.extensions().get::<Open>().map(|open| open.place))
        });
        let above = above.or(said.remote);
        let trace = above.map_or_else(|| self.draw(), |above| above.trace);
        let place = Place { trace, span: self.draw() };
        let open = Open { place, parent: above.map(|above| above.span), begun: self.clock.now(), said };
        span.extensions_mut().insert(open);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(open) = span.extensions_mut().get_mut::<Open>()
        {
            values.record(&mut open.said);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(open) = span.extensions_mut().remove::<Open>() else { return };
        let ended = Ended {
            place: open.place,
            parent: open.parent,
            name: open.said.name.unwrap_or_else(|| span.name().to_owned()),
            kind: open.said.kind.unwrap_or_else(|| "internal".to_owned()),
            begun: open.begun,
            ended: self.clock.now(),
            fields: open.said.fields,
        };
        if self.ended.try_send(ended).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex<const LENGTH: usize>(text: &str) -> Option<[u8; LENGTH]> {
    let is_hex = text.bytes().all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it));
    if text.len() != 2 * LENGTH || !is_hex {
        return None;
    }
    let mut bytes = [0; LENGTH];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}
