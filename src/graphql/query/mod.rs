//! What can be asked.

use async_graphql::Object;

/// What can be asked.
pub struct Query;

#[Object]
impl Query {
    /// The version of this service.
    async fn api_version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }
}
