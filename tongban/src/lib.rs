//! Tongban (通办), put together: cities, their sites, and the commands of the binary.

pub mod city;
pub mod clock;
pub mod commands;
pub mod config;
pub mod definitions;
mod housekeeping;
pub mod journey;
pub mod modules;
pub mod pages;
pub mod region;
mod site;
