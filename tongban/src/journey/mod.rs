//! The headless journey (无界面全程): one case through three cities, over their public HTTP interfaces only.
//!
//! Invariant: nothing in this folder names a block of the product; what it sees is what any program outside sees.

pub mod browser;
pub mod drill;
pub mod patience;
pub mod people;
pub mod proof;
pub mod region;
pub mod report;
pub mod steps;
pub mod tour;
