//! What a program says when it breaks.

/// From now on a panic's place is logged and none of its words: they may hold a patient's name. At the start of a
/// program.
pub fn say_where_only() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a mistake in the program");
    }));
}
