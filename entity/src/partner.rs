//! A partner, with the profile of today beside it for filters, order and scope.

use sea_orm::entity::prelude::*;

/// A partner, with the profile of today beside it for filters, order and scope.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "partner")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub code: String,
    #[sea_orm(column_type = "Text")]
    pub name: String,
    #[sea_orm(column_type = "Text")]
    pub name_folded: String,
    #[sea_orm(column_type = "Text")]
    pub partner_type: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub region: Option<String>,
    pub parent_id: Option<Uuid>,
    #[sea_orm(column_type = "Text")]
    pub currency: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub status: String,
    pub profile_from: Date,
    pub next_profile_from: Option<Date>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub row_version: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "Entity", from = "Column::ParentId", to = "Column::Id")]
    Parent,
}

impl ActiveModelBehavior for ActiveModel {}
