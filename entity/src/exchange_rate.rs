//! A dated, typed exchange rate, append-only; the highest revision counts.

use sea_orm::entity::prelude::*;

/// A dated, typed exchange rate, append-only; the highest revision counts.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "exchange_rate")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub rate_type: String,
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub from_currency: String,
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub to_currency: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub rate_on: Date,
    #[sea_orm(primary_key, auto_increment = false)]
    pub revision: i64,
    #[sea_orm(column_type = "Text")]
    pub rate: String,
    pub recorded_on: Date,
    pub batch_id: Uuid,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::import_batch::Entity", from = "Column::BatchId", to = "super::import_batch::Column::Id")]
    Batch,
}

impl Related<super::import_batch::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Batch.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
