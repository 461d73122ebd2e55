//! The ports to AWS.

use std::sync::Arc;

use async_trait::async_trait;
use groundcrew::{
    aws::{
        self,
        accounts::{Connector, Ports, Target},
        operations::Operation,
        port, resource,
    },
    facts::{
        lambda::{
            Alias, AliasChange, Changed, CodeChange, ConfigurationChange, FunctionVersion,
            Invocation, NamedPage, Provisioned, Publication, VersionPage,
        },
        surplus::Surplus,
    },
};

use super::{
    super::{
        State, World, acting,
        functions::{LATEST, MISSING, Refusal, known},
        sights::Sight,
    },
    ACCOUNT,
    refusals::{error, refusal},
};
use crate::{
    faults::{Fault, Sort},
    history::Event,
};

/// The ports of the world, as one process has them.
pub struct Aws {
    world: Arc<World>,
    /// The process that calls: once it has died, nothing comes from it any more.
    process: u64,
}

impl Aws {
    /// The ports of the process that runs.
    pub fn of(world: &Arc<World>) -> Self {
        let process = world.lock().process;
        Self { world: Arc::clone(world), process }
    }

    /// Makes one call.
    pub(in super::super) async fn call<T: Send + 'static>(
        &self,
        sort: Sort,
        what: String,
        apply: impl FnOnce(&mut State) -> Result<T, aws::Error> + Send + 'static,
        refuse: impl Fn(&Fault) -> aws::Error + Send + Sync,
    ) -> Result<T, aws::Error> {
        if self.world.lock().process != self.process {
            return std::future::pending().await;
        }
        self.world.call(sort, what, apply, refuse).await
    }
}

#[async_trait]
impl Connector for Aws {
    async fn connect(&self, _target: &Target) -> Result<Ports, aws::Error> {
        let service = Arc::new(Self { world: Arc::clone(&self.world), process: self.process });
        Ok(Ports {
            alarms: Arc::<Self>::clone(&service),
            lambda: Arc::<Self>::clone(&service),
            auto_scaling: Arc::<Self>::clone(&service),
            codedeploy: Arc::<Self>::clone(&service),
            dynamodb: Arc::<Self>::clone(&service),
            ecs: Arc::<Self>::clone(&service),
            rds: Arc::<Self>::clone(&service),
            sns: Arc::<Self>::clone(&service),
            ssm: Arc::<Self>::clone(&service),
            cloudwatch: Arc::<Self>::clone(&service),
            sts: service,
        })
    }
}

#[async_trait]
impl port::Sts for Aws {
    async fn get_caller_account(&self) -> Result<String, aws::Error> {
        let operation = Operation::StsGetCallerIdentity;
        self.call(
            Sort::AwsRead,
            "GetCallerIdentity".into(),
            |_| Ok(ACCOUNT.to_owned()),
            move |fault| refusal(operation, "the operator's own credentials", fault),
        )
        .await
    }
}

#[async_trait]
impl port::Lambda for Aws {
    async fn get_alias(&self, function: &str, alias: &str) -> Result<Alias, aws::Error> {
        let (operation, about) = (Operation::LambdaGetAlias, resource::alias(function, alias));
        let (missing, function) = (about.clone(), function.to_owned());
        let named = alias.to_owned();
        self.call(
            Sort::AwsRead,
            format!("GetAlias {alias}"),
            move |state| {
                let answer = state.lambda.answered(&function, &named);
                let alias = named.clone();
                state.happened(&Event::AliasRead { alias, answer: answer.clone() });
                let (class, code) = MISSING;
                answer.ok_or_else(|| error(operation, &missing, class, code))
            },
            move |fault| refusal(operation, &about, fault),
        )
        .await
    }

    async fn create_alias(
        &self,
        function: &str,
        alias: &str,
        version: &str,
        description: &str,
    ) -> Result<Alias, aws::Error> {
        let operation = Operation::LambdaCreateAlias;
        let about = resource::alias(function, alias);
        let (refused, function) = (about.clone(), function.to_owned());
        let named = alias.to_owned();
        let made = Alias {
            version: version.to_owned(),
            weights: Vec::new(),
            revision_id: String::new(),
            description: description.to_owned(),
        };
        let by = acting().unwrap_or_default();
        self.call(
            Sort::AwsWrite,
            format!("CreateAlias {alias}"),
            move |state| {
                let made = state.create_alias((&function, &named), made, &by);
                made.map_err(|(class, code)| error(operation, &refused, class, code))
            },
            move |fault| refusal(operation, &about, fault),
        )
        .await
    }

    async fn update_alias(&self, change: &AliasChange) -> Result<Alias, aws::Error> {
        let about = resource::alias(&change.function, &change.alias);
        let (applied, by) = (change.clone(), acting().unwrap_or_default());
        self.call(
            Sort::AwsWrite,
            format!("UpdateAlias {}", change.alias),
            move |state| state.update_alias(&applied, &by),
            move |fault| refusal(Operation::LambdaUpdateAlias, &about, fault),
        )
        .await
    }

    async fn get_function(
        &self,
        function: &str,
        qualifier: Option<&str>,
    ) -> Result<FunctionVersion, aws::Error> {
        let operation = Operation::LambdaGetFunction;
        let about = resource::function(function, qualifier);
        let (missing, function) = (about.clone(), function.to_owned());
        let version = qualifier.unwrap_or(LATEST).to_owned();
        let asked = qualifier.map(str::to_owned);
        self.call(
            Sort::AwsRead,
            format!("GetFunction {version}"),
            move |state| {
                let get = |()| state.lambda.functions.get(asked.as_deref());
                let found = known(&function).and_then(get);
                found.map_err(|(class, code)| error(operation, &missing, class, code))
            },
            move |fault| refusal(operation, &about, fault),
        )
        .await
    }

