//! What is on record about partners keeps its past, so that a rebate run is computed from what it knew for ever: profiles,
//! enrollments, tiers, overrides, admissions, contracts, exceptions, and which versions were published.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::{add_columns, drop_columns, refuse, run};
use crate::recorded::{Recorded, forget, keep, prepare};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// The tables whose past stays known.
pub(crate) const RECORDED: [Recorded<'static>; 7] = [
    Recorded {
        table: "partner_profile",
        key: &["partner_id", "from_on"],
        columns: &[
            ("partner_id", ":uuid NOT NULL"),
            ("from_on", ":date NOT NULL"),
            ("name", "TEXT NOT NULL"),
            ("partner_type", "TEXT"),
            ("region", ":key"),
            ("parent_id", ":uuid"),
            ("currency", "TEXT"),
            ("status", "TEXT NOT NULL"),
            ("attributes", "TEXT"),
            ("recorded_at", ":time NOT NULL"),
        ],
    },
    Recorded {
        table: "enrollment",
        key: &["id"],
        columns: &[
            ("id", ":uuid NOT NULL"),
            ("program_id", ":uuid NOT NULL"),
            ("partner_id", ":uuid NOT NULL"),
            ("region_key", ":key NOT NULL"),
            ("track", "TEXT"),
            ("since_on", ":date NOT NULL"),
            ("until_on", ":date"),
            ("created_at", ":time NOT NULL"),
            ("row_version", ":int NOT NULL"),
        ],
    },
    Recorded {
        table: "tier_assignment",
        key: &["id"],
        columns: &[
            ("id", ":uuid NOT NULL"),
            ("program_id", ":uuid NOT NULL"),
            ("partner_id", ":uuid NOT NULL"),
            ("ladder", ":key NOT NULL"),
            ("region_key", ":key NOT NULL"),
            ("tier", "TEXT"),
            ("from_on", ":date NOT NULL"),
            ("until_on", ":date"),
            ("cause", "TEXT NOT NULL"),
            ("review_id", ":uuid"),
            ("version_id", ":uuid NOT NULL"),
            ("recorded_at", ":time NOT NULL"),
            ("reviewed_tier", "TEXT"),
        ],
    },
    Recorded {
        table: "tier_override",
        key: &["id"],
        columns: &[
            ("id", ":uuid NOT NULL"),
            ("program_id", ":uuid NOT NULL"),
            ("partner_id", ":uuid NOT NULL"),
            ("ladder", ":key NOT NULL"),
            ("region_key", ":key NOT NULL"),
            ("kind", ":key NOT NULL"),
            ("tier", "TEXT"),
            ("from_on", ":date NOT NULL"),
            ("until_on", ":date NOT NULL"),
            ("reason", "TEXT NOT NULL"),
            ("proposed_by", "TEXT"),
            ("approved_by", "TEXT"),
            ("created_at", ":time NOT NULL"),
            ("row_version", ":int NOT NULL"),
            ("state", ":key NOT NULL"),
            ("decided_by", "TEXT"),
            ("decided_at", ":time"),
            ("decision_reason", "TEXT"),
            ("ended_by", "TEXT"),
            ("ended_at", ":time"),
            ("end_reason", "TEXT"),
            ("planned_until", ":date"),
            ("match_program", "TEXT"),
            ("match_status", "TEXT"),
            ("match_evidence", "TEXT"),
        ],
    },
    Recorded {
        table: "tier_admission",
        key: &["id"],
        columns: &[
            ("id", ":uuid NOT NULL"),
            ("program_id", ":uuid NOT NULL"),
            ("partner_id", ":uuid NOT NULL"),
            ("ladder", ":key NOT NULL"),
            ("region_key", ":key NOT NULL"),
            ("tier", "TEXT NOT NULL"),
            ("kind", ":key NOT NULL"),
            ("from_on", ":date NOT NULL"),
            ("until_on", ":date NOT NULL"),
            ("created_at", ":time NOT NULL"),
            ("created_by", "TEXT NOT NULL"),
            ("row_version", ":int NOT NULL"),
        ],
    },
    Recorded {
        table: "contract",
        key: &["id"],
        columns: &[
            ("id", ":uuid NOT NULL"),
            ("program_id", ":uuid NOT NULL"),
            ("partner_id", ":uuid NOT NULL"),
            ("number", ":key NOT NULL"),
            ("template", "TEXT"),
            ("status", "TEXT NOT NULL"),
            ("from_on", ":date NOT NULL"),
            ("until_on", ":date NOT NULL"),
            ("terms", "TEXT NOT NULL"),
            ("created_at", ":time NOT NULL"),
            ("updated_at", ":time NOT NULL"),
            ("row_version", ":int NOT NULL"),
        ],
    },
    Recorded {
        table: "entitlement_exception",
        key: &["id"],
        columns: &[
            ("id", ":uuid NOT NULL"),
            ("program_id", ":uuid NOT NULL"),
            ("partner_id", ":uuid NOT NULL"),
            ("benefit", "TEXT NOT NULL"),
            ("term", "TEXT NOT NULL"),
            ("from_on", ":date NOT NULL"),
            ("until_on", ":date NOT NULL"),
            ("reason", "TEXT NOT NULL"),
            ("created_at", ":time NOT NULL"),
            ("created_by", "TEXT NOT NULL"),
            ("row_version", ":int NOT NULL"),
        ],
    },
];

/// The number under which a version was published.
const PUBLISHED: [(&str, &str); 1] = [("recorded_number", ":int NOT NULL DEFAULT 0")];
/// The last change that a run knew.
const KNOWN: [(&str, &str); 1] = [("records", ":int")];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        prepare(manager).await?;
        for recorded in &RECORDED {
            keep(manager, recorded).await?;
        }
        add_columns(manager, "program_version", &PUBLISHED).await?;
        let unnumbered = "OLD.state = 'DRAFT' AND NEW.state = 'PUBLISHED' AND NEW.recorded_number = 0";
        refuse(manager, "program_version", "UPDATE", unnumbered, "program_version_recorded").await?;
        add_columns(manager, "rebate_run", &KNOWN).await?;
        // What earlier runs knew is not on record any more: from now on it is what is there now.
        run(manager, &["UPDATE rebate_run SET records = 0 WHERE cut_off IS NOT NULL AND records IS NULL"]).await?;
        let rewritten = "OLD.state IN ('POSTED', 'PAID') AND OLD.records IS DISTINCT FROM NEW.records";
        refuse(manager, "rebate_run", "UPDATE", rewritten, "rebate_run_posted_immutable_records").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        for (table, trigger) in [("rebate_run", "rebate_run_posted_immutable_records"), ("program_version", "program_version_recorded")] {
            let on = if postgres { format!(" ON {table}") } else { String::new() };
            run(manager, &[&format!("DROP TRIGGER IF EXISTS {trigger}_update{on}")]).await?;
        }
        drop_columns(manager, "rebate_run", &KNOWN.map(|(name, _)| name)).await?;
        drop_columns(manager, "program_version", &PUBLISHED.map(|(name, _)| name)).await?;
        for recorded in RECORDED.iter().rev() {
            forget(manager, recorded.table).await?;
        }
        if postgres {
            run(manager, &["DROP FUNCTION IF EXISTS guerdon_record_number()"]).await?;
        }
        run(manager, &["DELETE FROM counter WHERE name = 'record'"]).await
    }
}
