//! A queue in which namespaces take turns, so that one with many entries never keeps the others
//! waiting; within a namespace it is first come, first served.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

/// Entries that wait, by namespace.
#[derive(Debug)]
pub struct FairQueue<T> {
    /// Namespaces with something waiting, in the order of their turns.
    turns: VecDeque<Arc<str>>,
    waiting: HashMap<Arc<str>, VecDeque<T>>,
    length: usize,
}

impl<T> Default for FairQueue<T> {
    fn default() -> Self {
        Self { turns: VecDeque::new(), waiting: HashMap::new(), length: 0 }
    }
}

impl<T> FairQueue<T> {
    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Adds an entry behind those of its namespace.
    pub fn push(&mut self, namespace: &str, entry: T) {
        self.length = self.length.saturating_add(1);
        if let Some(waiting) = self.waiting.get_mut(namespace) {
            waiting.push_back(entry);
            return;
        }
        let namespace: Arc<str> = Arc::from(namespace);
        self.turns.push_back(Arc::clone(&namespace));
        self.waiting.insert(namespace, VecDeque::from([entry]));
    }

    /// Takes the next one; its namespace goes to the end of the turns.
    pub fn pop(&mut self) -> Option<T> {
        let namespace = self.turns.pop_front()?;
        let waiting = self.waiting.get_mut(&namespace)?;
        let entry = waiting.pop_front()?;
        self.length = self.length.saturating_sub(1);
        if waiting.is_empty() {
            self.waiting.remove(&namespace);
        } else {
            self.turns.push_back(namespace);
        }
        Some(entry)
    }

    /// Takes the entries of a namespace away that `leaves` names.
    pub fn remove(&mut self, namespace: &str, leaves: impl Fn(&T) -> bool) {
        let Some(waiting) = self.waiting.get_mut(namespace) else { return };
        let before = waiting.len();
        waiting.retain(|entry| !leaves(entry));
        self.length = self.length.saturating_sub(before.saturating_sub(waiting.len()));
        if waiting.is_empty() {
            self.waiting.remove(namespace);
            self.turns.retain(|other| **other != *namespace);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(entries: &[(&str, u32)]) -> FairQueue<u32> {
        let mut queue = FairQueue::default();
        entries.iter().for_each(|(namespace, entry)| queue.push(namespace, *entry));
        queue
    }

    fn drain(mut queue: FairQueue<u32>) -> Vec<u32> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn namespaces_take_turns_and_entries_of_one_keep_their_order() {
        assert_eq!(drain(queue(&[("big", 1), ("big", 2), ("big", 3), ("small", 4)])), [1, 4, 2, 3]);
    }

    #[test]
    fn what_leaves_takes_no_turn() {
        let mut left = queue(&[("a", 1), ("b", 2), ("a", 3)]);
        left.remove("a", |entry| *entry == 1);
        assert_eq!(left.len(), 2);
        left.remove("b", |entry| *entry == 2);
        left.remove("nobody", |_| true);
        assert_eq!(drain(left), [3]);
        assert!(queue(&[]).is_empty());
    }
}
