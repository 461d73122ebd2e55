//! What is sent to SNS, and what it answers in XML.

use super::*;
use crate::facts::sns::{Fifo, Notification};

const TOPIC: &str = "arn:aws:sns:eu-west-1:210987654321:ops";
const ID: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";

fn xml(status: u16, body: String) -> Wire {
    Wire::Answer(status, vec![("content-type", "text/xml"), ("x-amzn-requestid", ID)], body)
}

fn published(members: &str) -> Wire {
    xml(
        200,
        format!(
            "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
             {members}</PublishResult><ResponseMetadata><RequestId>{ID}</RequestId>\
             </ResponseMetadata></PublishResponse>"
        ),
    )
}

fn notification(fifo: Option<Fifo>) -> Notification {
    Notification {
        topic: TOPIC.to_owned(),
        subject: "weekly opens".to_owned(),
        message: "Two lines,\nand an ä".to_owned(),
        attributes: vec![("stage".to_owned(), "Opened".to_owned())],
        fifo,
    }
}

#[tokio::test]
async fn a_message_is_sent_whole_and_to_a_fifo_topic_with_its_identity() {
    let answer = || published("<MessageId>567910cd</MessageId>");
    let tape = Tape::new([answer(), answer()]);
    let sns = connect(&tape, None).await.sns;
    assert_eq!(sns.publish(&notification(None)).await.unwrap(), "567910cd");
    let fifo = Fifo { group: "weekly".to_owned(), deduplication: "d1".to_owned() };
    sns.publish(&notification(Some(fifo))).await.unwrap();
    let requests = tape.requests();
    assert!(requests[0].0.starts_with("POST https://sns.eu-west-1.amazonaws.com/"));
    for part in [
        "Action=Publish",
        "TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A210987654321%3Aops",
        "Subject=weekly%20opens",
        "Message=Two%20lines%2C%0Aand%20an%20%C3%A4",
        "MessageAttributes.entry.1.Name=stage",
        "MessageAttributes.entry.1.Value.DataType=String",
        "MessageAttributes.entry.1.Value.StringValue=Opened",
    ] {
        assert!(requests[0].2.contains(part), "{part}: {}", requests[0].2);
    }
    assert!(!requests[0].2.contains("MessageGroupId"), "{}", requests[0].2);
    for part in ["MessageGroupId=weekly", "MessageDeduplicationId=d1"] {
        assert!(requests[1].2.contains(part), "{part}: {}", requests[1].2);
    }
}

#[tokio::test]
async fn an_answer_without_an_id_is_none_and_refusals_are_classified() {
    let tape = Tape::new([published("")]);
    let error = connect(&tape, None).await.sns.publish(&notification(None)).await.unwrap_err();
    assert_eq!(error.class, Class::Unknown);
    for (status, code, class) in [
        (404, "NotFound", Class::NotFound),
        (403, "AuthorizationError", Class::Denied),
        (403, "AuthorizationErrorException", Class::Denied),
        (403, "KMSAccessDenied", Class::Denied),
        (400, "InvalidParameter", Class::Invalid),
        (400, "Throttling", Class::Throttled),
        (429, "Throttled", Class::Throttled),
        (500, "InternalError", Class::Unknown),
    ] {
        let body = format!(
            "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error>\
             <Type>Sender</Type><Code>{code}</Code><Message>Some words</Message></Error>\
             <RequestId>{ID}</RequestId></ErrorResponse>"
        );
        let tape = Tape::new([xml(status, body)]);
        let error = connect(&tape, None).await.sns.publish(&notification(None)).await.unwrap_err();
        assert_eq!((error.class, error.code.as_str()), (class, code));
        let shown = error.to_string();
        assert!(shown.starts_with(&format!("sns:Publish of topic {TOPIC} failed")), "{shown}");
    }
}
