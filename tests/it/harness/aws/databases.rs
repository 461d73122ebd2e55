//! Databases and tables of an account.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};

use super::Account;

impl Account {
    /// An RDS instance that is available.
    pub async fn database(&self, id: &str) {
        let create = self.rds.create_db_instance().db_instance_identifier(id);
        create
            .db_instance_class("db.t4g.micro")
            .engine("postgres")
            .allocated_storage(20)
            .master_username("owner")
            .master_user_password("0123456789")
            .send()
            .await
            .expect("a database");
    }

    /// A DynamoDB table that is active.
    pub async fn table(&self, name: &str) {
        let id = AttributeDefinition::builder().attribute_name("id");
        let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash);
        self.dynamodb
            .create_table()
            .table_name(name)
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(
                id.attribute_type(ScalarAttributeType::S).build().expect("whole"),
            )
            .key_schema(key.build().expect("whole"))
            .send()
            .await
            .expect("a table");
    }
}
