//! Tablets without a window, over the same crate that the app uses.

pub mod key_store;
pub mod load;
pub mod tablet;
