//! Tests of the pages: three cities with real stores, keys, desks and logs; only sockets are left out.

mod accounts;
mod asks;
mod auditor;
mod bureau;
mod cases;
mod firm;
mod forks;
mod looks;
mod real_cases;
mod roster;
mod staff;
mod support;
