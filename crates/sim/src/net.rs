//! The network of a run (模拟网络): carries requests between the real nodes, late, twice, turned, or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use http::{Method, Request};
use tb_base::{NodeId, Result};
use tb_exchange::BoxFuture;
use tb_exchange::witness::ADD_CHECKPOINT_PATH;
use tb_node::{Reply, Wire};

use crate::dice::Dice;
use crate::liar::Liar;
use crate::life::Life;
use crate::storm::Storm;
use crate::trace::Trace;

/// A call without an answer is given up after this time, as the real client does.
const CALL_SECONDS_MAX: u64 = 15;
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A request as it travels.
#[derive(Clone)]
pub struct Call {
    /// POST or GET.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// HTTP fields.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A checkpoint that a city showed to a witness, and whether the witness signed it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Whose log.
    pub log: NodeId,
    /// To whom.
    pub witness: NodeId,
    /// The request.
    pub request: Vec<u8>,
    /// Whether it is what the liar made up.
    pub is_forged: bool,
    /// Whether it came back signed.
    pub is_cosigned: bool,
}

/// The network.
pub struct Net {
    /// What happened.
    pub trace: Arc<Trace>,
    inner: Mutex<Inner>,
}

struct Inner {
    dice: Dice,
    storm: Option<Storm>,
    lives: BTreeMap<NodeId, Arc<Life>>,
    cuts: BTreeSet<(NodeId, NodeId)>,
    liar: Option<Liar>,
    shown: Vec<Shown>,
    calls: u64,
}

/// The wire of one life.
pub struct SimWire {
    /// The life that speaks.
    pub life: Arc<Life>,
    /// The network.
    pub net: Arc<Net>,
}

