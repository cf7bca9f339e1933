//! What operators see of a process (观测): figures that are counted, and traces that cross cities.
//!
//! Invariant: nothing here holds personal data: labels and names are constants of the program, codes or numbers.

pub mod metrics;
pub mod trace;

#[cfg(test)]
mod tests;
