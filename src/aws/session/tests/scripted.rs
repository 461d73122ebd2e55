//! A Lambda that does what a script says, whatever it is asked.

use super::*;
use crate::facts::{
    lambda::{
        Changed, CodeChange, ConfigurationChange, FunctionVersion, Invocation, NamedPage,
        Provisioned, Publication, VersionPage,
    },
    surplus::Surplus,
};

#[async_trait]
impl port::Lambda for Scripted {
    async fn get_alias(&self, _: &str, _: &str) -> Result<Alias, Error> {
        self.answer(Operation::LambdaGetAlias).await
    }
    async fn create_alias(&self, _: &str, _: &str, _: &str, _: &str) -> Result<Alias, Error> {
        self.answer(Operation::LambdaCreateAlias).await
    }
    async fn update_alias(&self, _: &AliasChange) -> Result<Alias, Error> {
        self.answer(Operation::LambdaUpdateAlias).await
    }
    async fn get_function(&self, _: &str, _: Option<&str>) -> Result<FunctionVersion, Error> {
        self.answer(Operation::LambdaGetFunction).await?;
        Err(ours(Operation::LambdaGetFunction, "scripted", Class::NotFound, String::new()))
    }
    async fn update_function_code(&self, _: &CodeChange) -> Result<Changed, Error> {
        self.answer(Operation::LambdaUpdateFunctionCode).await?;
        Err(ours(Operation::LambdaUpdateFunctionCode, "scripted", Class::NotFound, String::new()))
    }
    async fn update_function_configuration(
        &self,
        _: &ConfigurationChange,
    ) -> Result<Changed, Error> {
        self.answer(Operation::LambdaUpdateFunctionConfiguration).await?;
        Err(ours(
            Operation::LambdaUpdateFunctionConfiguration,
            "scripted",
            Class::NotFound,
            String::new(),
        ))
    }
    async fn publish_version(&self, _: &Publication) -> Result<Changed, Error> {
        self.answer(Operation::LambdaPublishVersion).await?;
        Err(ours(Operation::LambdaPublishVersion, "scripted", Class::NotFound, String::new()))
    }
    async fn get_provisioned_concurrency(&self, _: &str, _: &str) -> Result<Provisioned, Error> {
        self.answer(Operation::LambdaGetProvisionedConcurrencyConfig).await?;
        Err(ours(
            Operation::LambdaGetProvisionedConcurrencyConfig,
            "scripted",
            Class::NotFound,
            String::new(),
        ))
    }
    async fn invoke(&self, _: &str, _: &str, _: &str, _: Duration) -> Result<Invocation, Error> {
        self.answer(Operation::LambdaInvoke).await?;
        Err(ours(Operation::LambdaInvoke, "scripted", Class::NotFound, String::new()))
    }
    async fn list_versions(&self, _: &str, _: Option<&str>) -> Result<VersionPage, Error> {
        self.answer(Operation::LambdaListVersionsByFunction).await?;
        Err(ours(
            Operation::LambdaListVersionsByFunction,
            "scripted",
            Class::NotFound,
            String::new(),
        ))
    }
    async fn list_named(&self, _: &str, _: Option<&str>) -> Result<NamedPage, Error> {
        self.answer(Operation::LambdaListAliases).await?;
        Err(ours(Operation::LambdaListAliases, "scripted", Class::NotFound, String::new()))
    }
    async fn delete_version(&self, _: &Surplus) -> Result<(), Error> {
        self.answer(Operation::LambdaDeleteFunction).await?;
        Err(ours(Operation::LambdaDeleteFunction, "scripted", Class::NotFound, String::new()))
    }
}
