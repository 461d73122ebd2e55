//! Topics of an account, and queues that show what they tell.

use serde_json::{Value, json};

use super::Account;
use crate::harness::REGION;

impl Account {
    /// Makes a topic and a queue that is subscribed to it; returns the ARN of the topic. A name that
    /// ends in `.fifo` makes both so.
    pub async fn topic(&self, name: &str) -> String {
        let fifo = name.ends_with(".fifo");
        let attributes = if fifo { json!({"FifoQueue": "true"}) } else { json!({}) };
        self.queue("CreateQueue", json!({"QueueName": name, "Attributes": attributes})).await;
        let attribute = "&Attributes.entry.1.key=FifoTopic&Attributes.entry.1.value=true";
        let attribute = if fifo { attribute } else { "" };
        self.sns(&format!("Action=CreateTopic&Name={name}{attribute}")).await;
        let arn = |service: &str| format!("arn:aws:{service}:{REGION}:{}:{name}", self.number);
        let (topic, queue) = (arn("sns"), arn("sqs"));
        let subscribe = "Action=Subscribe&Protocol=sqs";
        self.sns(&format!("{subscribe}&TopicArn={topic}&Endpoint={queue}")).await;
        topic
    }

    /// What the queue beside a topic holds now, as SNS wraps it.
    pub async fn told(&self, name: &str) -> Vec<Value> {
        let url = format!("{}/{}/{name}", self.stand_in.endpoint, self.number);
        let receive = json!({"QueueUrl": url, "MaxNumberOfMessages": 10});
        let received = self.queue("ReceiveMessage", receive).await;
        let messages = received["Messages"].as_array().cloned().unwrap_or_default();
        let body = |message: &Value| {
            serde_json::from_str(message["Body"].as_str().expect("a body")).expect("JSON of SNS")
        };
        messages.iter().map(body).collect()
    }

    async fn sns(&self, form: &str) {
        let body = format!("{form}&Version=2010-03-31");
        let kind = "application/x-www-form-urlencoded; charset=utf-8";
        self.post("sns", kind, "", body).await;
    }

    async fn queue(&self, operation: &str, body: Value) -> Value {
        let target = format!("AmazonSQS.{operation}");
        let kind = "application/x-amz-json-1.0";
        let answer = self.post("sqs", kind, &target, body.to_string()).await;
        serde_json::from_str(&answer).expect("JSON of SQS")
    }

    /// The stand-in reads who asks and checks no signature.
    async fn post(&self, service: &str, kind: &str, target: &str, body: String) -> String {
        let key = &self.access_key;
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={key}/20261206/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0"
        );
        let request = http::Request::post(format!("{}/", self.stand_in.endpoint))
            .header("Authorization", authorization)
            .header("Content-Type", kind)
            .header("X-Amz-Target", target)
            .body(body.into());
        self.stand_in.text(request.expect("a request")).await
    }
}
