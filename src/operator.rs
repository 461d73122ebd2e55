//! The operator as a process: clients, readiness, the lease, and the kinds that run under it.

mod changes;
mod namespaces;
mod readiness;
mod rollouts;
mod windows;

use std::{net::SocketAddr, sync::Arc};

use futures::FutureExt as _;
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Config, runtime::reflector};
use tokio::sync::oneshot;

use self::{
    changes::{Changes, concerned},
    namespaces::NamespaceStore,
    rollouts::KnownRollouts,
    windows::KnownWindows,
};
use crate::{
    aws::{
        accounts::{Accounts, Settings},
        gate::Gate,
        hub::Hub,
        limits::Limits,
        sdk::{InvalidEnvironment, SdkConnector},
        session::Guards,
    },
    canary_rollout::{CanaryRollouts, awaits_windows},
    checks::{
        Checks,
        http::{
            client::{HttpClient, NoClient},
            hosts::AllowedHosts,
        },
    },
    context::{Clock, Context},
    engine::{self, Scope},
    facts::documents::AllowedDocuments,
    health::{self, HealthError, HealthServer, Liveness, Readiness},
    jobs::Jobs,
    kubernetes::{
        client::{ClientError, Clients, Kubernetes},
        leader::{self, Elector, Ended, InvalidLease, Leadership, LeaseSettings, LeaseTimes},
    },
    maintenance_window::MaintenanceWindows,
    metrics::Metrics,
    notify::{
        post::Post,
        send::{Notifier, StatuspageUrl},
    },
    sweeps::Sweeps,
    tasks::{Desk, Intents},
};

/// Name of the Lease that replicas compete for; the chart's Role grants it by this name.
pub const LEASE_NAME: &str = "groundcrew";
/// Exit code after a stop that was asked for.
const EXIT_DONE: u8 = 0;
/// Exit code after the lease was lost: the process ends at once, so that nothing it had started
/// goes on without the lease; Kubernetes starts it again.
const EXIT_LEASE_LOST: u8 = 3;

/// What the operator is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Flags about AWS.
    pub aws: Settings,
    /// Namespaces to watch; empty: all.
    pub watch_namespaces: Vec<String>,
    /// Whether replicas compete for a Lease, and where; none: this process leads alone.
    pub lease_namespace: Option<String>,
    /// Name of this replica, in the Lease and in Events.
    pub identity: String,
    /// Where `/livez`, `/readyz` and `/metrics` are served.
    pub health_address: SocketAddr,
    /// Hosts that HTTP checks may ask although they are not public, or not by https.
    pub http_hosts: AllowedHosts,
    /// Where Statuspage is.
    pub statuspage: StatuspageUrl,
    /// Documents of Systems Manager that tasks may run.
    pub ssm_documents: AllowedDocuments,
    /// The time.
    pub clock: Clock,
}

