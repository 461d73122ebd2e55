//! What ECS says about services.

/// A service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// ECS's word: `ACTIVE` when it can be deployed.
    pub status: String,
    /// Its deployments: the one that is wanted, and what is left of others.
    pub deployments: Vec<Deployment>,
}

/// A deployment of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployment {
    /// Its id: `ecs-svc/1234567890123456789`.
    pub id: String,
    /// Whether it is the one that is wanted (`PRIMARY`).
    pub primary: bool,
    /// How far it is; none where ECS does not tell: behind a Classic Load Balancer.
    pub rollout: Option<Rollout>,
    /// Why, in ECS's words.
    pub reason: String,
    /// Tasks that are wanted.
    pub desired: i32,
    /// Tasks that run.
    pub running: i32,
}

/// How far a deployment is.
///
/// Source: ECS API reference, Deployment.rolloutState.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rollout {
    /// The service is steady.
    Completed,
    /// It could not become steady, and a circuit breaker ended it.
    Failed,
    /// It is under way.
    InProgress,
}

impl Service {
    /// The deployment that is wanted.
    #[must_use]
    pub fn primary(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|deployment| deployment.primary)
    }
}
