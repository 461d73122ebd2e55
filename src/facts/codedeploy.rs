//! What CodeDeploy says about its deployments.

use jiff::Timestamp;

/// Which deployments are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Created, Queued, InProgress, Baking or Ready: it moves the alias, or soon will.
    UnderWay,
    /// Succeeded, Failed or Stopped.
    Ended,
}

/// One page of ListDeployments. CodeDeploy promises no order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeploymentPage {
    /// Ids of deployments.
    pub ids: Vec<String>,
    /// Whether there are more pages.
    pub more: bool,
}

/// One deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Its id: `d-A1B2C3123`.
    pub id: String,
    /// The application that it belongs to.
    pub application: String,
    /// The deployment group; none when CodeDeploy told none.
    pub group: Option<String>,
    /// Whether it deploys to Lambda, and not to servers or ECS.
    pub lambda: bool,
    /// Where it stands. A status that is not known counts as under way.
    pub stage: Stage,
    /// When it was made.
    pub created: Timestamp,
    /// Where its AppSpec is.
    pub revision: Revision,
}

/// Where the AppSpec of a deployment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revision {
    /// Told with the deployment.
    Text(String),
    /// Kept by CodeDeploy: asked for with the application's name.
    Kept(KeptRevision),
    /// In S3 or on GitHub: not for us to read.
    Elsewhere,
}

/// An AppSpec that CodeDeploy keeps.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeptRevision {
    /// How it was handed over.
    pub form: RevisionForm,
    /// The SHA-256 of its text, in hex.
    pub sha256: String,
}

/// How an AppSpec was handed over, which is a part of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RevisionForm {
    /// `String`.
    String,
    /// `AppSpecContent`.
    AppSpecContent,
}

/// A deployment to an alias of a Lambda function, as its AppSpec says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasDeployment {
    /// Name of the function.
    pub function: String,
    /// Name of the alias.
    pub alias: String,
    /// Id of the deployment.
    pub id: String,
    /// Its application.
    pub application: String,
    /// Its deployment group, where CodeDeploy told one.
    pub group: Option<String>,
    /// Where it stands.
    pub stage: Stage,
    /// When it was made.
    pub created: Timestamp,
}
