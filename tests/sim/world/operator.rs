//! The operator in the world: the real drivers of both kinds, told by a small scheduler when to look.
//! They look at several objects at once, and at one object once at a time. One process after another;
//! each starts with empty memory.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use groundcrew::{
    api::{canary_rollout::CanaryRollout, maintenance_window::MaintenanceWindow},
    aws::{
        accounts::{Accounts, ExternalIdTemplate, NamespaceFacts, Settings},
        gate::Gate,
        hub::Hub,
        limits::Limits,
        session::Guards,
    },
    canary_rollout::{CanaryRollouts, awaits_windows, peer},
    checks::{
        Checks,
        http::{Answer, Fetch, Unanswered, Url},
    },
    context::{Context, Namespaces, Rollouts, Windows},
    engine::Kind as _,
    facts::{
        documents::AllowedDocuments,
        peers::Peer,
        windows::{QuietFact, WindowFact},
    },
    jobs::NoCluster,
    kubernetes::leader::Leadership,
    maintenance_window::{MaintenanceWindows, fact, quiet},
    metrics::Metrics,
    notify::post::Post,
    sweeps::Sweeps,
};
use kube::ResourceExt as _;
use tokio::time::{Instant, sleep, sleep_until};

use super::{
    CLUSTER, World,
    desk::{Cache, Desk},
    kubernetes::Kubernetes,
    lambda::Aws,
    notices::Notices,
    shelf::Watched,
    tasks::DOCUMENT,
};

/// How long it takes until another process leads.
const DOWNTIME: Duration = Duration::from_secs(2);

/// How long after the rollouts a process that starts has listed the windows.
const WINDOWS_LATER: Duration = Duration::from_millis(30);

/// The rollouts that the process knows.
struct Known(Cache<CanaryRollout>);

