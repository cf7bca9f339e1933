//! A life of a city's node (进程生命周期): from a start on a disk to its death at a drawn write.
//!
//! Invariant: after the death nothing of this life reaches disk or network any more.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tb_base::{Fault, NodeId, Result};
use tb_node::Node;
use tb_store::{Moment, Store, Watch};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::trace::Trace;

/// Writes that the planted disk forgets, though they were acknowledged.
const FORGOTTEN_WRITES: u64 = 5;

/// At which write a life ends, and on which side of it.
pub type Death = (u64, Moment);

/// One life.
pub struct Life {
    /// The city.
    pub city: NodeId,
    /// Which life of the city it is.
    pub number: u64,
    /// Where its disk is.
    pub disk: PathBuf,
    death: Option<Death>,
    writes: AtomicU64,
    is_spared: AtomicBool,
    is_dead: AtomicBool,
    dead: Notify,
    tasks: Mutex<Vec<AbortHandle>>,
    /// Set once the store is open.
    pub store: OnceLock<Store>,
    /// Set once the node is put together.
    pub node: OnceLock<Arc<Node>>,
    keeps_old_disk: bool,
}

impl Life {
    /// A life that has not begun.
    pub fn new(city: NodeId, number: u64, disk: PathBuf, death: Option<Death>, keeps_old_disk: bool) -> Life {
        Life {
            city,
            number,
            disk,
            death,
            writes: AtomicU64::new(0),
            is_spared: AtomicBool::new(false),
            is_dead: AtomicBool::new(false),
            dead: Notify::new(),
            tasks: Mutex::default(),
            store: OnceLock::new(),
            node: OnceLock::new(),
            keeps_old_disk,
        }
    }

    /// Looks on at the writes of this life, and ends it at the drawn one.
    pub fn watch(self: &Arc<Life>, trace: Arc<Trace>) -> Watch {
        let life = self.clone();
        Arc::new(move |name, moment| {
            if life.is_dead() {
                return false;
            }
            let writes = match moment {
                Moment::Before => life.writes.fetch_add(1, Ordering::SeqCst) + 1,
                Moment::After => life.writes.load(Ordering::SeqCst),
            };
            trace.note(format_args!("{}.{} {name} {moment:?}", life.city, life.number));
            if life.death != Some((writes, moment)) || life.is_spared.load(Ordering::SeqCst) {
                life.remember(moment);
                return true;
            }
            trace.note(format_args!("{}.{} dies", life.city, life.number));
            life.die();
            false
        })
    }

    /// The planted disk keeps a copy from some writes before the one in which the city dies.
    fn remember(&self, moment: Moment) {
        let next = self.writes.load(Ordering::SeqCst);
        let dies_soon = self.death.is_some_and(|(at, _)| at == next + FORGOTTEN_WRITES);
        if self.keeps_old_disk && moment == Moment::Before && dies_soon {
            drop(copy(&self.disk, &old_disk(&self.disk)));
        }
    }

    /// From now on this life does not die by itself.
    pub fn spare(&self) {
        self.is_spared.store(true, Ordering::SeqCst);
    }

    /// Ends it: its tasks are cut off where they stand.
    pub fn die(&self) {
        self.is_dead.store(true, Ordering::SeqCst);
        self.dead.notify_waiters();
        for task in self.tasks().drain(..) {
            task.abort();
        }
    }

    /// Whether it has ended.
    pub fn is_dead(&self) -> bool {
        self.is_dead.load(Ordering::SeqCst)
    }

    /// Waits for its end.
    pub async fn ended(&self) {
        let mut died = std::pin::pin!(self.dead.notified());
        // Waits from here on, so that a death right after the look is not missed. A channel would wake in random order.
        died.as_mut().enable();
        if !self.is_dead() {
            died.await;
        }
    }

    /// A task that ends with this life.
    pub fn owns(&self, task: AbortHandle) {
        if self.is_dead() {
            task.abort();
        }
        let mut tasks = self.tasks();
        tasks.retain(|task| !task.is_finished());
        tasks.push(task);
    }

    fn tasks(&self) -> std::sync::MutexGuard<'_, Vec<AbortHandle>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The disk as the next life finds it: what was committed, and a torn end of the file that was being written.
    pub fn leave_disk(&self, next: &Path, torn: &[u8]) -> Result<()> {
        let old = old_disk(&self.disk);
        let from = if self.keeps_old_disk && old.is_dir() { &old } else { &self.disk };
        copy(from, next)?;
        let wal = next.join("city.db-wal");
        if wal.is_file() && !torn.is_empty() {
            let mut bytes = std::fs::read(&wal).map_err(disk)?;
            bytes.extend_from_slice(torn);
            std::fs::write(&wal, bytes).map_err(disk)?;
        }
        Ok(())
    }
}

fn old_disk(disk: &Path) -> PathBuf {
    disk.join("before")
}

/// Copies the files of a database; the index of the log beside it is made anew by whoever opens it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to).map_err(disk)?;
    for name in ["city.db", "city.db-wal"] {
        if from.join(name).is_file() {
            std::fs::copy(from.join(name), to.join(name)).map_err(disk)?;
        }
    }
    Ok(())
}

fn disk(error: std::io::Error) -> Fault {
    Fault::of("copying a simulated disk", error)
}
