//! What RDS answers in XML, and DynamoDB in JSON.

use super::*;
use crate::facts::{dynamodb::Table, rds::Database};

const ID: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";

fn xml(status: u16, body: String) -> Wire {
    Wire::Answer(status, vec![("content-type", "text/xml"), ("x-amzn-requestid", ID)], body)
}

/// The answer of a Describe call with these members.
fn described(operation: &str, members: &str) -> Wire {
    xml(
        200,
        format!(
            "<{operation}Response xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\">\
             <{operation}Result>{members}</{operation}Result>\
             <ResponseMetadata><RequestId>{ID}</RequestId></ResponseMetadata></{operation}Response>"
        ),
    )
}

fn instances(members: &str) -> Wire {
    described("DescribeDBInstances", &format!("<DBInstances>{members}</DBInstances>"))
}

fn clusters(members: &str) -> Wire {
    described("DescribeDBClusters", &format!("<DBClusters>{members}</DBClusters>"))
}

fn refusal(status: u16, code: &str) -> Wire {
    xml(
        status,
        format!(
            "<ErrorResponse xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\"><Error>\
             <Type>Sender</Type><Code>{code}</Code><Message>Some words</Message></Error>\
             <RequestId>{ID}</RequestId></ErrorResponse>"
        ),
    )
}

const INSTANCE: &str = "<DBInstance><DBInstanceIdentifier>prod-db</DBInstanceIdentifier>\
    <DBInstanceStatus>backing-up</DBInstanceStatus></DBInstance>";
const CLUSTER: &str = "<DBCluster><DBClusterIdentifier>ledger</DBClusterIdentifier>\
    <Status>available</Status></DBCluster>";

#[tokio::test]
async fn an_instance_and_a_cluster_are_asked_for_by_name() {
    let tape = Tape::new([instances(INSTANCE), clusters(CLUSTER)]);
    let rds = connect(&tape, None).await.rds;
    let instance = rds.describe_db_instance("Prod-DB").await.unwrap();
    assert_eq!(instance, Database { status: "backing-up".to_owned() });
    let cluster = rds.describe_db_cluster("ledger").await.unwrap();
    assert_eq!(cluster, Database { status: "available".to_owned() });
    let bodies: Vec<String> = tape.requests().into_iter().map(|(_, _, body)| body).collect();
    assert!(bodies[0].contains("Action=DescribeDBInstances"), "{}", bodies[0]);
    assert!(bodies[0].contains("DBInstanceIdentifier=Prod-DB"), "{}", bodies[0]);
    assert!(bodies[1].contains("Action=DescribeDBClusters"), "{}", bodies[1]);
    assert!(bodies[1].contains("DBClusterIdentifier=ledger"), "{}", bodies[1]);
    assert!(tape.requests()[0].0.starts_with("POST https://rds.eu-west-1.amazonaws.com/"));
}

#[tokio::test]
async fn what_says_nothing_of_the_database_is_no_answer() {
    let nameless = INSTANCE.replace("prod-db", "another");
    let stateless = INSTANCE.replace("backing-up", "");
    for members in ["", &nameless, &stateless] {
        let tape = Tape::new([instances(members)]);
        let rds = connect(&tape, None).await.rds;
        let error = rds.describe_db_instance("prod-db").await.unwrap_err();
        assert_eq!(error.class, Class::Unknown, "{members}");
        let tape = Tape::new([clusters(&members.replace("Instance", "Cluster"))]);
        let rds = connect(&tape, None).await.rds;
        let error = rds.describe_db_cluster("prod-db").await.unwrap_err();
        assert_eq!(error.class, Class::Unknown, "{members}");
    }
}

#[tokio::test]
async fn the_refusals_of_rds_are_classified() {
    for (status, code, class) in [
        (404, "DBInstanceNotFound", Class::NotFound),
        (404, "DBInstanceNotFoundFault", Class::NotFound),
        (403, "AccessDenied", Class::Denied),
        (400, "Throttling", Class::Throttled),
        (400, "InvalidParameterValue", Class::Invalid),
        (500, "InternalFailure", Class::Unknown),
    ] {
        let tape = Tape::new([refusal(status, code)]);
        let rds = connect(&tape, None).await.rds;
        let error = rds.describe_db_instance("prod-db").await.unwrap_err();
        assert_eq!((error.class, error.code.as_str()), (class, code));
        assert_eq!(error.request_id.as_deref(), Some(ID));
        let shown = error.to_string();
        assert!(shown.starts_with("rds:DescribeDBInstances of instance prod-db failed"), "{shown}");
    }
    let tape = Tape::new([refusal(404, "DBClusterNotFoundFault")]);
    let rds = connect(&tape, None).await.rds;
    assert_eq!(rds.describe_db_cluster("x").await.unwrap_err().class, Class::NotFound);
}

fn dynamodb(status: u16, body: serde_json::Value) -> Wire {
    let headers = vec![("content-type", "application/x-amz-json-1.0"), ("x-amzn-requestid", ID)];
    Wire::Answer(status, headers, body.to_string())
}

#[tokio::test]
async fn a_table_is_read_with_its_status_and_size() {
    let table = serde_json::json!({"TableName": "topology", "TableStatus": "UPDATING",
        "ItemCount": 12, "TableSizeBytes": 345});
    let tape = Tape::new([dynamodb(200, serde_json::json!({"Table": table}))]);
    let port = connect(&tape, None).await.dynamodb;
    let found = port.describe_table("topology").await.unwrap();
    assert_eq!(found, Table { status: "UPDATING".to_owned(), items: 12, bytes: 345 });
    let (line, headers, body) = tape.requests().remove(0);
    assert!(line.starts_with("POST https://") && line.contains("dynamodb."), "{line}");
    assert_eq!(headers.get("x-amz-target"), Some("DynamoDB_20120810.DescribeTable"));
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body, serde_json::json!({"TableName": "topology"}));
}

#[tokio::test]
async fn a_table_without_a_status_is_no_answer_and_refusals_are_classified() {
    let type_of = |code: &str| format!("com.amazonaws.dynamodb.v20120810#{code}");
    let refused = |code: &str| serde_json::json!({"__type": type_of(code), "message": "words"});
    for (status, body, class) in [
        (200, serde_json::json!({}), Class::Unknown),
        (200, serde_json::json!({"Table": {"TableName": "topology"}}), Class::Unknown),
        (400, refused("ResourceNotFoundException"), Class::NotFound),
        (400, refused("AccessDeniedException"), Class::Denied),
        (400, refused("ThrottlingException"), Class::Throttled),
        (500, refused("InternalServerError"), Class::Unknown),
    ] {
        let tape = Tape::new([dynamodb(status, body.clone())]);
        let port = connect(&tape, None).await.dynamodb;
        let error = port.describe_table("topology").await.unwrap_err();
        assert_eq!(error.class, class, "{body}");
        let shown = error.to_string();
        assert!(shown.starts_with("dynamodb:DescribeTable of table topology failed"), "{shown}");
    }
}
