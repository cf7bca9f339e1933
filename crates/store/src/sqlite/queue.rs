//! The queue of reads (读取队列): a reader takes its share of what waits at once, so that few threads are woken.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};

use super::View;
use crate::unit::Unit;

/// Reads that one reader takes at once at the most: those behind a slow one wait for it.
const TAKEN_MAX: usize = 8;

/// Reads in the order in which they came.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    came: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(Box<dyn Unit>, View)>,
    /// Readers that sleep until something comes.
    asleep: usize,
    is_closed: bool,
}

impl Queue {
    /// Puts a read behind the others; a closed queue gives it back.
    pub(super) fn put(&self, unit: Box<dyn Unit>, view: View) -> Option<Box<dyn Unit>> {
        let mut state = self.locked();
        if state.is_closed {
            return Some(unit);
        }
        state.waiting.push_back((unit, view));
        let is_to_wake = 0 < state.asleep;
        drop(state);
        if is_to_wake {
            self.came.notify_one();
        }
        None
    }

    /// Waits for reads and takes a share of them; false once the queue is closed and empty.
    pub(super) fn take(&self, readers: usize, into: &mut Vec<(Box<dyn Unit>, View)>) -> bool {
        let mut state = self.locked();
        while state.waiting.is_empty() {
            if state.is_closed {
                return false;
            }
            state.asleep += 1;
            state = self.came.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
            state.asleep -= 1;
        }
        let share = (state.waiting.len() / readers).clamp(1, TAKEN_MAX);
        into.extend(state.waiting.drain(..share));
        true
    }

    /// Takes nothing more; what waits is still read.
    pub(super) fn close(&self) {
        self.locked().is_closed = true;
        self.came.notify_all();
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
