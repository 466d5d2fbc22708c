//! What can be asked. A resolver is parse, call, wrap.

pub mod admissions;
pub mod disputes;
pub mod jobs;
pub mod nodes;
pub mod partners;
pub mod programs;
pub mod reviews;
pub mod runs;
pub mod simulation;

use async_graphql::{MergedObject, Object};

pub use nodes::Node;

/// What can be asked.
#[derive(Default, MergedObject)]
pub struct Query(
    ServiceQueries,
    nodes::NodeQueries,
    disputes::DisputeQueries,
    jobs::JobQueries,
    partners::PartnerQueries,
    programs::ProgramQueries,
    admissions::AdmissionQueries,
    runs::RunQueries,
    reviews::ReviewQueries,
    simulation::SimulationQueries,
);

/// Queries of the service itself.
#[derive(Default)]
struct ServiceQueries;

#[Object]
impl ServiceQueries {
    /// The version of this service.
    async fn api_version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }
}
