//! The fact tables: their schema and their builders.

pub mod tables;
