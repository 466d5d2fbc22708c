//! What a run states for a partner, a schedule and a period.

use sea_orm::entity::prelude::*;

/// What a run states for a partner, a schedule and a period.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "statement")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub run_id: Uuid,
    pub program_id: Uuid,
    pub partner_id: Uuid,
    pub version_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub schedule: String,
    #[sea_orm(column_type = "Text")]
    pub period: String,
    pub period_from: Date,
    pub period_until: Date,
    #[sea_orm(column_type = "Text")]
    pub currency: String,
    #[sea_orm(column_type = "Text")]
    pub tier: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub qualifier: String,
    #[sea_orm(column_type = "Text")]
    pub basis: String,
    #[sea_orm(column_type = "Text")]
    pub exact: String,
    pub entitled_minor: i64,
    pub before_minor: i64,
    pub difference_minor: i64,
    pub carried_minor: i64,
    pub amount_minor: i64,
    pub inputs: i64,
    #[sea_orm(column_type = "Text")]
    pub steps: String,
    #[sea_orm(column_type = "Text")]
    pub lines: String,
    #[sea_orm(column_type = "Text")]
    pub content_hash: String,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::rebate_run::Entity", from = "Column::RunId", to = "super::rebate_run::Column::Id")]
    Run,
    #[sea_orm(belongs_to = "super::program::Entity", from = "Column::ProgramId", to = "super::program::Column::Id")]
    Program,
    #[sea_orm(belongs_to = "super::partner::Entity", from = "Column::PartnerId", to = "super::partner::Column::Id")]
    Partner,
    #[sea_orm(belongs_to = "super::program_version::Entity", from = "Column::VersionId", to = "super::program_version::Column::Id")]
    Version,
}

impl Related<super::rebate_run::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Run.def()
    }
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

impl Related<super::program_version::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Version.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
