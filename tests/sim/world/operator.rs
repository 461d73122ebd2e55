//! The operator in the world: the real driver, told by a small scheduler when to look. It looks at
//! several objects at once, and at one object once at a time. One process after another; each starts
//! with empty memory.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use groundcrew::{
    api::canary_rollout::CanaryRollout,
    aws::{
        accounts::{Accounts, ExternalIdTemplate, NamespaceFacts, Settings},
        gate::Gate,
        hub::Hub,
        limits::Limits,
        session::Guards,
    },
    canary_rollout::{CanaryRollouts, peer},
    checks::{
        Checks,
        http::{Answer, Fetch, Unanswered, Url},
    },
    context::{Context, Namespaces, Rollouts, Windows},
    engine::Driver,
    facts::{peers::Peer, windows::WindowFact},
    kubernetes::leader::Leadership,
    metrics::Metrics,
};
use kube::ResourceExt as _;
use tokio::time::{Instant, sleep, sleep_until};

use super::{
    ACTING, CLUSTER, World,
    kubernetes::{Kubernetes, Watched, key},
    lambda::Aws,
};

/// How long it takes until another process leads.
const DOWNTIME: Duration = Duration::from_secs(2);

/// What the watch told of all objects.
type Cache = Arc<Mutex<BTreeMap<String, CanaryRollout>>>;

/// The rollouts that the process knows.
struct Known(Cache);

impl Known {
    fn find(&self, named: impl Fn(&CanaryRollout) -> bool) -> Vec<Peer> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.values().filter(|object| named(object)).map(peer).collect()
    }
}

impl Rollouts for Known {
    fn of_alias(&self, function: &str, alias: &str) -> Vec<Peer> {
        self.find(|object| {
            object.spec.function.name == function && object.spec.function.alias == alias
        })
    }

    fn of_function(&self, function: &str) -> Vec<Peer> {
        self.find(|object| object.spec.function.name == function)
    }
}

/// No scenario has a window.
struct NoWindows;

impl Windows for NoWindows {
    fn of(&self, namespace: &str) -> Option<Vec<WindowFact>> {
        panic!("no scenario has windows in {namespace}")
    }
}

/// No scenario asks the web.
struct Web;

#[async_trait]
impl Fetch for Web {
    async fn get(&self, url: &Url, _: bool) -> Result<Answer, Unanswered> {
        panic!("no scenario asks {url}")
    }
}

/// Every Namespace allows the operator's own credentials, in one region.
struct Anywhere;

impl Namespaces for Anywhere {
    fn facts(&self, name: &str) -> NamespaceFacts {
        let region = Some("eu-central-1".into());
        NamespaceFacts { name: name.to_owned(), region, role_arn: None }
    }
}

/// A process, and what its watch told it.
struct Process {
    world: Arc<World>,
    driver: Arc<Driver<CanaryRollouts>>,
    cache: Cache,
    /// Generation, finalizers and annotations when a change last counted.
    triggers: HashMap<String, Trigger>,
    due: BTreeMap<String, Instant>,
    /// What is looked at now.
    looked_at: BTreeSet<String>,
}

type Trigger = (Option<i64>, Vec<String>, BTreeMap<String, String>);

/// The looks that are under way, by object.
type Looks = BTreeMap<String, Pin<Box<dyn Future<Output = Duration>>>>;

/// The next look that ends. Of those that could go on at the same time, the first by its object does
/// first: a run is to be the same again.
async fn ended(looks: &mut Looks) -> (String, Duration) {
    poll_fn(|context| {
        let ended = looks.iter_mut().find_map(|(key, look)| match look.as_mut().poll(context) {
            Poll::Ready(wait) => Some((key.clone(), wait)),
            Poll::Pending => None,
        });
        let Some((key, wait)) = ended else { return Poll::Pending };
        looks.remove(&key);
        Poll::Ready((key, wait))
    })
    .await
}

/// Runs the operator until `end`; a process that dies is followed by another one.
pub async fn run(world: &Arc<World>, end: Instant) {
    while Instant::now() < end {
        let mut process = Process::start(world);
        let metrics = process.driver.context().metrics.clone();
        tokio::select! {
            biased;
            () = world.death() => {}
            () = process.work() => {}
            () = sleep_until(end) => {
                world.lock().metrics = metrics.render();
                return;
            }
        }
        drop(process);
        sleep(DOWNTIME).await;
    }
}

