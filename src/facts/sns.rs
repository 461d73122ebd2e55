//! What is told through SNS.

/// A message to a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// ARN of the topic.
    pub topic: String,
    /// Subject of e-mails: 1 to 99 printable ASCII characters.
    pub subject: String,
    /// The text: at most 256 KiB, attributes included.
    pub message: String,
    /// Attributes that subscriptions can filter by: name and value.
    pub attributes: Vec<(String, String)>,
    /// What a FIFO topic asks for; none for a standard topic.
    pub fifo: Option<Fifo>,
}

/// Order and identity of a message to a FIFO topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fifo {
    /// Messages of one group arrive in their order; at most 128 characters.
    pub group: String,
    /// Of messages with the same one within 5 minutes only the first is delivered; at most 128
    /// characters.
    pub deduplication: String,
}
