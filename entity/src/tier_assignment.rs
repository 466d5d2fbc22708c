//! A tier on record. `tier` is empty while none is held; `region_key` is empty where the ladder does not ask.

use sea_orm::entity::prelude::*;

/// A tier on record. `tier` is empty while none is held; `region_key` is empty where the ladder does not ask.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tier_assignment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub program_id: Uuid,
    pub partner_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub ladder: String,
    #[sea_orm(column_type = "Text")]
    pub region_key: String,
    #[sea_orm(column_type = "Text")]
    pub tier: Option<String>,
    pub from_on: Date,
    pub until_on: Option<Date>,
    #[sea_orm(column_type = "Text")]
    pub cause: String,
    pub review_id: Option<Uuid>,
    pub version_id: Uuid,
    pub recorded_at: DateTimeUtc,
    #[sea_orm(column_type = "Text")]
    pub reviewed_tier: Option<String>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::program::Entity", from = "Column::ProgramId", to = "super::program::Column::Id")]
    Program,
    #[sea_orm(belongs_to = "super::partner::Entity", from = "Column::PartnerId", to = "super::partner::Column::Id")]
    Partner,
    #[sea_orm(belongs_to = "super::review::Entity", from = "Column::ReviewId", to = "super::review::Column::Id")]
    Review,
    #[sea_orm(belongs_to = "super::program_version::Entity", from = "Column::VersionId", to = "super::program_version::Column::Id")]
    Version,
}

impl Related<super::program::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Program.def()
    }
}

impl Related<super::partner::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Partner.def()
    }
}

impl Related<super::review::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Review.def()
    }
}

impl Related<super::program_version::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Version.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
