//! Tongban (通办), put together: cities, their sites, and the commands of the binary.

mod checks;
pub mod city;
pub mod clock;
pub mod commands;
pub mod config;
pub mod definitions;
mod drill;
mod files;
mod finding;
mod housekeeping;
pub mod journey;
pub mod keyring;
pub mod keys;
pub mod modules;
mod observe;
pub mod operations;
pub mod pages;
mod planting;
pub mod region;
pub mod resealing;
mod restoring;
mod sealed_keys;
mod site;
mod traces;
mod trust;
