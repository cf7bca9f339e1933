//! What lies on the disk (落盘加密): a person whose every word is known goes the whole way through three cities, and
//! then everything that the cities left behind is searched for her, in clear and in every common encoding.

mod canary;
mod columns;
mod rotation;
mod scan;
