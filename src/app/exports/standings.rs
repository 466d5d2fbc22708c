//! The standings that a review found, as CSV.

use std::sync::Arc;

use futures_util::stream;
use guerdon_domain::access::{Action, Resource, Scope};
use guerdon_domain::exact::spell;
use guerdon_domain::program::Program;
use guerdon_store::{Cursor, ListedStanding, PageRequest, StandingFilter, StandingOrder, StandingsOf, StoreError};
use serde_json::Value;

use super::csv::{header, lines, text};
use super::{Export, ExportKind, whole_standing};
use crate::app::programs::compiled_in;
use crate::app::reviews::{ReviewId, find_review, program_and_version};
use crate::app::{App, Ctx};
use crate::error::AppError;

/// The columns, in their order. New ones are added at the end; none is taken away or renamed.
pub const COLUMNS: &[&str] = &[
    "asOf",
    "program",
    "programVersion",
    "partnerCode",
    "ladder",
    "region",
    "tierBefore",
    "tier",
    "change",
    "qualifiedTier",
    "reasons",
    "nextTier",
    "nextShareMet",
    "missingForNext",
    "missingToKeep",
    "atRiskOn",
    "risks",
    "graceUntil",
    "overriddenUntil",
    "awaitsAdmission",
];

/// Rows of one piece.
const PIECE: u32 = 1_000;

/// Where an export is: before its header, behind a row, at its end.
enum At {
    Start,
    Behind(Option<Cursor>),
    End,
}

/// The standings of partners that the caller may see, as a review found them, by the partners' codes.
///
/// # Errors
/// `Forbidden`; `NotFound` when there is no such review.
pub async fn export_standings(app: &App, ctx: &Ctx, review: ReviewId) -> Result<Export, AppError> {
    let scope = ctx.require((Action::Read, Resource::Review))?;
    let review = find_review(app, ctx, review).await?.ok_or(AppError::NotFound)?;
    let (program, version) = program_and_version(app, &review).await?;
    let compiled = app.store.read(async |tx| compiled_in(app, tx, &version).await).await?;
    let name = format!("review-{}-{}", program.code, review.as_of);
    let rows =
        Rows { app: app.clone(), scope, of: StandingsOf::Review(review.standings_of()), head: [program.code.clone(), version.number.to_string()], compiled };
    let pieces = stream::try_unfold((rows, At::Start), async |(rows, at)| match at {
        At::Start => Ok(Some((header(COLUMNS)?, (rows, At::Behind(None))))),
        At::Behind(cursor) => {
            let (piece, next) = rows.piece(cursor).await?;
            Ok(Some((piece, (rows, next.map_or(At::End, |cursor| At::Behind(Some(cursor)))))))
        }
        At::End => Ok(None),
    });
    Ok(Export::streamed(&name, ExportKind::Csv, pieces))
}

struct Rows {
    app: App,
    scope: Scope,
    of: StandingsOf,
    head: [String; 2],
    compiled: Arc<Program>,
}

impl Rows {
    async fn piece(&self, after: Option<Cursor>) -> Result<(Vec<u8>, Option<Cursor>), AppError> {
        let request = PageRequest::first(PIECE);
        let request = after.map_or_else(|| request.clone(), |cursor| request.clone().after(cursor));
        let filter = StandingFilter::default();
        let page =
            self.app.store.read::<_, StoreError, _>(async |tx| tx.list_standings(&self.scope, self.of, &filter, StandingOrder::Code, &request).await).await?;
        let next = page.rows.last().map(|(cursor, _)| cursor.clone()).filter(|_| page.has_next);
        let rows = page.rows.iter().map(|(_, row)| self.row(row)).collect::<Result<Vec<_>, AppError>>()?;
        Ok((lines(rows)?, next))
    }

    fn row(&self, row: &ListedStanding) -> Result<Vec<String>, AppError> {
        let standing = whole_standing(&self.compiled, row)?;
        let [program, version] = &self.head;
        let maybe = |value: &Option<String>| value.as_deref().map(text).unwrap_or_default();
        let day = |day: Option<guerdon_domain::date::Date>| day.map(|day| day.to_string()).unwrap_or_default();
        let risks: Vec<String> = row.risk.as_deref().and_then(|risk| serde_json::from_str(risk).ok()).unwrap_or_default();
        Ok(vec![
            row.as_of.to_string(),
            text(program),
            version.clone(),
            text(&row.code),
            text(&row.ladder),
            maybe(&row.region),
            maybe(&row.from_tier),
            maybe(&row.tier),
            row.change.clone().unwrap_or_default(),
            maybe(&row.qualified_tier),
            text(&words(standing.pointer("/decision/reasons"))),
            maybe(&row.next_tier),
            row.next_share.map(|share| spell(share.into(), 8, true)).unwrap_or_default(),
            text(&sentences(standing.pointer("/next/gap/missing"))),
            text(&sentences(standing.pointer("/keep/missing"))),
            day(row.at_risk_on),
            text(&risks.join("; ")),
            day(row.grace_until),
            day(row.overridden_until),
            row.awaiting.to_string(),
        ])
    }
}

/// Words of a list, one after the other.
pub(super) fn words(list: Option<&Value>) -> String {
    let words = list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    words.collect::<Vec<_>>().join(" ")
}

/// The sentences of what is missing.
pub(super) fn sentences(missing: Option<&Value>) -> String {
    let leaves = missing.and_then(Value::as_array).into_iter().flatten();
    leaves.filter_map(|leaf| leaf.pointer("/sentence/text")?.as_str()).collect::<Vec<_>>().join("; ")
}
