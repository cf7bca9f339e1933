//! The people of the journey.
