use super::*;
use crate::facts::codedeploy::{
    AliasDeployment, Deployment, DeploymentPage, KeptRevision, Revision, RevisionForm, Stage,
};

/// A CodeDeploy with these deployments. The AppSpec of each application names function `f` and its
/// own name as the alias.
#[derive(Default)]
struct Deployed {
    all: Mutex<Vec<Deployment>>,
    refusal: Mutex<Option<Class>>,
    /// Applications that are gone.
    gone: &'static str,
    /// How much longer than usual a call takes.
    delay: Duration,
    calls: Mutex<Vec<String>>,
}

impl Deployed {
    async fn call(&self, operation: Operation, words: String) -> Result<(), Error> {
        self.calls.lock().unwrap().push(words);
        sleep(CALL + self.delay).await;
        let refusal = *self.refusal.lock().unwrap();
        refusal.map_or(Ok(()), |class| Err(super::refusal(operation, class)))
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    fn set(&self, all: Vec<Deployment>) {
        *self.all.lock().unwrap() = all;
    }

    fn refuse(&self, class: Option<Class>) {
        *self.refusal.lock().unwrap() = class;
    }
}

#[async_trait]
impl port::CodeDeploy for Deployed {
    async fn list_deployments(
        &self,
        stage: Stage,
        since: Timestamp,
    ) -> Result<DeploymentPage, Error> {
        self.call(Operation::CodeDeployListDeployments, format!("{stage:?} since {since}")).await?;
        let all = self.all.lock().unwrap();
        let listed = all.iter().filter(|one| one.stage == stage && one.created >= since);
        Ok(DeploymentPage { ids: listed.map(|one| one.id.clone()).collect(), more: false })
    }

    async fn batch_get_deployments(&self, ids: &[String]) -> Result<Vec<Deployment>, Error> {
        self.call(Operation::CodeDeployBatchGetDeployments, format!("{} ids", ids.len())).await?;
        let all = self.all.lock().unwrap();
        Ok(all.iter().filter(|one| ids.contains(&one.id)).cloned().collect())
    }

