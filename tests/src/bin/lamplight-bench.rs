//! The measures, each beside its limit in the same run.

fn main() {}
