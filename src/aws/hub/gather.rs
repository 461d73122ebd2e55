//! What many callers ask at about the same time is asked of AWS together, and answers are shared.
//!
//! The first caller opens a batch; it is sent when it is full, at the latest after [`GATHER`], by a
//! task of its own: no caller depends on another one being polled. Batches and answers belong to
//! one session, so that the permissions of one role never answer for another one.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use crate::aws::{
    Class, Error,
    limits::Priority,
    operations::Operation,
    session::{CallContext, Session},
};

/// How long a batch waits for more callers: far less than the minute that data takes to come, long
/// enough for the passes that start together.
pub const GATHER: Duration = Duration::from_millis(200);
/// Longest that a batch waits for its turns under the rate limit: less than a pass lasts, so that
/// callers hear of it.
const BATCH_DEADLINE: Duration = Duration::from_secs(60);

/// One kind of question.
#[async_trait]
pub(super) trait Ask: Sized + Send + Sync + 'static {
    /// What is asked.
    type Service: Send + Sync + 'static;
    /// What the items of one call have in common.
    type Scope: Clone + Eq + Hash + Send + Sync + 'static;
    /// What is asked for.
    type Item: Clone + Ord + Hash + Send + Sync + 'static;
    /// What is answered.
    type Answer: Clone + Send + Sync + 'static;
    /// When a caller asked, as far as it matters.
    type Stamp: Copy + Send + Sync + 'static;

    /// What is sent.
    const OPERATION: Operation;
    /// Most items of one batch.
    const ITEMS_MAX: usize;
    /// How long answers are kept.
    const KEPT: Duration;
    /// Most that is kept, by [`Self::weight`]; the oldest answers go first.
    const WEIGHT_MAX: usize;

    /// What is asked, on behalf of a batch.
    fn service(session: &Arc<Session>, context: CallContext) -> Self::Service;
    /// Whether an answer to a caller of `asked` is good enough for one of `now`.
    fn is_fresh(asked: Self::Stamp, now: Self::Stamp) -> bool;
    /// What keeping an answer costs.
    fn weight(answer: &Self::Answer) -> usize;
    /// The item, for messages.
    fn resource(item: &Self::Item) -> String;
    /// Asks for at most [`Self::ITEMS_MAX`] items. An error is one of all items.
    async fn read(
        service: &Self::Service,
        scope: &Self::Scope,
        items: &[Self::Item],
    ) -> Result<Outcomes<Self>, Error>;

    /// An error of ours about an answer: the next pass asks again.
    fn error(resource: String, message: String) -> Error {
        Error {
            operation: Self::OPERATION,
            resource,
            class: Class::Unknown,
            code: String::new(),
            message,
            request_id: None,
            retry_after: None,
        }
    }
}

/// What became of each item of a batch.
pub(super) type Outcomes<A> = HashMap<<A as Ask>::Item, Result<<A as Ask>::Answer, Error>>;
/// Session and scope: whose batch it is.
type Place<A> = (u64, <A as Ask>::Scope);
/// Tells when a batch is through; ends without a word when its task was cut off.
type Done<A> = watch::Receiver<Option<Arc<Outcomes<A>>>>;
type Answers<A> = BTreeMap<<A as Ask>::Item, <A as Ask>::Answer>;
type Awaited<A> = Vec<(<A as Ask>::Item, Done<A>)>;

/// Batches and answers of one kind of question.
pub(super) struct Gather<A: Ask> {
    state: Arc<Mutex<State<A>>>,
}

struct State<A: Ask> {
    places: HashMap<Place<A>, Asked<A>>,
    /// Batches with answers, oldest first.
    kept: VecDeque<Kept<A>>,
    /// Of all that is kept.
    weight: usize,
    batches: u64,
}

struct Asked<A: Ask> {
    known: HashMap<A::Item, Known<A>>,
    open: Option<Batch<A>>,
}

enum Known<A: Ask> {
    /// In a batch that is open or under way.
    Pending(Done<A>),
    Answered {
        answer: A::Answer,
        asked: A::Stamp,
        batch: u64,
    },
}

struct Batch<A: Ask> {
    id: u64,
    session: Arc<Session>,
    scope: A::Scope,
    items: Vec<A::Item>,
    /// When its first caller asked.
    asked: A::Stamp,
    done: watch::Sender<Option<Arc<Outcomes<A>>>>,
}

