//! What a partner was, from a date on.

use sea_orm::entity::prelude::*;

/// What a partner was, from a date on.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "partner_profile")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub partner_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub from_on: Date,
    #[sea_orm(column_type = "Text")]
    pub name: String,
    #[sea_orm(column_type = "Text")]
    pub partner_type: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub region: Option<String>,
    pub parent_id: Option<Uuid>,
    #[sea_orm(column_type = "Text")]
    pub currency: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub status: String,
    #[sea_orm(column_type = "Text")]
    pub attributes: Option<String>,
    pub recorded_at: DateTimeUtc,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::partner::Entity", from = "Column::PartnerId", to = "super::partner::Column::Id")]
    Partner,
    #[sea_orm(belongs_to = "super::partner::Entity", from = "Column::ParentId", to = "super::partner::Column::Id")]
    Parent,
}

impl ActiveModelBehavior for ActiveModel {}
