//! `groundcrew run`: the operator.

use std::net::SocketAddr;

use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use super::{EXIT_USAGE, fail};
use crate::{
    aws::accounts::{DefaultCredentials, ExternalIdTemplate, Settings},
    checks::http::hosts::AllowedHosts,
    context::Clock,
    facts::documents::AllowedDocuments,
    notify::send::StatuspageUrl,
    operator::{self, Options},
    telemetry::{self, LogFormat},
};

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of this cluster: part of the identity of everything made in AWS; keep it for ever
    #[arg(long, env = "GROUNDCREW_CLUSTER_NAME")]
    cluster_name: String,
    /// AWS region where neither the object nor its Namespace names one [env default: AWS_REGION]
    #[arg(long, env = "GROUNDCREW_AWS_REGION")]
    aws_region: Option<String>,
    /// Namespaces (comma-separated, or *) without a role that may use the operator's own credentials
    #[arg(
        long,
        env = "GROUNDCREW_DEFAULT_CREDENTIALS",
        default_value = "",
        hide_default_value = true
    )]
    default_credentials: DefaultCredentials,
    /// External id with which roles are assumed
    #[arg(long, env = "GROUNDCREW_EXTERNAL_ID_TEMPLATE", default_value_t)]
    external_id_template: ExternalIdTemplate,
    /// Hosts (comma-separated, like *.internal or 10.0.0.5:8080) that HTTP checks and webhooks may
    /// ask although they are not public, or not by https
    #[arg(long, env = "GROUNDCREW_ALLOW_HTTP_HOST", value_delimiter = ',')]
    allow_http_host: Vec<String>,
    /// Address of Statuspage's API [default: https://api.statuspage.io/v1]
    #[arg(long, env = "GROUNDCREW_STATUSPAGE_URL")]
    statuspage_url: Option<String>,
    /// Documents of Systems Manager (comma-separated, like AWS-RunPatchBaseline or Team-*) that tasks
    /// of windows may run
    #[arg(long, env = "GROUNDCREW_ALLOW_SSM_DOCUMENTS", value_delimiter = ',')]
    allow_ssm_documents: Vec<String>,
    /// Lead without a Lease: only where there is no second replica
    #[arg(long, env = "GROUNDCREW_NO_LEADER_ELECTION")]
    no_leader_election: bool,
    /// Namespace of the Lease
    #[arg(long, env = "GROUNDCREW_LEASE_NAMESPACE", default_value = "groundcrew-system")]
    lease_namespace: String,
    /// Namespaces to watch, comma-separated [default: all]
    #[arg(long, env = "GROUNDCREW_WATCH_NAMESPACES", value_delimiter = ',')]
    watch_namespaces: Vec<String>,
    /// Name of this replica in the Lease and in Events [default: the host's name and the process id]
    #[arg(long, env = "GROUNDCREW_IDENTITY")]
    identity: Option<String>,
    /// Where /livez, /readyz and /metrics are served
    #[arg(long, env = "GROUNDCREW_HEALTH_ADDRESS", default_value = "0.0.0.0:8080")]
    health_address: SocketAddr,
    /// How logs look
    #[arg(long, env = "GROUNDCREW_LOG_FORMAT", value_enum, default_value_t)]
    log_format: LogFormat,
    /// What is logged, in the syntax of RUST_LOG
    #[arg(long, env = "GROUNDCREW_LOG", default_value = "", hide_default_value = true)]
    log: String,
    /// Demos and tests: decisions see a clock this many times as fast (1 to 60)
    #[arg(long, hide = true, requires = "clock_epoch")]
    clock_scale: Option<u32>,
    /// Demos and tests: when the fast clock and the system's showed the same time
    #[arg(long, hide = true, requires = "clock_scale")]
    clock_epoch: Option<Timestamp>,
}

pub(super) async fn execute(args: Args) -> u8 {
    if let Err(error) = telemetry::init(args.log_format, &args.log) {
        return fail(&error, EXIT_USAGE);
    }
    let options = match options(args) {
        Ok(options) => options,
        Err(error) => return fail(&*error, EXIT_USAGE),
    };
    let stop = match stop() {
        Ok(stop) => stop,
        Err(error) => return fail(&error, 1),
    };
    match operator::run(options, stop).await {
        Ok(code) => code,
        Err(error) => fail(&error, 1),
    }
}

fn options(args: Args) -> Result<Options, Box<dyn std::error::Error>> {
    let environment = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    let region = args
        .aws_region
        .or_else(|| environment("AWS_REGION"))
        .or_else(|| environment("AWS_DEFAULT_REGION"));
    let aws = Settings::new(
        args.cluster_name,
        region,
        args.default_credentials,
        args.external_id_template,
    )?;
    let clock = match (args.clock_scale, args.clock_epoch) {
        (Some(scale), Some(epoch)) => Clock::scaled(epoch, scale)?,
        (None, _) | (_, None) => Clock::System,
    };
    let http_hosts = AllowedHosts::parse(args.allow_http_host.iter().map(String::as_str))?;
    let statuspage = match &args.statuspage_url {
        Some(url) => StatuspageUrl::parse(url, &http_hosts)?,
        None => StatuspageUrl::default(),
    };
    let host = || environment("HOSTNAME").unwrap_or_else(|| "groundcrew".to_owned());
    Ok(Options {
        aws,
        watch_namespaces: args.watch_namespaces.into_iter().filter(|n| !n.is_empty()).collect(),
        lease_namespace: (!args.no_leader_election).then_some(args.lease_namespace),
        identity: args.identity.unwrap_or_else(|| format!("{}-{}", host(), std::process::id())),
        health_address: args.health_address,
        http_hosts,
        statuspage,
        ssm_documents: AllowedDocuments::parse(
            args.allow_ssm_documents.iter().map(String::as_str),
        )?,
        clock,
    })
}

/// Completes when the process is asked to stop.
fn stop() -> std::io::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("asked to stop: finishing the passes that run");
    })
}
