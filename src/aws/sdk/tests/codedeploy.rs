//! What CodeDeploy answers in JSON.

use super::*;
use crate::facts::codedeploy::{
    Deployment, DeploymentPage, KeptRevision, Revision, RevisionForm, Stage,
};

const ID: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
const SINCE: &str = "2026-10-30T00:00:00Z";

fn json(status: u16, body: &str) -> Wire {
    let headers = vec![("content-type", "application/x-amz-json-1.1"), ("x-amzn-requestid", ID)];
    Wire::Answer(status, headers, body.to_owned())
}

fn bodies(tape: &Tape) -> Vec<serde_json::Value> {
    let bodies = tape.requests().into_iter().map(|(_, _, body)| body);
    bodies.map(|body| serde_json::from_str(&body).unwrap()).collect()
}

fn info(more: &str) -> String {
    format!(
        r#"{{"deploymentsInfo": [{{"deploymentId": "d-A", "applicationName": "shop",
        "deploymentGroupName": "live", "createTime": 1796000000.5, "computePlatform": "Lambda",
        "status": "InProgress"{more}}}]}}"#
    )
}

async fn got(body: String) -> Result<Vec<Deployment>, Error> {
    let tape = Tape::new([json(200, &body)]);
    connect(&tape, None).await.codedeploy.batch_get_deployments(&["d-A".to_owned()]).await
}

