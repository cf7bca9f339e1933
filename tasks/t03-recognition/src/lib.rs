//! t03-recognition