    async fn get_application_revision(
        &self,
        application: &str,
        revision: &KeptRevision,
    ) -> Result<Option<String>, Error> {
        let operation = Operation::CodeDeployGetApplicationRevision;
        self.call(operation, format!("{application} {}", revision.sha256)).await?;
        if application == self.gone {
            return Err(super::refusal(operation, Class::Invalid));
        }
        Ok(Some(format!(
            "Resources: [{{f: {{Type: 'AWS::Lambda::Function', Properties: {{Name: f, Alias: {application}}}}}}}]"
        )))
    }
}

/// A deployment of an application that was made in this hour.
fn deployment(application: &str, hour: i64, stage: Stage) -> Deployment {
    let kept = KeptRevision { form: RevisionForm::AppSpecContent, sha256: "sha".to_owned() };
    Deployment {
        id: format!("d-{application}-{hour}"),
        application: application.to_owned(),
        group: Some("group".to_owned()),
        lambda: true,
        stage,
        created: NOW + SignedDuration::from_hours(hour),
        revision: Revision::Kept(kept),
    }
}

const NOW: Timestamp = Timestamp::constant(1_796_000_000, 0);

fn deployed(deployed: Deployed) -> (Arc<Deployed>, Arc<Session>) {
    let deployed = Arc::new(deployed);
    let codedeploy: Arc<dyn port::CodeDeploy> = Arc::<Deployed>::clone(&deployed);
    (deployed, session_of(Arc::default(), codedeploy))
}

async fn look(hub: &Hub, session: &Arc<Session>, alias: &str, second: i64) -> Vec<String> {
    let found = looked(hub, session, alias, second).await.unwrap();
    found.into_iter().map(|one| one.id).collect()
}

async fn looked(
    hub: &Hub,
    session: &Arc<Session>,
    alias: &str,
    second: i64,
) -> Result<Vec<AliasDeployment>, Error> {
    hub.deployments(session, ("f", alias), NOW + SignedDuration::from_secs(second)).await
}

#[tokio::test(start_paused = true)]
async fn two_hundred_starts_make_one_reading_of_two_calls() {
    let hub = Hub::default();
    let (deployed, session) = deployed(Deployed::default());
    let aliases: Vec<String> = (0..200).map(|number| format!("alias-{number}")).collect();
    let looks = aliases.iter().map(|alias| look(&hub, &session, alias, 0));
    assert!(join_all(looks).await.iter().all(Vec::is_empty));
    // Thirty days back, at the begin of that day.
    let listed = ["UnderWay since 2026-10-31T00:00:00Z", "Ended since 2026-10-31T00:00:00Z"];
    assert_eq!(NOW.to_string(), "2026-11-30T00:53:20Z");
    assert_eq!(deployed.calls(), listed);

    deployed.set(vec![deployment("live", -1, Stage::UnderWay)]);
    assert_eq!(look(&hub, &session, "live", 599).await, [] as [&str; 0]);
    assert_eq!(deployed.calls(), [] as [&str; 0]);
    assert_eq!(look(&hub, &session, "live", 600).await, ["d-live--1"]);
    assert_eq!(deployed.calls().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn whom_a_deployment_holds_up_sees_its_end_within_a_minute() {
    let hub = Hub::default();
    let (deployed, session) = deployed(Deployed::default());
    deployed.set(vec![deployment("live", -1, Stage::UnderWay)]);
    assert_eq!(look(&hub, &session, "live", 0).await, ["d-live--1"]);
    deployed.set(vec![deployment("live", -1, Stage::Ended)]);
    deployed.calls();
    let stages = async |second| {
        let found = looked(&hub, &session, "live", second).await.unwrap();
        found.into_iter().map(|one| one.stage).collect::<Vec<_>>()
    };
    assert_eq!(stages(54).await, [Stage::UnderWay]);
    // It is none of the others' business.
    assert_eq!(look(&hub, &session, "other", 60).await, [] as [&str; 0]);
    assert_eq!(deployed.calls(), [] as [&str; 0]);
    assert_eq!(stages(60).await, [Stage::Ended]);
    assert_eq!(deployed.calls().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_and_the_newest_of_each_group_is_read() {
    let hub = Hub::default();
    let (deployed, session) = deployed(Deployed { gone: "gone", ..Deployed::default() });
    let mut all: Vec<Deployment> =
        (0..60).map(|hour| deployment("old", -hour - 2, Stage::Ended)).collect();
    all.push(deployment("live", -5, Stage::UnderWay));
    all.push(deployment("live", -3, Stage::Ended));
    all.push(deployment("gone", -4, Stage::Ended));
    all.push(Deployment { lambda: false, ..deployment("servers", -1, Stage::UnderWay) });
    let elsewhere = deployment("elsewhere", -1, Stage::UnderWay);
    all.push(Deployment { revision: Revision::Elsewhere, ..elsewhere });
    deployed.set(all);
    assert_eq!(look(&hub, &session, "old", 0).await, ["d-old--2"]);
    let calls = deployed.calls();
    // What is under way comes first, and of its group no other is read.
    assert_eq!(calls[2..5], ["25 ids", "25 ids", "15 ids"]);
    assert_eq!(calls[5..], ["live sha", "old sha", "gone sha"]);
    assert_eq!(look(&hub, &session, "live", 1).await, ["d-live--5"]);
    for alias in ["gone", "servers", "elsewhere"] {
        assert_eq!(look(&hub, &session, alias, 1).await, [] as [&str; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_appspecs_are_read_than_said() {
    let hub = Hub::default();
    let (deployed, session) = deployed(Deployed::default());
    let of = |number: i64| deployment(&format!("a{number}"), -number, Stage::Ended);
    deployed.set((1..=80).map(of).collect());
    looked(&hub, &session, "a1", 0).await.unwrap();
    let revisions = deployed.calls().iter().filter(|call| call.ends_with(" sha")).count();
    assert_eq!(revisions, 50);
    assert_eq!(look(&hub, &session, "a50", 0).await, ["d-a50--50"]);
    assert_eq!(look(&hub, &session, "a51", 0).await, [] as [&str; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_start_waits_for_a_long_reading_only_so_long_and_the_next_one_has_it() {
    let hub = Hub::default();
    let delay = Duration::from_secs(1);
    let (deployed, session) = deployed(Deployed { delay, ..Deployed::default() });
    let of = |number: i64| deployment(&format!("a{number}"), -number, Stage::Ended);
    deployed.set((1..=40).map(of).collect());
    let begun = Instant::now();
    let error = looked(&hub, &session, "a1", 0).await.unwrap_err();
    assert_eq!(error.message, "no answer within 20 s; the next start has it");
    assert_eq!(begun.elapsed(), Duration::from_secs(20));
    sleep(Duration::from_secs(60)).await;
    assert_eq!(look(&hub, &session, "a1", 80).await, ["d-a1--1"]);
    assert_eq!(deployed.calls().len(), 2 + 2 + 40);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_remembered_and_trouble_that_may_pass_not_for_long() {
    for (class, calls, second) in [(Class::Denied, 1, 599), (Class::Throttled, 3, 54)] {
        let hub = Hub::default();
        let (deployed, session) = deployed(Deployed::default());
        deployed.refuse(Some(class));
        assert_eq!(looked(&hub, &session, "live", 0).await.unwrap_err().class, class);
        assert_eq!(deployed.calls().len(), calls, "a read is tried again as every other");
        deployed.refuse(None);
        assert_eq!(looked(&hub, &session, "live", second).await.unwrap_err().class, class);
        assert_eq!(deployed.calls(), [] as [&str; 0]);
        assert!(looked(&hub, &session, "live", second + 1).await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn the_deployments_that_one_role_may_see_are_not_told_to_another() {
    let hub = Hub::default();
    let (one, allowed) = deployed(Deployed::default());
    one.set(vec![deployment("live", -1, Stage::Ended)]);
    let (other, denied) = deployed(Deployed::default());
    other.refuse(Some(Class::Denied));
    assert_eq!(look(&hub, &allowed, "live", 0).await, ["d-live--1"]);
    assert_eq!(looked(&hub, &denied, "live", 0).await.unwrap_err().class, Class::Denied);
}