impl Known {
    fn find(&self, named: impl Fn(&CanaryRollout) -> bool) -> Vec<Peer> {
        self.0.all().values().filter(|object| named(object)).map(peer).collect()
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

/// The windows that the process knows; none before it has listed them.
struct KnownWindows {
    listed: Arc<AtomicBool>,
    cache: Cache<MaintenanceWindow>,
}

impl Windows for KnownWindows {
    fn of(&self, namespace: &str) -> Option<Vec<WindowFact>> {
        let all = self.cache.all();
        let theirs = all.values().filter(|window| window.namespace().as_deref() == Some(namespace));
        self.listed.load(Ordering::Relaxed).then(|| theirs.map(fact).collect())
    }

    fn quiet(&self) -> Option<Vec<QuietFact>> {
        let all = self.cache.all();
        self.listed.load(Ordering::Relaxed).then(|| all.values().filter_map(quiet).collect())
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

/// A process, and what its watches told it.
struct Process {
    world: Arc<World>,
    rollouts: Desk<CanaryRollouts>,
    windows: Desk<MaintenanceWindows>,
    /// Whether the windows were listed, and when they are.
    listed: Arc<AtomicBool>,
    lists_at: Instant,
}

/// The looks that are under way, by kind and object.
pub type Looks = BTreeMap<(&'static str, String), Pin<Box<dyn Future<Output = Duration>>>>;

/// The next look that ends. Of those that could go on at the same time, the first by its object does
/// first: a run is to be the same again.
async fn ended(looks: &mut Looks) -> ((&'static str, String), Duration) {
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
        let metrics = process.rollouts.driver.context().metrics.clone();
        tokio::select! {
            biased;
            () = world.death() => {}
            () = process.work() => {}
            () = sleep_until(end) => {
                world.lock().metrics = Some(metrics);
                return;
            }
        }
        drop(process);
        let mut downtime = world.away().max(DOWNTIME);
        while !downtime.is_zero() {
            sleep(downtime).await;
            downtime = world.away();
        }
    }
}

impl Process {
    fn start(world: &Arc<World>) -> Self {
        let (lease, leadership) = Leadership::held();
        let clock = world.clock.clone();
        let (rollouts, windows) = (Cache::default(), Cache::default());
        let listed = Arc::new(AtomicBool::new(false));
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
        let known = KnownWindows { listed: Arc::clone(&listed), cache: Cache::clone(&windows) };
        let context = Arc::new(Context {
            post: Post::new(
                Arc::new(Notices::of(world)),
                guards.gate.clone(),
                clock.clone(),
                metrics.clone(),
            ),
            checks: Checks::new(
                Arc::new(Web),
                Arc::new(NoCluster),
                Arc::clone(&hub),
                clock.clone(),
            ),
            clock,
            settings: settings.expect("settings"),
            accounts: Accounts::new(Arc::new(Aws::of(world)), guards),
            hub,
            kubernetes: Arc::new(Kubernetes(Arc::clone(world))),
            namespaces: Arc::new(Anywhere),
            rollouts: Arc::new(Known(Cache::clone(&rollouts))),
            windows: Arc::new(known),
            sweeps: Sweeps::default(),
            tasks: groundcrew::tasks::Desk {
                documents: AllowedDocuments::parse([DOCUMENT]).expect("a document"),
                ..groundcrew::tasks::Desk::default()
            },
            metrics,
        });
        world.lock().lead(lease);
        let mut process = Self {
            world: Arc::clone(world),
            rollouts: Desk::new(Arc::clone(&context), rollouts),
            windows: Desk::new(context, windows),
            listed,
            lists_at: Instant::now() + WINDOWS_LATER,
        };
        let objects = world.lock().kubernetes.rollouts.list();
        for object in objects {
            process.learn(Watched::Applied(Box::new(object)));
        }
        process
    }

    /// Looks at objects when they change as far as that counts, and when they are due.
    async fn work(&mut self) {
        let mut looks = Looks::new();
        loop {
            self.follow();
            self.rollouts.look(&mut looks, |key, object| {
                self.world.lock().process_sees(object);
                key.to_owned()
            });
            self.windows.look(&mut looks, |key, _| format!("window {key}"));
            let pause = self.pause();
            tokio::select! {
                biased;
                ((kind, key), wait) = ended(&mut looks) => {
                    let again = Instant::now() + wait;
                    if kind == MaintenanceWindows::NAMES.kind {
                        self.windows.looked(key, again);
                    } else {
                        self.rollouts.looked(key, again);
                    }
                }
                () = pause => {}
            }
        }
    }

    /// Waits for whatever comes next beside the end of a look.
    fn pause(&self) -> impl Future<Output = ()> + use<> {
        let mut changes = self.world.changes();
        let told = {
            let state = self.world.lock();
            let windows = match self.listed() {
                true => state.kubernetes.windows.next_watched(),
                false => Some(self.lists_at),
            };
            state.kubernetes.rollouts.next_watched().into_iter().chain(windows).min()
        };
        let next = self.rollouts.next_due().into_iter().chain(self.windows.next_due()).chain(told);
        let next = next.min().unwrap_or_else(|| Instant::now() + super::FOREVER);
        async move {
            tokio::select! {
                _ = changes.changed() => {}
                () = sleep_until(next) => {}
            }
        }
    }

    fn listed(&self) -> bool {
        self.listed.load(Ordering::Relaxed)
    }

    /// Takes in what the watches have told by now.
    fn follow(&mut self) {
        loop {
            let watched = self.world.lock().kubernetes.rollouts.watched();
            let Some(watched) = watched else { break };
            self.learn(watched);
        }
        if !self.listed() {
            if Instant::now() >= self.lists_at {
                let objects = self.world.lock().kubernetes.windows.list();
                self.listed.store(true, Ordering::Relaxed);
                for object in objects {
                    self.learn_window(Watched::Applied(Box::new(object)));
                }
            }
            return;
        }
        loop {
            let watched = self.world.lock().kubernetes.windows.watched();
            let Some(watched) = watched else { return };
            self.learn_window(watched);
        }
    }

    fn learn(&mut self, watched: Watched<CanaryRollout>) {
        match &watched {
            Watched::Applied(object) => self.world.lock().process_is_told(object),
            Watched::Deleted(key) => self.world.lock().process_forgets(key),
        }
        self.rollouts.learn(watched);
    }

    /// Rollouts that obey windows are looked at again when one changes.
    fn learn_window(&mut self, watched: Watched<MaintenanceWindow>) {
        let namespace = match &watched {
            Watched::Applied(object) => object.namespace().unwrap_or_default(),
            Watched::Deleted(key) => key.split('/').next().unwrap_or_default().to_owned(),
        };
        self.world.lock().process_knows_window(&watched);
        self.windows.learn(watched);
        self.rollouts.wake(|rollout| {
            rollout.namespace().as_ref() == Some(&namespace) && awaits_windows(rollout)
        });
    }
}
