//! Partners: make and change, enroll.

use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use guerdon_domain::fault::Faults;

use super::begin;
use super::user_errors::{PartnerEnrollUserError, PartnerUpsertUserError, of_mutation};
use crate::app::partners::{self, EnrollPartner, UpsertPartner};
use crate::error::AppError;
use crate::graphql::context::RequestData;
use crate::graphql::error::Answer;
use crate::graphql::inputs::attributes::{AttributeInput, read_attributes};
use crate::graphql::loaders::RequestLoaders;
use crate::graphql::payload::settle;
use crate::graphql::scalars::{CurrencyCode, GqlDate};
use crate::graphql::types::partner::{Enrollment, Partner, PartnerStatus};

/// A partner as it is from a day on. It is whole: what is left out is empty from that day on.
#[derive(Debug, Clone, InputObject)]
pub struct PartnerInput {
    /// The vendor's own id.
    pub code: String,
    /// From this day on; today when empty.
    pub from: Option<GqlDate>,
    /// Its name.
    pub name: String,
    /// Its type, a key of the programs that it takes part in.
    #[graphql(name = "type")]
    pub partner_type: Option<String>,
    /// Its region, a key of the programs that it takes part in.
    pub region: Option<String>,
    /// Its parent's code: of a partner that you may change too, or the parent that it has already.
    pub parent: Option<String>,
    /// The currency that it is paid in.
    pub currency: Option<CurrencyCode>,
    /// Whether it takes part.
    #[graphql(default_with = "PartnerStatus::Active")]
    pub status: PartnerStatus,
    /// Everything else.
    #[graphql(default)]
    pub attributes: Vec<AttributeInput>,
    /// The partner's `version` as you read it, where two could edit. STALE when it was changed since.
    pub expected_version: Option<i64>,
}

/// Partners to make or change.
#[derive(Debug, Clone, InputObject)]
pub struct PartnerUpsertInput {
    /// At most 100 partners: all of them or none.
    pub partners: Vec<PartnerInput>,
    /// A new key for every new request: the same key and input answer the same again and change nothing.
    pub idempotency_key: String,
}

/// What became of a partner of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::app::partners::PartnerOutcome")]
pub enum PartnerOutcome {
    /// It is new.
    Created,
    /// It changed.
    Changed,
    /// It was so already.
    Unchanged,
}

/// A partner of the input, and what became of it.
#[derive(SimpleObject)]
pub struct PartnerUpserted {
    /// The partner; null when you may write it and not read it.
    pub partner: Option<Partner>,
    /// What became of it.
    pub outcome: PartnerOutcome,
}

/// What came of making and changing partners.
#[derive(SimpleObject)]
pub struct PartnerUpsertPayload {
    /// The partners, in the order of the input.
    pub results: Option<Vec<PartnerUpserted>>,
    /// What you have to mend; nothing was written then.
    pub user_errors: Vec<PartnerUpsertUserError>,
}

/// A partner to enroll in a program.
#[derive(Debug, Clone, InputObject)]
pub struct PartnerEnrollInput {
    /// The partner's code.
    pub partner: String,
    /// The program's code.
    pub program: String,
    /// Since when; today when empty.
    pub since: Option<GqlDate>,
    /// On which track: a partner type of the program.
    pub track: Option<String>,
    /// In which region, where a ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// A new key for every new request: the same key and input answer the same again and change nothing.
    pub idempotency_key: String,
}

/// What came of enrolling a partner.
#[derive(SimpleObject)]
pub struct PartnerEnrollPayload {
    /// The enrollment.
    pub enrollment: Option<Enrollment>,
    /// What you have to mend; nothing was written then.
    pub user_errors: Vec<PartnerEnrollUserError>,
}

fn read_partners(inputs: Vec<PartnerInput>) -> Result<Vec<UpsertPartner>, AppError> {
    let mut faults = Faults::new();
    let mut partners = Vec::with_capacity(inputs.len());
    for (at, input) in inputs.into_iter().enumerate() {
        partners.push(UpsertPartner {
            code: input.code,
            from: input.from.map(Into::into),
            name: input.name,
            partner_type: input.partner_type,
            region: input.region,
            parent: input.parent,
            currency: input.currency.map(|currency| currency.0),
            status: input.status.into(),
            attributes: read_attributes(&mut faults, &format!("partners[{at}].attributes"), input.attributes),
            expected_version: input.expected_version,
        });
    }
    faults.or(partners).map_err(AppError::from)
}

/// Mutations of partners.
#[derive(Default)]
pub struct PartnerMutations;

#[Object]
impl PartnerMutations {
    /// Makes and changes partners; all of them or none. The same again changes nothing.
    async fn partner_upsert(&self, ctx: &Context<'_>, #[graphql(desc = "The partners.")] input: PartnerUpsertInput) -> Answer<PartnerUpsertPayload> {
        let keyed = begin(ctx, &input.idempotency_key, &input)?;
        let (app, caller) = (ctx.app()?, ctx.caller()?);
        let result = match read_partners(input.partners) {
            Ok(rows) => partners::upsert_partners(app, caller, &rows, keyed.as_ref()).await,
            Err(error) => Err(error),
        };
        let (done, errors) = settle(result)?;
        let results = match done {
            Some(done) => Some(with_partners(ctx, done).await?),
            None => None,
        };
        Ok(PartnerUpsertPayload { results, user_errors: of_mutation(errors) })
    }

    /// Enrolls a partner in a program. The same again changes nothing.
    async fn partner_enroll(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom, where and since when.")] input: PartnerEnrollInput,
    ) -> Answer<PartnerEnrollPayload> {
        let keyed = begin(ctx, &input.idempotency_key, &input)?;
        let enroll =
            EnrollPartner { partner: input.partner, program: input.program, since: input.since.map(Into::into), track: input.track, region: input.region };
        let result = partners::enroll_partner(ctx.app()?, ctx.caller()?, &enroll, keyed.as_ref()).await;
        let (enrollment, errors) = settle(result)?;
        Ok(PartnerEnrollPayload { enrollment: enrollment.map(Enrollment), user_errors: of_mutation(errors) })
    }
}

/// The partners as they are after the change.
async fn with_partners(ctx: &Context<'_>, done: Vec<partners::Upserted>) -> Answer<Vec<PartnerUpserted>> {
    let ids: Vec<_> = done.iter().map(|one| one.id).collect();
    let found = ctx.loaders()?.partners(&ids).await?;
    let result = |one: partners::Upserted| PartnerUpserted { partner: found.get(&one.id).cloned().map(Partner), outcome: one.outcome.into() };
    Ok(done.into_iter().map(result).collect())
}
