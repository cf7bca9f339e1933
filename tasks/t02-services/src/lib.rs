//! t02-services