struct Kept<A: Ask> {
    batch: u64,
    place: Place<A>,
    items: Vec<A::Item>,
    at: Instant,
    weight: usize,
}

impl<A: Ask> Gather<A> {
    /// Answers of all items, in one piece.
    ///
    /// Safe to drop at any time.
    ///
    /// # Errors
    ///
    /// The error of the first item, by order, that has one.
    pub(super) async fn get(
        &self,
        session: &Arc<Session>,
        scope: &A::Scope,
        items: &BTreeSet<A::Item>,
        now: A::Stamp,
    ) -> Result<BTreeMap<A::Item, A::Answer>, Error> {
        let (mut answers, awaited) = self.ask(session, scope, items, now);
        for (item, done) in awaited {
            let answer = outcome::<A>(&item, done).await?;
            answers.insert(item, answer);
        }
        Ok(answers)
    }

    /// What is known already, and what to wait for.
    fn ask(
        &self,
        session: &Arc<Session>,
        scope: &A::Scope,
        items: &BTreeSet<A::Item>,
        now: A::Stamp,
    ) -> (Answers<A>, Awaited<A>) {
        let mut state = self.lock();
        state.evict();
        let place = (session.id(), scope.clone());
        let (mut answers, mut awaited) = (BTreeMap::new(), Vec::new());
        for item in items {
            match state.known(&place, item) {
                // Else its batch ended without a word.
                Some(Known::Pending(done)) if done.has_changed().is_ok() => {
                    awaited.push((item.clone(), done.clone()));
                }
                Some(Known::Answered { answer, asked, .. }) if A::is_fresh(*asked, now) => {
                    answers.insert(item.clone(), answer.clone());
                }
                Some(Known::Pending(_) | Known::Answered { .. }) | None => {
                    let done = self.add(&mut state, session, &place, item, now);
                    awaited.push((item.clone(), done));
                }
            }
        }
        (answers, awaited)
    }

    /// Puts an item into the open batch.
    fn add(
        &self,
        state: &mut State<A>,
        session: &Arc<Session>,
        place: &Place<A>,
        item: &A::Item,
        now: A::Stamp,
    ) -> Done<A> {
        let id = state.batches;
        let asked = state.places.entry(place.clone()).or_default();
        let batch = asked.open.get_or_insert_with(|| Batch {
            id,
            session: Arc::clone(session),
            scope: place.1.clone(),
            items: Vec::new(),
            asked: now,
            done: watch::Sender::new(None),
        });
        let opened = batch.id == id;
        let done = batch.done.subscribe();
        batch.items.push(item.clone());
        asked.known.insert(item.clone(), Known::Pending(done.clone()));
        let full = asked.open.take_if(|batch| batch.items.len() >= A::ITEMS_MAX);
        if opened {
            state.batches = id.wrapping_add(1);
        }
        if let Some(batch) = full {
            tokio::spawn(self.clone().run(batch));
        } else if opened {
            tokio::spawn(self.clone().gather(place.clone(), id));
        }
        done
    }

    /// Waits for more callers, then sends the batch unless it became full meanwhile.
    async fn gather(self, place: Place<A>, id: u64) {
        sleep(GATHER).await;
        let batch = self.lock().close(&place, id);
        if let Some(batch) = batch {
            self.run(batch).await;
        }
    }

    /// Sends a batch, keeps its answers, and tells those who wait.
    async fn run(self, batch: Batch<A>) {
        let now = Instant::now();
        let context = CallContext {
            priority: Priority::Work,
            // A batch is for many namespaces, so sessions take turns.
            namespace: Arc::from(format!("session {}", batch.session.id())),
            not_after: None,
            deadline: now.checked_add(BATCH_DEADLINE).unwrap_or(now),
        };
        let service = A::service(&batch.session, context);
        let outcomes = read_apart::<A>(&service, &batch.scope, &batch.items).await;
        let done = self.lock().keep(batch, &outcomes);
        done.send_replace(Some(Arc::new(outcomes)));
    }

    /// Places and weight of all that is kept.
    #[cfg(test)]
    pub(super) fn kept(&self) -> (usize, usize) {
        let state = self.lock();
        (state.places.len(), state.weight)
    }

