//! An application, an invitation or an approval on its way to an admission.

use sea_orm::entity::prelude::*;

/// An application, an invitation or an approval on its way to an admission.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "admission_request")]
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
    pub tier: String,
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    #[sea_orm(column_type = "Text")]
    pub state: String,
    #[sea_orm(column_type = "Text")]
    pub origin: String,
    pub opened_on: Date,
    pub answer_until: Option<Date>,
    #[sea_orm(column_type = "Text")]
    pub text: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub evidence: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub opened_by: String,
    pub opened_at: DateTimeUtc,
    #[sea_orm(column_type = "Text")]
    pub decided_by: Option<String>,
    pub decided_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text")]
    pub decision_reason: Option<String>,
    pub admission_id: Option<Uuid>,
    pub ended_on: Option<Date>,
    #[sea_orm(column_type = "Text")]
    pub ended_by: Option<String>,
    pub ended_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text")]
    pub end_reason: Option<String>,
    pub row_version: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::program::Entity", from = "Column::ProgramId", to = "super::program::Column::Id")]
    Program,
    #[sea_orm(belongs_to = "super::partner::Entity", from = "Column::PartnerId", to = "super::partner::Column::Id")]
    Partner,
    #[sea_orm(belongs_to = "super::tier_admission::Entity", from = "Column::AdmissionId", to = "super::tier_admission::Column::Id")]
    Admission,
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

impl Related<super::tier_admission::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Admission.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
