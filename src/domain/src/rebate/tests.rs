//! Rebates held to their laws and to published examples.
