//! A batch of facts: staged, then sealed in commit order.

use sea_orm::entity::prelude::*;

/// A batch of facts: staged, then sealed in commit order.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_batch")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    #[sea_orm(column_type = "Text")]
    pub source: String,
    #[sea_orm(column_type = "Text")]
    pub file_name: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub file_digest: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub state: String,
    pub seal_number: Option<i64>,
    pub staged_lines: i64,
    pub last_line: i64,
    pub inserted: i64,
    pub unchanged: i64,
    pub conflicts: i64,
    pub rejected: i64,
    pub created_at: DateTimeUtc,
    #[sea_orm(column_type = "Text")]
    pub created_by: String,
    pub sealed_at: Option<DateTimeUtc>,
    pub lease_until: Option<DateTimeUtc>,
    pub fence: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
