//! Runs the passes of one kind: watches its objects, and keeps each of them isolated, bounded in
//! time, fair to the others, and never acted on from a cache older than our own last write.

mod backoff;
mod driver;
mod listings;
mod packed;
mod rest;
#[cfg(test)]
mod tests;
pub mod turns;

use std::{collections::HashSet, convert::Infallible, fmt::Debug, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use kube::{
    Api, Client, Resource, ResourceExt,
    core::NamespaceResourceScope,
    runtime::{
        Controller, WatchStreamExt as _,
        controller::{Action, Config},
        reflector::{self, ObjectRef},
        watcher,
    },
};
use serde::{Serialize, de::DeserializeOwned};

use self::listings::Listings;
pub use self::{
    driver::{Driver, PASS_DEADLINE},
    packed::Packed,
    turns::Class,
};
use crate::{
    aws::limits::Place,
    context::Context,
    error::Remedy,
    health::{Heartbeat, Liveness},
    kubernetes::{
        port::{Event, KindNames},
        publish,
    },
};

/// How often the loop that hands objects to passes shows that it turns.
const BEAT: Duration = Duration::from_secs(10);
/// A loop that shows no sign of life for so long is stuck. No pass holds it up: each ends at a
/// deadline and waits without blocking.
pub const TURN_BOUND: Duration = Duration::from_secs(120);
/// A watch without any sign of life for so long is stuck. One with nothing to tell is opened anew
/// every five minutes, and one that cannot be opened is tried again every half minute.
pub const WATCH_BOUND: Duration = Duration::from_secs(15 * 60);

/// A kind of custom resource, as the engine sees it.
#[async_trait]
pub trait Kind: Send + Sync + 'static {
    /// Its objects.
    type Object: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Serialize
        + Send
        + Sync
        + 'static;
    /// Its names.
    const NAMES: KindNames;

    /// Fetches what a pass will need of shared, batched answers, before it takes one of the few
    /// slots for passes: so the batches hold what all objects ask for, not what 32 do. Failures are
    /// left to the pass.
    async fn prepare(object: &Self::Object, context: &Context);

    /// One look at an object, and one step. `failures` counts the passes before that failed in a
    /// row.
    async fn pass(object: &Self::Object, context: &Context, failures: u32) -> Pass<Self::Object>;

    /// Who goes first: what is to be undone, then what is under way or was not looked at yet.
    fn class(object: &Self::Object) -> Class;

    /// The account and region that it is worked on in, where that is known.
    fn place(object: &Self::Object) -> Option<Place>;

    /// A number that is the same for all objects about the same thing in AWS, as far as the spec
    /// tells; others may have it, too.
    fn subject(object: &Self::Object) -> u64;

    /// Tells that an object is gone.
    fn forget(context: &Context, namespace: &str, name: &str);
}

/// How a pass ended.
#[derive(Debug)]
pub struct Pass<K> {
    /// The object as the API server has it after our last write; none when nothing was written.
    pub object: Option<K>,
    /// Whether a write may have been carried out without an answer: the object is read again before
    /// the next pass.
    pub unsure: bool,
    /// What comes next.
    pub next: Next,
}

/// What comes after a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another pass at once, on the object as it was published.
    Now,
    /// A look at this time.
    At(Timestamp),
    /// It failed.
    Failed {
        /// Who must move next: that says how long to wait.
        remedy: Remedy,
        /// The next look comes at this time at the latest; none where nothing is under way.
        at_latest: Option<Timestamp>,
    },
}

impl Next {
    /// It failed, and nothing is under way.
    #[must_use]
    pub fn failed(remedy: Remedy) -> Self {
        Self::Failed { remedy, at_latest: None }
    }

    /// At `then` at the latest.
    #[must_use]
    pub fn no_later_than(self, then: Timestamp) -> Self {
        match self {
            Self::Now => Self::Now,
            Self::At(at) => Self::At(at.min(then)),
            Self::Failed { remedy, at_latest } => {
                let at_latest = Some(at_latest.map_or(then, |at| at.min(then)));
                Self::Failed { remedy, at_latest }
            }
        }
    }
}

/// Where to run, and on which objects.
pub struct Scope<K: Kind> {
    /// Client for watches.
    pub client: Client,
    /// Namespaces to watch; empty: all.
    pub namespaces: Vec<String>,
    /// Where the objects are kept; others read them there.
    pub objects: Objects<K>,
    /// Who is told that the loops turn.
    pub liveness: Liveness,
    /// Who is told of each object that changed, by its namespace, once others can read it.
    pub changed: Box<dyn Fn(String) + Send + Sync>,
}

/// Where the objects of a kind are kept.
pub type Objects<K> = reflector::store::Writer<Packed<K>>;
/// Where the objects of a kind are read.
pub type Reader<K> = reflector::Store<Packed<K>>;