#[tokio::test]
async fn deployments_of_all_applications_are_listed_by_what_they_do() {
    let tape = Tape::new([
        json(200, r#"{"deployments": ["d-A", "d-B"], "nextToken": "more"}"#),
        json(200, "{}"),
    ]);
    let codedeploy = connect(&tape, None).await.codedeploy;
    let since = SINCE.parse().unwrap();
    let page = codedeploy.list_deployments(Stage::UnderWay, since).await.unwrap();
    assert_eq!(page, DeploymentPage { ids: vec!["d-A".into(), "d-B".into()], more: true });
    let page = codedeploy.list_deployments(Stage::Ended, since).await.unwrap();
    assert_eq!(page, DeploymentPage::default());
    let [under_way, ended] = bodies(&tape).try_into().unwrap();
    let range = serde_json::json!({"start": 1_793_318_400});
    let asked = |statuses: &[&str]| serde_json::json!({"createTimeRange": range, "includeOnlyStatuses": statuses});
    assert_eq!(under_way, asked(&["Created", "Queued", "InProgress", "Baking", "Ready"]));
    assert_eq!(ended, asked(&["Succeeded", "Failed", "Stopped"]));
}

#[tokio::test]
async fn a_deployment_is_read_with_what_names_its_appspec() {
    let sha =
        r#", "revision": {"revisionType": "AppSpecContent", "appSpecContent": {"sha256": "0a"}}"#;
    let [read] = got(info(sha)).await.unwrap().try_into().unwrap();
    let kept = KeptRevision { form: RevisionForm::AppSpecContent, sha256: "0a".into() };
    let deployment = Deployment {
        id: "d-A".into(),
        application: "shop".into(),
        group: Some("live".into()),
        lambda: true,
        stage: Stage::UnderWay,
        created: "2026-11-30T00:53:20.5Z".parse().unwrap(),
        revision: Revision::Kept(kept),
    };
    assert_eq!(read, deployment);

    let string = r#", "revision": {"revisionType": "String", "string": {"sha256": "0b"}}"#;
    let [read] = got(info(string)).await.unwrap().try_into().unwrap();
    let kept = KeptRevision { form: RevisionForm::String, sha256: "0b".into() };
    assert_eq!(read.revision, Revision::Kept(kept));

    let text = r#", "revision": {"revisionType": "String", "string": {"content": "Resources"}}"#;
    let [read] = got(info(text)).await.unwrap().try_into().unwrap();
    assert_eq!(read.revision, Revision::Text("Resources".into()));

    let s3 = r#", "revision": {"revisionType": "S3", "s3Location": {"bucket": "b", "key": "k"}}"#;
    for elsewhere in [s3, ""] {
        let [read] = got(info(elsewhere)).await.unwrap().try_into().unwrap();
        assert_eq!(read.revision, Revision::Elsewhere);
    }
}

#[tokio::test]
async fn only_what_has_surely_ended_is_over_and_only_lambda_is_lambda() {
    for (status, stage) in [
        ("Created", Stage::UnderWay),
        ("Baking", Stage::UnderWay),
        ("Ready", Stage::UnderWay),
        ("SomethingNew", Stage::UnderWay),
        ("Succeeded", Stage::Ended),
        ("Failed", Stage::Ended),
        ("Stopped", Stage::Ended),
    ] {
        let [read] = got(info("").replace("InProgress", status)).await.unwrap().try_into().unwrap();
        assert_eq!(read.stage, stage, "{status}");
    }
    for platform in ["Server", "ECS", "Kubernetes"] {
        let body = info("").replace("\"Lambda\"", &format!("\"{platform}\""));
        assert!(!got(body).await.unwrap()[0].lambda, "{platform}");
    }
}

#[tokio::test]
async fn an_answer_without_what_it_must_hold_cannot_be_read() {
    for field in ["deploymentId", "applicationName", "createTime", "status"] {
        let error = got(info("").replace(field, "other")).await.unwrap_err();
        assert_eq!(error.class, Class::Unknown);
        assert_eq!(error.message, format!("cannot read the answer: {field} is missing"));
        assert_eq!(error.request_id.as_deref(), Some(ID));
    }
    assert_eq!(got("{}".to_owned()).await.unwrap(), []);
}

#[tokio::test]
async fn an_appspec_is_asked_for_by_its_hash() {
    let answer = |form: &str| {
        let revision = format!(r#"{{"{form}": {{"content": "Resources: []", "sha256": "0a"}}}}"#);
        json(200, &format!(r#"{{"applicationName": "shop", "revision": {revision}}}"#))
    };
    let tape = Tape::new([answer("string"), answer("appSpecContent"), json(200, "{}")]);
    let codedeploy = connect(&tape, None).await.codedeploy;
    let revision = |form| KeptRevision { form, sha256: "0a".into() };
    for form in [RevisionForm::String, RevisionForm::AppSpecContent] {
        let text = codedeploy.get_application_revision("shop", &revision(form)).await.unwrap();
        assert_eq!(text.as_deref(), Some("Resources: []"));
    }
    let none = revision(RevisionForm::String);
    assert_eq!(codedeploy.get_application_revision("shop", &none).await.unwrap(), None);
    let bodies = bodies(&tape);
    let named = |kind: &str, form: &str| serde_json::json!({"applicationName": "shop", "revision": {"revisionType": kind, form: {"sha256": "0a"}}});
    assert_eq!(bodies[0], named("String", "string"));
    assert_eq!(bodies[1], named("AppSpecContent", "appSpecContent"));
}

#[tokio::test]
async fn refusals_of_codedeploy_are_told_apart() {
    for (code, class) in [
        ("AccessDeniedException", Class::Denied),
        ("ThrottlingException", Class::Throttled),
        ("RevisionDoesNotExistException", Class::Invalid),
        ("ApplicationDoesNotExistException", Class::Invalid),
        ("InternalFailure", Class::Unknown),
    ] {
        let refusal = json(400, &format!(r#"{{"__type": "{code}", "message": "Some words"}}"#));
        let codedeploy = connect(&Tape::new([refusal]), None).await.codedeploy;
        let since = SINCE.parse().unwrap();
        let error = codedeploy.list_deployments(Stage::Ended, since).await.unwrap_err();
        assert_eq!(error.class, class, "{code}");
        let shown = error.to_string();
        assert!(
            shown.starts_with("codedeploy:ListDeployments of all deployments failed"),
            "{shown}"
        );
    }
}
