//! A review of partners as of a date.

use sea_orm::entity::prelude::*;

/// A review of partners as of a date.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "review")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub program_id: Uuid,
    pub version_id: Uuid,
    pub as_of: Date,
    #[sea_orm(column_type = "Text")]
    pub cause: String,
    pub partners: i64,
    pub changed: i64,
    pub created_at: DateTimeUtc,
    #[sea_orm(column_type = "Text")]
    pub created_by: String,
    #[sea_orm(column_type = "Text")]
    pub state: String,
    #[sea_orm(column_type = "Text")]
    pub slice: String,
    #[sea_orm(column_type = "Text")]
    pub due: String,
    pub job_id: Option<Uuid>,
    pub base_id: Option<Uuid>,
    pub differs: i64,
    pub promoted: i64,
    pub demoted: i64,
    pub kept: i64,
    pub failed: i64,
    pub in_the_past: i64,
    pub finished_at: Option<DateTimeUtc>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::program::Entity", from = "Column::ProgramId", to = "super::program::Column::Id")]
    Program,
    #[sea_orm(belongs_to = "super::program_version::Entity", from = "Column::VersionId", to = "super::program_version::Column::Id")]
    Version,
}

impl Related<super::program::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Program.def()
    }
}

impl Related<super::program_version::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Version.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