/// Runs a kind until `stop`; then ends the passes that run, and returns.
///
/// Objects are looked at again, too, when `wakes` names them.
pub async fn run<K: Kind>(
    scope: Scope<K>,
    context: Arc<Context>,
    wakes: impl Stream<Item = ObjectRef<Packed<K>>> + Send + 'static,
    stop: impl Future<Output = ()> + Send + Sync + 'static,
) {
    let driver = Arc::new(Driver::<K>::new(context));
    let Scope { client, namespaces, objects: writer, liveness, changed } = scope;
    let reader = writer.as_reader();
    let stored = reader.clone();
    let (watching, told, resting) = (Arc::clone(&driver), Arc::clone(&driver), Arc::clone(&driver));
    let triggers = watch::<K>(&client, &namespaces, reader.clone(), &liveness)
        .inspect_ok(move |event| watched(&watching, event))
        .reflect(writer)
        .inspect_ok(move |event| tell(event, &stored, &*changed))
        .applied_objects()
        .try_filter(move |object| std::future::ready(told.calls(object, || object.unpack())));
    let rested = futures::stream::unfold(resting, async |resting| {
        let (namespace, name) = resting.rested().await;
        Some((ObjectRef::new(&name).within(&namespace), resting))
    });
    Controller::for_stream(triggers, reader)
        .reconcile_on(wakes)
        .reconcile_on(rested)
        .reconcile_on(beats(liveness.supervise(K::NAMES.plural, TURN_BOUND)))
        .with_config(Config::default())
        .graceful_shutdown_on(stop)
        // On the heap: the Controller keeps one place for each object that ever waited at once.
        .run(|o, d| Box::pin(reconcile::<K>(o, d)), |_, never, _| match *never {}, driver)
        .for_each(|ended| async move {
            if let Err(error) = ended {
                // An object that is gone, or a watch that broke and is taken up again.
                tracing::debug!(kind = K::NAMES.kind, error = %crate::error::chain(&error), "watch");
            }
        })
        .await;
}

/// Names no object, and beats for as long as somebody asks it.
fn beats<K: Kind>(heartbeat: Heartbeat) -> impl Stream<Item = ObjectRef<Packed<K>>> + Send {
    let beats = futures::stream::unfold(tokio::time::interval(BEAT), async |mut interval| {
        interval.tick().await;
        Some(((), interval))
    });
    beats.filter_map(move |()| {
        heartbeat.beat();
        std::future::ready(None)
    })
}

/// What changes in these namespaces, or in all.
fn watch<K: Kind>(
    client: &Client,
    namespaces: &[String],
    store: Reader<K>,
    liveness: &Liveness,
) -> impl Stream<Item = watcher::Result<watcher::Event<Packed<K>>>> + Send + use<K> {
    let namespaces: Vec<Option<String>> = match namespaces {
        [] => vec![None],
        named => named.iter().cloned().map(Some).collect(),
    };
    let watches = namespaces.iter().enumerate().map(|(number, namespace)| {
        let api: Api<Packed<K>> = match namespace {
            None => Api::all(client.clone()),
            Some(name) => Api::namespaced(client.clone(), name),
        };
        let events = watcher(api, watcher::Config::default().streaming_lists()).default_backoff();
        let of = namespace.as_ref().map(|name| format!(" in {name}")).unwrap_or_default();
        let name = format!("watch of {}{of}", K::NAMES.plural);
        let heartbeat = liveness.supervise(name, WATCH_BOUND);
        heartbeat.with(events.map(move |event| (number, event)).boxed()).boxed()
    });
    let watches = futures::stream::select_all(watches);
    let mut listings = Listings::new(&namespaces, store);
    watches.flat_map(move |(number, event)| {
        let events = match event {
            Ok(event) => listings.follow(number, event).into_iter().map(Ok).collect(),
            Err(error) => {
                let error_text = crate::error::chain(&error);
                tracing::warn!(kind = K::NAMES.kind, error = error_text, "cannot watch objects");
                vec![Err(error)]
            }
        };
        futures::stream::iter(events)
    })
}

async fn reconcile<K: Kind>(
    packed: Arc<Packed<K>>,
    driver: Arc<Driver<K>>,
) -> Result<Action, Infallible> {
    Ok(match packed.unreadable() {
        None => {
            driver.wakes(&*packed);
            let wait = driver.look_at(&|| packed.unpack()).await;
            let rests = driver.rests(&*packed, wait);
            if rests { Action::await_change() } else { Action::requeue(wait) }
        }
        Some(why) => report_unreadable(driver.context(), &packed, why).await,
    })
}

/// An object that cannot be read as its kind, for example one stored under other rules.
async fn report_unreadable<K: Kind>(context: &Context, object: &Packed<K>, why: &str) -> Action {
    let id = publish::id(K::NAMES, object);
    let note = crate::error::clean(&format!(
        "this object cannot be read and nothing is done for it: {why}; apply it again as the CRD asks"
    ));
    tracing::error!(object = %id, error = why, "object cannot be read");
    let event = Event { warning: true, reason: "Unreadable".into(), note };
    publish::events(&*context.kubernetes, &id, &[event]).await;
    Action::await_change()
}

/// Tells of what others can read now. A list can be read once it is whole.
fn tell<K: Kind>(
    event: &watcher::Event<Packed<K>>,
    stored: &Reader<K>,
    changed: &(dyn Fn(String) + Send + Sync),
) {
    match event {
        watcher::Event::Apply(object) | watcher::Event::Delete(object) => {
            changed(object.namespace().unwrap_or_default());
        }
        watcher::Event::InitDone => {
            let all = stored.state();
            let namespaces: HashSet<String> =
                all.iter().filter_map(|object| object.namespace()).collect();
            namespaces.into_iter().for_each(changed);
        }
        watcher::Event::Init | watcher::Event::InitApply(_) => {}
    }
}

fn watched<K: Kind>(driver: &Driver<K>, event: &watcher::Event<Packed<K>>) {
    let watcher::Event::Delete(object) = event else { return };
    let meta = object.meta();
    let namespace = meta.namespace.clone().unwrap_or_default();
    driver.forget(namespace, meta.name.clone().unwrap_or_default());
}
