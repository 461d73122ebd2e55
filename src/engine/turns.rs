//! Bounds how many passes run at once. Undo goes first and has slots of its own, because the others
//! may all be held by passes that wait for calls; within a class the namespaces take turns, so one
//! with many objects never keeps the others waiting.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::fair::FairQueue;

/// Passes that wait for a slot.
type Waiting = FairQueue<oneshot::Sender<Slot>>;

/// What a pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Something is to be undone.
    Undo,
    /// Something is under way, or was not looked at yet.
    Urgent,
    /// Anything else.
    Other,
}

/// The slots for passes, and who waits for one.
pub struct Turns {
    state: Mutex<State>,
}

struct State {
    /// Passes that hold a slot.
    running: usize,
    free: usize,
    /// Slots that only undo may take.
    spare: usize,
    undo: Waiting,
    urgent: Waiting,
    other: Waiting,
}

/// A slot; free again when dropped.
pub struct Slot {
    turns: Arc<Turns>,
    /// Whether it is one that only undo may take.
    spare: bool,
}

impl Turns {
    /// `slots` passes at once, and `spare` more for undo.
    #[must_use]
    pub fn new(slots: usize, spare: usize) -> Arc<Self> {
        let state = State {
            running: 0,
            free: slots,
            spare,
            undo: Waiting::default(),
            urgent: Waiting::default(),
            other: Waiting::default(),
        };
        Arc::new(Self { state: Mutex::new(state) })
    }

    /// Waits for a slot. Safe to drop at any time.
    pub async fn take(self: &Arc<Self>, class: Class, namespace: &str) -> Slot {
        let turn = {
            let mut state = self.lock();
            if class == Class::Undo && state.spare > 0 {
                state.spare = state.spare.saturating_sub(1);
                state.running = state.running.saturating_add(1);
                return self.slot(true);
            }
            if state.free > 0 {
                state.free = state.free.saturating_sub(1);
                state.running = state.running.saturating_add(1);
                return self.slot(false);
            }
            let (sender, turn) = oneshot::channel();
            state.queue(class).push(namespace, sender);
            turn
        };
        // The sender is only dropped unsent when this is dropped with everything else.
        turn.await.unwrap_or_else(|_| self.slot(false))
    }

    /// Passes that wait for a slot or hold one.
    #[must_use]
    pub fn depth(&self) -> usize {
        let state = self.lock();
        [&state.undo, &state.urgent, &state.other]
            .iter()
            .fold(state.running, |depth, waiting| depth.saturating_add(waiting.len()))
    }

    fn slot(self: &Arc<Self>, spare: bool) -> Slot {
        Slot { turns: Arc::clone(self), spare }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn queue(&mut self, class: Class) -> &mut Waiting {
        match class {
            Class::Undo => &mut self.undo,
            Class::Urgent => &mut self.urgent,
            Class::Other => &mut self.other,
        }
    }
}

impl State {
    /// The one whose turn it is for a slot.
    fn next(&mut self, spare: bool) -> Option<oneshot::Sender<Slot>> {
        let undo = self.undo.pop();
        if spare {
            return undo;
        }
        undo.or_else(|| self.urgent.pop()).or_else(|| self.other.pop())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.turns.lock();
        while let Some(next) = state.next(self.spare) {
            // One that gave up meanwhile has closed its end; its slot must not come back here
            // while the lock is held.
            if next.is_closed() {
                continue;
            }
            drop(state);
            // Handing over fails only if it gave up right now: then the slot's own drop goes on.
            let _ = next.send(self.turns.slot(self.spare));
            return;
        }
        state.running = state.running.saturating_sub(1);
        let free = if self.spare { &mut state.spare } else { &mut state.free };
        *free = free.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;

    async fn order(classes: &[(Class, &str)]) -> Vec<usize> {
        let turns = Turns::new(1, 0);
        let first = turns.take(Class::Other, "first").await;
        let served = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for (index, (class, namespace)) in classes.iter().enumerate() {
            let (turns, served) = (Arc::clone(&turns), Arc::clone(&served));
            let (class, namespace) = (*class, (*namespace).to_owned());
            tasks.push(tokio::spawn(async move {
                let _slot = turns.take(class, &namespace).await;
                served.lock().unwrap().push(index);
            }));
            tokio::task::yield_now().await;
        }
        drop(first);
        for task in tasks {
            task.await.unwrap();
        }
        served.lock().unwrap().clone()
    }

    #[tokio::test]
    async fn urgent_passes_go_first() {
        let classes = [(Class::Other, "a"), (Class::Other, "a"), (Class::Urgent, "a")];
        assert_eq!(order(&classes).await, [2, 0, 1]);
    }

    #[tokio::test]
    async fn undo_goes_first_and_never_waits_for_slots_that_work_holds() {
        let classes = [(Class::Urgent, "a"), (Class::Undo, "a"), (Class::Other, "a")];
        assert_eq!(order(&classes).await, [1, 0, 2]);

        let turns = Turns::new(1, 1);
        let working = turns.take(Class::Urgent, "a").await;
        let undoing = turns.take(Class::Undo, "a").await;
        let mut waiting = pin!(turns.take(Class::Urgent, "a"));
        assert!(futures::poll!(&mut waiting).is_pending());
        assert_eq!(turns.depth(), 3);
        drop(undoing);
        assert!(futures::poll!(&mut waiting).is_pending(), "a spare slot is for undo alone");
        drop(working);
        drop(waiting.await);
        assert_eq!(turns.depth(), 0);
        let state = turns.lock();
        assert_eq!((state.free, state.spare), (1, 1));
    }

    #[tokio::test]
    async fn namespaces_take_turns() {
        let other = |namespace| (Class::Other, namespace);
        let classes = [other("big"), other("big"), other("big"), other("small")];
        assert_eq!(order(&classes).await, [0, 3, 1, 2]);
    }

    #[tokio::test]
    async fn who_gives_up_leaves_no_hole() {
        let turns = Turns::new(1, 0);
        let first = turns.take(Class::Other, "a").await;
        {
            let mut gives_up = pin!(turns.take(Class::Other, "a"));
            assert!(futures::poll!(&mut gives_up).is_pending());
        }
        drop(first);
        let second = turns.take(Class::Other, "a").await;
        drop(second);
        assert_eq!(turns.lock().free, 1);
    }
}
