//! A tier held against the rules.

use sea_orm::entity::prelude::*;

/// A tier held against the rules.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tier_override")]
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
    pub kind: String,
    #[sea_orm(column_type = "Text")]
    pub tier: Option<String>,
    pub from_on: Date,
    pub until_on: Date,
    #[sea_orm(column_type = "Text")]
    pub reason: String,
    #[sea_orm(column_type = "Text")]
    pub proposed_by: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub approved_by: Option<String>,
    pub created_at: DateTimeUtc,
    pub row_version: i64,
    #[sea_orm(column_type = "Text")]
    pub state: String,
    #[sea_orm(column_type = "Text")]
    pub decided_by: Option<String>,
    pub decided_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text")]
    pub decision_reason: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub ended_by: Option<String>,
    pub ended_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text")]
    pub end_reason: Option<String>,
    pub planned_until: Option<Date>,
    #[sea_orm(column_type = "Text")]
    pub match_program: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub match_status: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub match_evidence: Option<String>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::program::Entity", from = "Column::ProgramId", to = "super::program::Column::Id")]
    Program,
    #[sea_orm(belongs_to = "super::partner::Entity", from = "Column::PartnerId", to = "super::partner::Column::Id")]
    Partner,
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

impl ActiveModelBehavior for ActiveModel {}
