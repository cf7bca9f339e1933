//! Integration tests of the whole binary: processes, stories, browser journeys, registered statements.

mod administrator;
mod browser;
mod ceremony;
mod crash;
mod damage;
mod demo;
mod evidence;
mod failures;
mod fleet;
mod headers;
mod operations;
mod process;
mod processes;
mod restore;
mod sealing;
mod shutdown;
mod sockets;
mod statements;
mod stories;
mod traces;
mod upkeep;
