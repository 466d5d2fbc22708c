//! An entry of the audit trail. A sealer fills `sequence`, `prev_hash` and `hash`, once.

use sea_orm::entity::prelude::*;

/// An entry of the audit trail. A sealer fills `sequence`, `prev_hash` and `hash`, once.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_entry")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub occurred_at: DateTimeUtc,
    #[sea_orm(column_type = "Text")]
    pub actor: String,
    #[sea_orm(column_type = "Text")]
    pub on_behalf_of: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub roles: String,
    #[sea_orm(column_type = "Text")]
    pub request_id: String,
    #[sea_orm(column_type = "Text")]
    pub operation: String,
    #[sea_orm(column_type = "Text")]
    pub object_type: String,
    #[sea_orm(column_type = "Text")]
    pub object_id: String,
    pub partner_id: Option<Uuid>,
    #[sea_orm(column_type = "Text")]
    pub before_state: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub after_state: Option<String>,
    pub sequence: Option<i64>,
    #[sea_orm(column_type = "Text")]
    pub prev_hash: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub hash: Option<String>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
