//! The function of an account as its owner sets it up and changes it.

use aws_sdk_applicationautoscaling::types::{ScalableDimension, ServiceNamespace};
use aws_sdk_lambda::types::{FunctionCode, PackageType, SnapStart, SnapStartApplyOn};
use serde_json::{Value, json};

use super::{ALIAS, Account, FUNCTION, zip};
use crate::harness::REGION;

/// The repository of the function's images.
const REPOSITORY: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/processor";

impl Account {
    /// An image that is there, by its digest.
    pub async fn image(&self, letter: char) -> String {
        let digest = letter.to_string().repeat(64);
        let uri = format!("{REPOSITORY}:{letter}");
        let body = json!({"uri": uri, "digest": digest});
        self.stand_in.control("POST", "lambda/image", Some(body)).await;
        format!("{REPOSITORY}@sha256:{digest}")
    }

    /// The function of an image, published once, and the alias at that version.
    pub async fn released_image(&self, uri: &str) {
        let create = self.lambda.create_function().function_name(FUNCTION);
        create
            .role(format!("arn:aws:iam::{}:role/function", self.number))
            .package_type(PackageType::Image)
            .code(FunctionCode::builder().image_uri(uri).build())
            .send()
            .await
            .unwrap();
        self.lambda.publish_version().function_name(FUNCTION).send().await.unwrap();
        self.make_alias("1").await;
    }

    /// Makes the alias.
    pub async fn make_alias(&self, version: &str) {
        let create = self.lambda.create_alias().function_name(FUNCTION).name(ALIAS);
        create.function_version(version).send().await.unwrap();
    }

    /// Somebody gives a version an alias of its own.
    pub async fn name_version(&self, version: &str) {
        let create = self.lambda.create_alias().function_name(FUNCTION).name("pinned");
        create.function_version(version).send().await.unwrap();
    }

    /// The versions that are there.
    pub async fn versions(&self) -> Vec<String> {
        let list = self.lambda.list_versions_by_function().function_name(FUNCTION).send().await;
        let versions = list.unwrap().versions.unwrap_or_default();
        versions.into_iter().filter_map(|version| version.version).collect()
    }

    /// Somebody uploads other code.
    pub async fn upload(&self, text: &str) {
        let update = self.lambda.update_function_code().function_name(FUNCTION);
        update.zip_file(zip(text)).send().await.unwrap();
    }

    /// Puts an archive into a bucket, which it makes.
    pub async fn put_archive(&self, bucket: &str, key: &str, text: &str) {
        let content = zip(text).into_inner();
        self.stand_in.put_object(&self.access_key, bucket, None).await;
        self.stand_in.put_object(&self.access_key, bucket, Some((key, content))).await;
    }

    /// Puts an archive into a bucket, and returns the CodeSha256 that Lambda gives to it.
    pub async fn archive(&self, bucket: &str, key: &str, text: &str) -> String {
        self.put_archive(bucket, key, text).await;
        let elsewhere = self.lambda.create_function().function_name("elsewhere");
        let made = elsewhere
            .role(format!("arn:aws:iam::{}:role/function", self.number))
            .runtime(aws_sdk_lambda::types::Runtime::Python313)
            .handler("app.run")
            .code(FunctionCode::builder().zip_file(zip(text)).build())
            .send()
            .await
            .unwrap();
        made.code_sha256.unwrap()
    }

    /// Memory of a version.
    pub async fn memory(&self, version: &str) -> i32 {
        let get = self.lambda.get_function().function_name(FUNCTION).qualifier(version);
        get.send().await.unwrap().configuration.unwrap().memory_size.unwrap()
    }

    /// From now on versions of the function get a snapshot.
    pub async fn snap_start(&self) {
        let settings = SnapStart::builder().apply_on(SnapStartApplyOn::PublishedVersions).build();
        let update = self.lambda.update_function_configuration().function_name(FUNCTION);
        update.snap_start(settings).send().await.unwrap();
    }

    /// Gives the alias provisioned concurrency, and waits until it is there.
    pub async fn provision(&self) {
        let put = self.lambda.put_provisioned_concurrency_config().function_name(FUNCTION);
        put.qualifier(ALIAS).provisioned_concurrent_executions(10).send().await.unwrap();
    }

    /// Application Auto Scaling scales the provisioned concurrency of the alias from now on.
    pub async fn scale(&self, least: i32, most: i32) {
        let register = self.auto_scaling.register_scalable_target();
        register
            .service_namespace(ServiceNamespace::Lambda)
            .scalable_dimension(ScalableDimension::LambdaFunctionProvisionedConcurrency)
            .resource_id(format!("function:{FUNCTION}:{ALIAS}"))
            .min_capacity(least)
            .max_capacity(most)
            .send()
            .await
            .unwrap();
    }

    /// Makes something of the function last, end or fail; see the stand-in's page.
    pub async fn state(&self, kind: &str, action: &str, more: Value) {
        let mut body = json!({
            "account": self.number, "region": REGION, "function": FUNCTION,
            "version": "*", "kind": kind, "action": action,
        });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.stand_in.control("POST", "state", Some(body)).await;
    }

    /// What invocations of a version return.
    pub async fn answers(&self, version: &str, status: u16) {
        let body = json!({
            "account": self.number, "region": REGION, "function": FUNCTION,
            "qualifier": version,
            "answers": [{"payload": {"statusCode": status, "body": "hunter2"}}],
        });
        self.stand_in.control("POST", "lambda/invoke-script", Some(body)).await;
    }
}