impl Process {
    fn start(world: &Arc<World>) -> Self {
        let (lease, leadership) = Leadership::held();
        let clock = world.clock.clone();
        let cache = Cache::default();
        let metrics = Metrics::new();
        let guards = Guards {
            limits: Arc::new(Limits::default()),
            gate: Gate::new(leadership),
            clock: clock.clone(),
            metrics: metrics.clone(),
        };
        let allowed = "*".parse().expect("all namespaces");
        let settings = Settings::new(CLUSTER.into(), None, allowed, ExternalIdTemplate::default());
        let hub = Arc::new(Hub::default());
        let context = Context {
            checks: Checks::new(Arc::new(Web), Arc::clone(&hub), clock.clone()),
            clock,
            settings: settings.expect("settings"),
            accounts: Accounts::new(Arc::new(Aws::of(world)), guards),
            hub,
            kubernetes: Arc::new(Kubernetes(Arc::clone(world))),
            namespaces: Arc::new(Anywhere),
            rollouts: Arc::new(Known(Arc::clone(&cache))),
            windows: Arc::new(NoWindows),
            metrics,
        };
        let mut process = Self {
            world: Arc::clone(world),
            driver: Arc::new(Driver::new(Arc::new(context))),
            cache,
            triggers: HashMap::new(),
            due: BTreeMap::new(),
            looked_at: BTreeSet::new(),
        };
        let listed = {
            let mut state = world.lock();
            state.lead(lease);
            state.kubernetes.list()
        };
        for object in listed {
            process.learn(Watched::Applied(Box::new(object)));
        }
        process
    }

    /// Looks at objects when they change as far as that counts, and when they are due.
    async fn work(&mut self) {
        let mut looks = Looks::new();
        loop {
            self.follow();
            while let Some(object) = self.next() {
                let (driver, object_key) = (Arc::clone(&self.driver), key(&object));
                self.looked_at.insert(object_key.clone());
                let look =
                    ACTING.scope(object_key.clone(), async move { driver.look(&object).await });
                looks.insert(object_key, Box::pin(look));
            }
            let pause = self.pause();
            tokio::select! {
                biased;
                (looked_at, wait) = ended(&mut looks) => {
                    self.looked_at.remove(&looked_at);
                    let again = Instant::now() + wait;
                    let at = self.due.entry(looked_at).or_insert(again);
                    *at = again.min(*at);
                }
                () = pause => {}
            }
        }
    }

    /// The next object that is due, unless it is looked at.
    fn next(&mut self) -> Option<CanaryRollout> {
        let now = Instant::now();
        let idle = |(key, at): &(&String, &Instant)| **at <= now && !self.looked_at.contains(*key);
        let key = self.due.iter().find(idle).map(|(key, _)| key.clone())?;
        self.due.remove(&key);
        let object = self.known().get(&key).cloned()?;
        self.world.lock().process_sees(&object);
        Some(object)
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, CanaryRollout>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for whatever comes next beside the end of a look.
    fn pause(&self) -> impl Future<Output = ()> + use<> {
        let mut changes = self.world.changes();
        let told = self.world.lock().kubernetes.next_watched();
        let idle = self.due.iter().filter(|(key, _)| !self.looked_at.contains(*key));
        let next = idle.map(|(_, at)| *at).chain(told).min();
        let next = next.unwrap_or_else(|| Instant::now() + super::FOREVER);
        async move {
            tokio::select! {
                _ = changes.changed() => {}
                () = sleep_until(next) => {}
            }
        }
    }

    /// Takes in what the watch has told by now.
    fn follow(&mut self) {
        loop {
            let watched = self.world.lock().kubernetes.watched();
            let Some(watched) = watched else { return };
            self.learn(watched);
        }
    }

    fn learn(&mut self, watched: Watched) {
        match watched {
            Watched::Applied(object) => {
                self.world.lock().process_is_told(&object);
                let key = key(&object);
                let trigger = (
                    object.metadata.generation,
                    object.finalizers().to_vec(),
                    object.annotations().clone(),
                );
                if self.triggers.insert(key.clone(), trigger.clone()) != Some(trigger) {
                    self.due.insert(key.clone(), Instant::now());
                }
                self.known().insert(key, *object);
            }
            Watched::Deleted(key) => {
                let (namespace, name) = key.split_once('/').expect("a namespace and a name");
                self.driver.forget(namespace.into(), name.into());
                self.world.lock().process_forgets(&key);
                self.known().remove(&key);
                self.triggers.remove(&key);
                self.due.remove(&key);
            }
        }
    }
}
