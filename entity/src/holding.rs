//! A holding, append-only; the highest revision counts.

use sea_orm::entity::prelude::*;

/// A holding, append-only; the highest revision counts.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "holding")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub batch_id: Uuid,
    pub line: i64,
    #[sea_orm(column_type = "Text")]
    pub source: String,
    #[sea_orm(column_type = "Text")]
    pub external_id: String,
    pub revision: i64,
    pub body_digest: Vec<u8>,
    pub partner_id: Uuid,
    pub recorded_on: Date,
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    #[sea_orm(column_type = "Text")]
    pub type_key: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub level: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub holder_kind: String,
    #[sea_orm(column_type = "Text")]
    pub holder: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub product: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub category: Option<String>,
    pub since_on: Date,
    pub until_on: Option<Date>,
    pub revoked_on: Option<Date>,
    #[sea_orm(column_type = "Text")]
    pub value: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub currency: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub region: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub attributes: Option<String>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::import_batch::Entity", from = "Column::BatchId", to = "super::import_batch::Column::Id")]
    Batch,
    #[sea_orm(belongs_to = "super::partner::Entity", from = "Column::PartnerId", to = "super::partner::Column::Id")]
    Partner,
}

impl Related<super::import_batch::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Batch.def()
    }
}

impl Related<super::partner::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Partner.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
