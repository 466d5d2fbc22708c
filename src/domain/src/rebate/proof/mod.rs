//! The proof of a statement: one JSON document that states every input and every step, so that anybody can recompute the figure
//! from the file alone.
//!
//! [`given`] is what a derivation states: versions of the program, facts, what earlier runs posted. [`mod@derive`] computes everything
//! else from it, by the same engine as the run. [`reversal`] is of a statement that takes another one back. [`mod@verify`] reads a file, derives it again and compares byte for byte. What
//! depends on partners whose facts are not in the file (the share of a budget, a rank in a cohort) is stated as an input, and
//! said to be one.

mod adjust;
mod calculate;
mod canonical;
pub mod derive;
pub mod given;
mod narrow;
mod numbered;
pub mod reversal;
pub mod verify;

pub use derive::{Asked, Derivation, derive};
pub use given::{FORMAT, Given};
pub use reversal::derive_reversal;
pub use verify::{Proven, verify};

#[cfg(test)]
mod tests;
