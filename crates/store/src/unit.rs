//! A unit of work on its way to an engine and back: erased, so that a channel can carry it.
//!
//! Invariant: every unit is answered once, after its fate is durable.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tb_base::{Error, Fault, Result};
use tokio::sync::oneshot;

use crate::Tx;

/// Where a write stands when it is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moment {
    /// Its transaction is about to run.
    Before,
    /// It is committed, and its caller does not know yet.
    After,
}

/// Looks on at every write by its name (观察); false is the death of the machine at that moment.
///
/// A unit that died gets no answer, as from a machine that is gone; its caller waits until it is dropped.
/// For drills and simulation: it runs on the thread of the write and may also keep it waiting.
pub type Watch = Arc<dyn Fn(&'static str, Moment) -> bool + Send + Sync>;

/// Who looks on at a write.
pub(crate) struct Onlooker {
    pub(crate) watch: Watch,
    /// Whether the write is committed alone, so that both its moments are seen.
    pub(crate) wants_it_alone: bool,
}

/// What an engine does with a unit of work.
pub(crate) trait Unit: Send {
    /// The name of the transaction.
    fn name(&self) -> &'static str;

    /// Whether nobody waits for the answer any more; such a unit is not begun.
    fn is_abandoned(&self) -> bool;

    /// Whether no other unit may be committed with it.
    fn is_alone(&self) -> bool;

    /// Runs the closure and keeps its outcome; true where it is to be committed.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;

    /// Tells the caller the outcome, which is durable now or was rolled back.
    fn settle(self: Box<Self>);

    /// Tells the caller that the machine failed, whatever the closure said.
    fn fail(self: Box<Self>, fault: Fault);
}

/// A unit and the one who waits for it.
struct Waiting<T, F> {
    name: &'static str,
    work: F,
    outcome: Option<Result<T>>,
    onlooker: Option<Onlooker>,
    /// The machine died under it.
    is_dead: bool,
    answer: oneshot::Sender<Result<T>>,
}

/// Erases a closure; the answer arrives at the receiver.
pub(crate) fn erase<T, F>(
    name: &'static str,
    onlooker: Option<Onlooker>,
    work: F,
) -> (Box<dyn Unit>, oneshot::Receiver<Result<T>>)
where
    T: Send + 'static,
    F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
{
    let (answer, receiver) = oneshot::channel();
    (Box::new(Waiting { name, work, outcome: None, onlooker, is_dead: false, answer }), receiver)
}

/// Runs a closure; a panic in it becomes a fault, and so does a failed statement that it passed over.
pub(crate) fn guard<T>(tx: &mut Tx<'_>, work: &mut impl FnMut(&mut Tx<'_>) -> Result<T>) -> Result<T> {
    let name = tx.name;
    let outcome = catch_unwind(AssertUnwindSafe(|| work(&mut *tx)))
        .unwrap_or_else(|_| Err(Fault::new(format!("running {name}: the unit of work panicked")).into()));
    match (outcome, tx.failed()) {
        (Ok(_), Some(statement)) => Err(ignored(name, statement)),
        (outcome, _) => outcome,
    }
}

/// PostgreSQL would answer the COMMIT of such a transaction with a silent ROLLBACK.
fn ignored(name: &'static str, statement: &'static str) -> Error {
    Fault::new(format!("running {name}: it went on after {statement} had failed")).into()
}

impl<T, F> Waiting<T, F> {
    fn lives(&self, moment: Moment) -> bool {
        self.onlooker.as_ref().is_none_or(|onlooker| (onlooker.watch)(self.name, moment))
    }

    /// The caller may have left; then nobody is to be told.
    fn tell(self, outcome: Result<T>) {
        if self.is_dead {
            std::mem::forget(self.answer);
        } else {
            drop(self.answer.send(outcome));
        }
    }
}

impl<T, F> Unit for Waiting<T, F>
where
    T: Send,
    F: FnMut(&mut Tx<'_>) -> Result<T> + Send,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    fn is_alone(&self) -> bool {
        self.onlooker.as_ref().is_some_and(|onlooker| onlooker.wants_it_alone)
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        self.is_dead = self.is_dead || !self.lives(Moment::Before);
        if self.is_dead {
            return false;
        }
        let outcome = guard(tx, &mut self.work);
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn settle(self: Box<Self>) {
        let mut unit = *self;
        let never = || Err(Fault::new(format!("running {}: it was never begun", unit.name)).into());
        let outcome = unit.outcome.take().unwrap_or_else(never);
        unit.is_dead = unit.is_dead || (outcome.is_ok() && !unit.lives(Moment::After));
        unit.tell(outcome);
    }

    fn fail(self: Box<Self>, fault: Fault) {
        self.tell(Err(fault.into()));
    }
}