/// Why the operator does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No usable kubeconfig, and not in a cluster.
    #[error("cannot find out how to reach Kubernetes: set KUBECONFIG, or run in a cluster")]
    Config(#[source] Box<kube::config::InferConfigError>),
    /// The configuration is there and cannot be used.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The custom CA or the proxy cannot be used.
    #[error(transparent)]
    Environment(#[from] InvalidEnvironment),
    /// The client of HTTP checks cannot be set up.
    #[error(transparent)]
    Http(#[from] NoClient),
    /// The lease's settings cannot work.
    #[error(transparent)]
    Lease(#[from] InvalidLease),
    /// The health server does not start.
    #[error(transparent)]
    Health(#[from] HealthError),
}

/// Runs until `stop`, or until the lease is lost.
///
/// # Errors
///
/// [`StartError`] when it cannot start; what goes wrong later is told and tried again.
pub async fn run(
    options: Options,
    stop: impl Future<Output = ()> + Send,
) -> Result<u8, StartError> {
    let config = Config::infer().await.map_err(|source| StartError::Config(Box::new(source)))?;
    let clients = Clients::new(&config)?;
    let connector = Arc::new(SdkConnector::from_environment()?);
    let fetch = Arc::new(HttpClient::new(options.http_hosts.clone())?);
    let metrics = Metrics::new();
    let (liveness, readiness) = (Liveness::new(), Readiness::new(readiness::COMPONENTS));
    let server = HealthServer::bind(options.health_address).await?;
    tracing::info!(address = %server.address(), "serving /livez, /readyz and /metrics");
    let router = health::router(liveness.clone(), readiness.clone(), metrics.clone());
    let (stopped, until_stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve(router, async move {
        let _ = until_stopped.await;
    }));
    let probing = tokio::spawn(readiness::keep(
        clients.calls.clone(),
        Arc::clone(&connector),
        readiness::Places {
            watched: options.watch_namespaces.clone(),
            lease: options.lease_namespace.clone(),
        },
        readiness,
        liveness.supervise("readiness", readiness::BOUND),
    ));

    let lead = |leadership: Leadership| {
        let leads = leadership.clone();
        metrics.leads_when(move || leads.is_leader());
        let guards = Guards {
            limits: Arc::new(Limits::default()),
            gate: Gate::new(leadership),
            clock: options.clock.clone(),
            metrics: metrics.clone(),
        };
        Work::new(&options, &clients, connector, fetch, guards, liveness.clone())
    };
    let code = elect(&options, &clients, &liveness, lead, stop).await?;
    probing.abort();
    drop(stopped);
    if let Ok(Err(error)) = serving.await {
        tracing::warn!(error = %crate::error::chain(&error), "the health server ended");
    }
    Ok(code)
}

/// Competes for the lease, and works while it is held.
async fn elect(
    options: &Options,
    clients: &Clients,
    liveness: &Liveness,
    lead: impl FnOnce(Leadership) -> Work,
    stop: impl Future<Output = ()>,
) -> Result<u8, StartError> {
    let Some(lease_namespace) = &options.lease_namespace else {
        lead(Leadership::always()).run(stop).await;
        return Ok(EXIT_DONE);
    };
    let api: Api<Lease> = Api::namespaced(clients.lease.clone(), lease_namespace);
    let settings = LeaseSettings::new(LEASE_NAME, &options.identity, LeaseTimes::default())?;
    let clock = options.clock.clone();
    let heartbeat = liveness.supervise("lease", leader::TURN_BOUND);
    let elector = Elector::new(api, settings, move || clock.now(), heartbeat);
    let work = lead(elector.leadership());
    tracing::info!(
        namespace = lease_namespace,
        identity = options.identity,
        "waiting for the lease"
    );
    Ok(match elector.run(|_, signal| work.run(signal.given()), stop).await {
        Ended::Lost => {
            tracing::error!("the lease is lost: this process ends at once");
            EXIT_LEASE_LOST
        }
        Ended::WorkFinished | Ended::Stopped => EXIT_DONE,
    })
}

/// What the leader does.
struct Work {
    rollouts: Scope<CanaryRollouts>,
    windows: Scope<MaintenanceWindows>,
    windows_changed: Changes,
    context: Arc<Context>,
    namespaces: Arc<NamespaceStore>,
}

impl Work {
    fn new(
        options: &Options,
        clients: &Clients,
        connector: Arc<SdkConnector>,
        fetch: Arc<HttpClient>,
        guards: Guards,
        liveness: Liveness,
    ) -> Self {
        let (metrics, gate) = (guards.metrics.clone(), guards.gate.clone());
        let namespaces = Arc::new(NamespaceStore::default());
        let known: Arc<NamespaceStore> = Arc::clone(&namespaces);
        let (rollouts, rollout_objects) = reflector::store();
        let (windows, window_objects) = reflector::store();
        let windows_changed = Changes::default();
        let kubernetes = Kubernetes::new(clients.calls.clone(), options.identity.clone());
        let kubernetes = Arc::new(kubernetes);
        let jobs = Arc::clone(&kubernetes) as Arc<dyn Jobs>;
        let hub = Arc::new(Hub::default());
        let notifier = Notifier::new(
            Arc::<HttpClient>::clone(&fetch),
            Arc::<Kubernetes>::clone(&kubernetes),
            options.statuspage.clone(),
            options.clock.clone(),
        );
        let context = Context {
            checks: Checks::new(fetch, Arc::clone(&jobs), Arc::clone(&hub), options.clock.clone()),
            clock: options.clock.clone(),
            settings: options.aws.clone(),
            accounts: Accounts::new(connector, guards),
            hub,
            kubernetes,
            namespaces: known,
            rollouts: Arc::new(KnownRollouts(rollouts)),
            windows: Arc::new(KnownWindows(windows)),
            sweeps: Sweeps::default(),
            post: Post::new(
                Arc::new(notifier),
                gate.clone(),
                options.clock.clone(),
                metrics.clone(),
            ),
            tasks: Desk {
                documents: options.ssm_documents.clone(),
                intents: Intents::default(),
                jobs,
                gate,
            },
            metrics,
        };
        let tell = windows_changed.clone();
        Self {
            rollouts: Scope {
                client: clients.watch.clone(),
                namespaces: options.watch_namespaces.clone(),
                objects: rollout_objects,
                liveness: liveness.clone(),
                changed: Box::new(drop),
            },
            windows: Scope {
                client: clients.watch.clone(),
                namespaces: options.watch_namespaces.clone(),
                objects: window_objects,
                liveness,
                changed: Box::new(move |namespace| tell.tell(namespace)),
            },
            windows_changed,
            context: Arc::new(context),
            namespaces,
        }
    }

    /// Watches Namespaces, and runs the kinds once it knows them; ends their passes on `stop`.
    async fn run(self, stop: impl Future<Output = ()>) {
        let Self { rollouts, windows, windows_changed, context, namespaces } = self;
        let client = rollouts.client.clone();
        let heartbeat = rollouts.liveness.supervise("watch of namespaces", engine::WATCH_BOUND);
        let (tell, told) = oneshot::channel::<()>();
        let kinds = async {
            namespaces.ready().await;
            let until = async move {
                let _ = told.await;
            }
            .shared();
            let known = rollouts.objects.as_reader();
            let moved = concerned(namespaces.changes(), known.clone(), |_| true);
            let gated = windows_changed.stream("MaintenanceWindows");
            let gated = concerned(gated, known, |rollout| {
                rollout.unpack().is_some_and(|rollout| awaits_windows(&rollout))
            });
            let wakes = futures::stream::select(moved, gated);
            let nothing = futures::stream::pending();
            tokio::join!(
                engine::run::<MaintenanceWindows>(
                    windows,
                    Arc::clone(&context),
                    nothing,
                    until.clone()
                ),
                engine::run::<CanaryRollouts>(rollouts, context, wakes, until),
            );
        };
        let stopping = async {
            stop.await;
            drop(tell);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = namespaces.watch(client, heartbeat) => {}
            () = kinds => {}
            () = stopping => {}
        }
    }
}
