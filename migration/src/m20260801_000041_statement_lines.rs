//! The lines of a statement move into its row. A run over 100,000 partners wrote a million rows for them, each with two keys of its
//! own, and nobody ever reads a line without its statement.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::{add_columns, drop_tables, only_while, refuse, run};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// The lines of a statement, in order, as an array of arrays.
const POSTGRES: &str = "UPDATE statement SET lines = COALESCE((SELECT CAST(json_agg(json_build_array(l.kind, l.band, l.band_from, l.band_to, l.tier, \
    l.category, l.base, l.rate, l.exact, l.amount_minor) ORDER BY l.no) AS TEXT) FROM statement_line l WHERE l.statement_id = statement.id), '[]')";
const SQLITE: &str = "UPDATE statement SET lines = COALESCE((SELECT json_group_array(json(l.line)) FROM (SELECT json_array(kind, band, band_from, band_to, \
    tier, category, base, rate, exact, amount_minor) AS line FROM statement_line WHERE statement_id = statement.id ORDER BY no) AS l), '[]')";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add_columns(manager, "statement", &[("lines", "TEXT NOT NULL DEFAULT '[]'")]).await?;
        // A migration that was cut off has moved the lines already.
        if manager.has_table("statement_line").await? {
            let postgres = manager.get_database_backend() == DbBackend::Postgres;
            let (drop, fill) = if postgres {
                ("DROP TRIGGER IF EXISTS statement_immutable_update ON statement", POSTGRES)
            } else {
                ("DROP TRIGGER IF EXISTS statement_immutable_update", SQLITE)
            };
            run(manager, &[drop, fill]).await?;
        }
        refuse(manager, "statement", "UPDATE", "OLD.id IS NOT NULL", "statement_immutable").await?;
        drop_tables(manager, &["statement_line"]).await?;
        drop_functions(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            &["CREATE TABLE IF NOT EXISTS statement_line (
                statement_id :uuid NOT NULL CONSTRAINT statement_line_statement_fk REFERENCES statement (id),
                no :int NOT NULL,
                run_id :uuid NOT NULL,
                kind TEXT NOT NULL,
                band :int,
                band_from TEXT,
                band_to TEXT,
                tier TEXT,
                category TEXT,
                base TEXT NOT NULL,
                rate TEXT,
                exact TEXT NOT NULL,
                amount_minor :whole(amount_minor) NOT NULL,
                CONSTRAINT statement_line_pk PRIMARY KEY (statement_id, no)
            ) :clustered"],
        )
        .await?;
        let fill = if manager.get_database_backend() == DbBackend::Postgres { BACK_POSTGRES } else { BACK_SQLITE };
        run(manager, &[fill, "CREATE INDEX IF NOT EXISTS statement_line_run_idx ON statement_line (run_id)", "ALTER TABLE statement DROP COLUMN lines"])
            .await?;
        let calculating = "SELECT 1 FROM rebate_run r WHERE r.id = {key} AND r.state = 'CALCULATING'";
        only_while(manager, "statement_line", "run_id", calculating, "statement_line_immutable").await?;
        refuse(manager, "statement_line", "UPDATE", "OLD.no IS NOT NULL", "statement_line_immutable").await
    }
}

const BACK_POSTGRES: &str = "INSERT INTO statement_line SELECT s.id, l.ordinality - 1, s.run_id, l.value->>0, CAST(l.value->>1 AS BIGINT), l.value->>2, \
    l.value->>3, l.value->>4, l.value->>5, l.value->>6, l.value->>7, l.value->>8, CAST(l.value->>9 AS BIGINT) \
    FROM statement s, json_array_elements(CAST(s.lines AS json)) WITH ORDINALITY AS l (value, ordinality)";
const BACK_SQLITE: &str = "INSERT INTO statement_line SELECT s.id, l.key, s.run_id, l.value->>0, l.value->>1, l.value->>2, l.value->>3, l.value->>4, \
    l.value->>5, l.value->>6, l.value->>7, l.value->>8, l.value->>9 FROM statement s, json_each(s.lines) AS l";

/// What the triggers of the table called, on PostgreSQL.
async fn drop_functions(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    if manager.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    run(manager, &["DROP FUNCTION IF EXISTS statement_line_immutable_insert()", "DROP FUNCTION IF EXISTS statement_line_immutable_delete()"]).await
}
