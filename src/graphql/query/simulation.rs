//! What-if: a question, not a change. Nothing is stored.

use std::sync::Arc;

use async_graphql::{Context, Object};

use crate::app::programs::ProgramKey;
use crate::app::simulation;
use crate::graphql::context::RequestData;
use crate::graphql::error::Maybe;
use crate::graphql::inputs::simulation::SimulationInput;
use crate::graphql::types::simulation::Simulation;

/// Queries of hypotheses.
#[derive(Default)]
pub struct SimulationQueries;

#[Object]
impl SimulationQueries {
    /// What would change if the rules, or partners' facts, were others: judged over everybody that you may ask about, or a slice of
    /// them, and compared with reality judged in the same way. Nothing is stored. At most 100,000 partners, 10,000 where rebates are
    /// compared.
    async fn simulation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The hypothesis, and what is asked about it.")] input: SimulationInput,
    ) -> Maybe<Simulation> {
        let found = async {
            let caller = ctx.caller()?;
            let day = simulation::day_of(ctx.app()?, caller, input.program.clone().map(ProgramKey::Code).as_ref(), input.as_of.map(|date| date.0)).await?;
            let order = input.read(day)?;
            Ok(Simulation(Arc::new(simulation::simulate(ctx.app()?, caller, &order).await?)))
        };
        Some(found.await)
    }
}