    async fn update_function_code(&self, change: &CodeChange) -> Result<Changed, aws::Error> {
        let applied = change.clone();
        let operation = Operation::LambdaUpdateFunctionCode;
        let about = resource::function(&change.function, None);
        self.change(operation, "UpdateFunctionCode", about, move |state| {
            state.lambda.functions.update_code(&applied)
        })
        .await
    }

    async fn update_function_configuration(
        &self,
        change: &ConfigurationChange,
    ) -> Result<Changed, aws::Error> {
        let applied = change.clone();
        let operation = Operation::LambdaUpdateFunctionConfiguration;
        let about = resource::function(&change.function, None);
        self.change(operation, "UpdateFunctionConfiguration", about, move |state| {
            state.lambda.functions.update_settings(&applied)
        })
        .await
    }

    async fn publish_version(&self, publication: &Publication) -> Result<Changed, aws::Error> {
        let (applied, by) = (publication.clone(), acting().unwrap_or_default());
        let about = resource::function(&publication.function, None);
        self.change(Operation::LambdaPublishVersion, "PublishVersion", about, move |state| {
            let before = state.lambda.functions.count();
            let answer = state.lambda.functions.publish(&applied);
            if state.lambda.functions.count() > before {
                state.happened(&Event::Published {
                    publication: applied.clone(),
                    object: state.object(&by).cloned().map(Box::new),
                    leads: state.leads(),
                });
            }
            answer
        })
        .await
    }

    async fn get_provisioned_concurrency(
        &self,
        function: &str,
        alias: &str,
    ) -> Result<Provisioned, aws::Error> {
        let operation = Operation::LambdaGetProvisionedConcurrencyConfig;
        let about = resource::alias(function, alias);
        let (missing, function) = (about.clone(), function.to_owned());
        let named = alias.to_owned();
        self.call(
            Sort::AwsRead,
            format!("GetProvisionedConcurrencyConfig {alias}"),
            move |state| {
                let found = state.lambda.provisioned(&function, &named);
                found.map_err(|(class, code)| error(operation, &missing, class, code))
            },
            move |fault| refusal(operation, &about, fault),
        )
        .await
    }

    async fn invoke(
        &self,
        function: &str,
        version: &str,
        _payload: &str,
        _patience: std::time::Duration,
    ) -> Result<Invocation, aws::Error> {
        let (invoked, named) = (version.to_owned(), function.to_owned());
        let about = resource::function(function, Some(version));
        self.change(Operation::LambdaInvoke, &format!("Invoke {version}"), about, move |state| {
            known(&named).and_then(|()| state.lambda.functions.invoke(&invoked))
        })
        .await
    }

    async fn list_versions(
        &self,
        function: &str,
        _next: Option<&str>,
    ) -> Result<VersionPage, aws::Error> {
        let operation = Operation::LambdaListVersionsByFunction;
        self.list(operation, "ListVersionsByFunction", function, |state| VersionPage {
            versions: state.lambda.functions.listed(),
            next: None,
        })
        .await
    }

    async fn list_named(
        &self,
        function: &str,
        _next: Option<&str>,
    ) -> Result<NamedPage, aws::Error> {
        self.list(Operation::LambdaListAliases, "ListAliases", function, |state| {
            state.lambda.settle();
            NamedPage { versions: state.lambda.named(), next: None }
        })
        .await
    }

    async fn delete_version(&self, surplus: &Surplus) -> Result<(), aws::Error> {
        let (version, deleted) = (surplus.version(), surplus.clone());
        let by = acting().unwrap_or_default();
        let about = resource::function(surplus.function(), Some(&version.to_string()));
        let what = format!("Delete {version}");
        self.change(Operation::LambdaDeleteFunction, &what, about, move |state| {
            let description = state.lambda.delete(&deleted)?;
            state.saw(Sight::Pruned);
            let (leads, users) = (state.leads(), state.users_of(&version.to_string()));
            state.happened(&Event::VersionDeleted { by, version, description, users, leads });
            Ok(())
        })
        .await
    }
}

impl Aws {
    /// A list of what the function has.
    async fn list<T: Send + 'static>(
        &self,
        operation: Operation,
        what: &str,
        function: &str,
        apply: impl FnOnce(&mut State) -> T + Send + 'static,
    ) -> Result<T, aws::Error> {
        let (about, function) = (resource::function(function, None), function.to_owned());
        let missing = about.clone();
        self.call(
            Sort::AwsRead,
            what.to_owned(),
            move |state| {
                let found = known(&function).map(|()| apply(state));
                found.map_err(|(class, code)| error(operation, &missing, class, code))
            },
            move |fault| refusal(operation, &about, fault),
        )
        .await
    }

    /// A write to the function.
    async fn change<T: Send + 'static>(
        &self,
        operation: Operation,
        what: &str,
        about: String,
        apply: impl FnOnce(&mut State) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, aws::Error> {
        let refused = about.clone();
        self.call(
            Sort::AwsWrite,
            what.to_owned(),
            move |state| {
                apply(state).map_err(|(class, code)| error(operation, &refused, class, code))
            },
            move |fault| refusal(operation, &about, fault),
        )
        .await
    }
}