    fn lock(&self) -> MutexGuard<'_, State<A>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks for items together. When AWS finds the call invalid, one of them is: then each half is asked
/// for alone, so that in the end only those that are wrong fail. One in 500 costs 18 calls.
async fn read_apart<A: Ask>(
    service: &A::Service,
    scope: &A::Scope,
    items: &[A::Item],
) -> Outcomes<A> {
    let mut outcomes = Outcomes::<A>::new();
    let mut parts = vec![items];
    while let Some(part) = parts.pop() {
        match A::read(service, scope, part).await {
            Ok(read) => outcomes.extend(read),
            Err(error) if error.class == Class::Invalid && part.len() > 1 => {
                let (one, other) = part.split_at(part.len() / 2);
                parts.extend([other, one]);
            }
            Err(error) => outcomes
                .extend(part.iter().map(|item| (item.clone(), Err::<A::Answer, _>(error.clone())))),
        }
    }
    outcomes
}

/// Waits for the batch of an item.
async fn outcome<A: Ask>(item: &A::Item, mut done: Done<A>) -> Result<A::Answer, Error> {
    let outcomes = done.wait_for(Option::is_some).await.ok().and_then(|outcomes| outcomes.clone());
    outcomes.as_ref().and_then(|outcomes| outcomes.get(item)).cloned().unwrap_or_else(|| {
        Err(A::error(A::resource(item), "the call was cut off; it is made again".to_owned()))
    })
}

impl<A: Ask> State<A> {
    fn known(&self, place: &Place<A>, item: &A::Item) -> Option<&Known<A>> {
        self.places.get(place)?.known.get(item)
    }

    /// Takes the batch out, if it is still open.
    fn close(&mut self, place: &Place<A>, id: u64) -> Option<Batch<A>> {
        self.places.get_mut(place)?.open.take_if(|batch| batch.id == id)
    }

    /// Keeps what was answered. Errors are forgotten: who asks next tries again.
    fn keep(
        &mut self,
        batch: Batch<A>,
        outcomes: &Outcomes<A>,
    ) -> watch::Sender<Option<Arc<Outcomes<A>>>> {
        let Batch { id, session, scope, items, asked, done } = batch;
        let place = (session.id(), scope);
        let mut weight = 0_usize;
        if let Some(here) = self.places.get_mut(&place) {
            for item in &items {
                if let Some(Ok(answer)) = outcomes.get(item) {
                    weight = weight.saturating_add(A::weight(answer));
                    let answer = answer.clone();
                    let known = Known::Answered { answer, asked, batch: id };
                    here.known.insert(item.clone(), known);
                } else {
                    here.known.remove(item);
                }
            }
        }
        self.tidy(&place);
        self.weight = self.weight.saturating_add(weight);
        self.kept.push_back(Kept { batch: id, place, items, at: Instant::now(), weight });
        self.evict();
        done
    }

    /// Forgets what is too old, and the oldest when there is too much.
    fn evict(&mut self) {
        while let Some(kept) = self
            .kept
            .pop_front_if(|kept| kept.at.elapsed() >= A::KEPT || self.weight > A::WEIGHT_MAX)
        {
            self.weight = self.weight.saturating_sub(kept.weight);
            let Some(here) = self.places.get_mut(&kept.place) else { continue };
            for item in &kept.items {
                // A later batch may have asked for it again.
                if let Some(Known::Answered { batch, .. }) = here.known.get(item)
                    && *batch == kept.batch
                {
                    here.known.remove(item);
                }
            }
            self.tidy(&kept.place);
        }
    }

    /// Forgets a place where nothing is known or asked.
    fn tidy(&mut self, place: &Place<A>) {
        let empty = |here: &Asked<A>| here.known.is_empty() && here.open.is_none();
        if self.places.get(place).is_some_and(empty) {
            self.places.remove(place);
        }
    }
}

impl<A: Ask> Clone for Gather<A> {
    fn clone(&self) -> Self {
        Self { state: Arc::clone(&self.state) }
    }
}

impl<A: Ask> Default for Gather<A> {
    fn default() -> Self {
        let state = State { places: HashMap::new(), kept: VecDeque::new(), weight: 0, batches: 0 };
        Self { state: Arc::new(Mutex::new(state)) }
    }
}

impl<A: Ask> Default for Asked<A> {
    fn default() -> Self {
        Self { known: HashMap::new(), open: None }
    }
}