impl Net {
    /// A network with the faults of a storm.
    pub fn new(dice: Dice, storm: Storm, liar: Option<Liar>, trace: Arc<Trace>) -> Net {
        let inner = Inner {
            dice,
            storm: Some(storm),
            lives: BTreeMap::new(),
            cuts: BTreeSet::new(),
            liar,
            shown: Vec::new(),
            calls: 0,
        };
        Net { trace, inner: Mutex::new(inner) }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on everything arrives, quickly and once.
    pub fn calm(&self) {
        let mut inner = self.inner();
        inner.storm = None;
        inner.liar = None;
        inner.cuts.clear();
    }

    /// A life is reachable from now on.
    pub fn join(&self, life: &Arc<Life>) {
        self.inner().lives.insert(life.city, life.clone());
    }

    /// The life of a city, while there is one.
    pub fn life(&self, city: NodeId) -> Option<Arc<Life>> {
        self.inner().lives.get(&city).filter(|life| !life.is_dead()).cloned()
    }

    /// Cuts a way, or mends it.
    pub fn cut(&self, from: NodeId, to: NodeId, is_cut: bool) {
        let mut inner = self.inner();
        if is_cut {
            inner.cuts.insert((from, to));
        } else {
            inner.cuts.remove(&(from, to));
        }
    }

    /// Every checkpoint that was shown to a witness.
    pub fn shown(&self) -> Vec<Shown> {
        self.inner().shown.clone()
    }

    /// How many calls were made.
    pub fn calls(&self) -> u64 {
        self.inner().calls
    }

    /// How one way goes: nothing where it is lost.
    fn way(&self, from: NodeId, to: NodeId) -> Option<Duration> {
        let inner = &mut *self.inner();
        let millis = match &inner.storm {
            None => 1,
            Some(storm) => {
                let millis = inner.dice.between(1, storm.millis_max + 1);
                if inner.dice.happens(storm.loss) || inner.cuts.contains(&(from, to)) {
                    return None;
                }
                millis
            }
        };
        Some(Duration::from_millis(millis))
    }

    fn arrives_twice(&self) -> bool {
        let inner = &mut *self.inner();
        inner.storm.as_ref().is_some_and(|storm| inner.dice.happens(storm.doubling))
    }

    /// One bit of what travels turns, sometimes.
    fn turn(&self, bytes: &mut [u8]) {
        let inner = &mut *self.inner();
        let Some(storm) = &inner.storm else { return };
        if bytes.is_empty() || !inner.dice.happens(storm.turning) {
            return;
        }
        let at = usize::try_from(inner.dice.between(0, bytes.len() as u64)).unwrap_or(0);
        bytes[at] ^= 1 << inner.dice.between(0, 8);
    }

    /// What the liar makes of a call: the call itself, perhaps changed, and others beside it.
    fn lie(&self, from: NodeId, to: NodeId, call: Call) -> (Call, Vec<Call>) {
        let inner = &mut *self.inner();
        match &mut inner.liar {
            Some(liar) if liar.city == from => liar.speak(&mut inner.dice, to, call),
            Some(_) | None => (call, Vec::new()),
        }
    }

    /// Gives a request to the life of a city and waits for what it says; nothing where nobody is there.
    async fn deliver(self: Arc<Net>, from: NodeId, to: NodeId, call: Call) -> Option<Reply> {
        let life = self.life(to)?;
        let node = life.node.get()?.clone();
        let mut request = Request::builder().method(call.method.clone()).uri(&call.path);
        for (name, value) in &call.fields {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(call.body.clone())).ok()?;
        let answering = tokio::spawn(async move { node.answer(from, request).await });
        life.owns(answering.abort_handle());
        let response = answering.await.ok()?;
        let status = response.status().as_u16();
        let fields = response.headers().iter();
        let fields = fields.map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let fields = fields.collect();
        let body = axum::body::to_bytes(response.into_body(), ANSWER_BYTES_MAX).await.ok()?.to_vec();
        self.trace.note(format_args!("{from} to {to} {} says {status}", call.path));
        Some(Reply { status, fields, body })
    }

    fn show(&self, from: NodeId, to: NodeId, call: &Call, is_forged: bool) -> Option<usize> {
        if call.path != ADD_CHECKPOINT_PATH {
            return None;
        }
        let inner = &mut *self.inner();
        let request = call.body.clone();
        inner.shown.push(Shown { log: from, witness: to, request, is_forged, is_cosigned: false });
        Some(inner.shown.len() - 1)
    }

    fn heard(&self, shown: Option<usize>, reply: Option<&Reply>) {
        if let (Some(at), Some(200)) = (shown, reply.map(|reply| reply.status)) {
            self.inner().shown[at].is_cosigned = true;
        }
    }

    /// A request that nobody waits for: the second of two, or a lie.
    fn aside(self: &Arc<Net>, from: NodeId, to: NodeId, call: Call, is_forged: bool) {
        let net = self.clone();
        tokio::spawn(async move {
            let Some(way) = net.way(from, to) else { return };
            tokio::time::sleep(way).await;
            let shown = net.show(from, to, &call, is_forged);
            let reply = net.clone().deliver(from, to, call).await;
            net.heard(shown, reply.as_ref());
        });
    }
}

impl SimWire {
    async fn send(&self, to: NodeId, call: Call) -> Option<Reply> {
        let (net, from) = (&self.net, self.life.city);
        net.inner().calls += 1;
        let (mut call, lies) = net.lie(from, to, call);
        lies.into_iter().for_each(|lie| net.aside(from, to, lie, true));
        if net.arrives_twice() {
            net.aside(from, to, call.clone(), false);
        }
        let there = net.way(from, to)?;
        tokio::time::sleep(there).await;
        net.turn(&mut call.body);
        let shown = net.show(from, to, &call, false);
        let reply = net.clone().deliver(from, to, call).await;
        net.heard(shown, reply.as_ref());
        let mut reply = reply?;
        let back = net.way(to, from)?;
        tokio::time::sleep(back).await;
        net.turn(&mut reply.body);
        Some(reply)
    }
}

impl Wire for SimWire {
    fn call<'a>(
        &'a self,
        to: NodeId,
        method: Method,
        path: &'a str,
        fields: &'a [(String, String)],
        body: Vec<u8>,
    ) -> BoxFuture<'a, Result<Reply>> {
        let call = Call { method, path: path.to_owned(), fields: fields.to_vec(), body };
        Box::pin(async move {
            if self.life.is_dead() {
                return std::future::pending().await;
            }
            let begun = tokio::time::Instant::now();
            let limit = Duration::from_secs(CALL_SECONDS_MAX);
            let answered = tokio::time::timeout(limit, self.send(to, call)).await;
            match answered {
                Ok(Some(reply)) => Ok(reply),
                // Nobody was there, or it was lost: the caller learns of it by waiting.
                Ok(None) | Err(_) => {
                    tokio::time::sleep_until(begun + limit).await;
                    Err(tb_exchange::unavailable(to.as_str(), to.as_str()).into())
                }
            }
        })
    }
}
