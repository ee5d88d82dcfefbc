//! Catches an expected panic, with its message and location, and keeps it from being printed.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

/// A panic that was caught.
#[derive(Debug)]
pub struct Caught {
    /// The message.
    pub message: String,
    /// The file in which it was raised, or that of the caller of a `#[track_caller]` function.
    pub file: String,
    /// The line in that file.
    pub line: u32,
}

thread_local! {
    static IS_CATCHING: Cell<bool> = const { Cell::new(false) };
    static CAUGHT: RefCell<Option<Caught>> = const { RefCell::new(None) };
}

/// Runs `work` and returns its panic, if there is one. A panic on this thread is not printed, and no other hook sees
/// it. Panics on other threads are left to the hook that was there before.
pub fn catch(work: impl FnOnce()) -> Option<Caught> {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_CATCHING.get() {
                return previous(info);
            }
            let text = info.payload().downcast_ref::<&str>().map(|text| text.to_string());
            let message = text.or_else(|| info.payload().downcast_ref::<String>().cloned()).unwrap_or_default();
            let location = info.location().expect("every panic has a location");
            CAUGHT.replace(Some(Caught { message, file: location.file().to_string(), line: location.line() }));
        }));
    });
    IS_CATCHING.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    IS_CATCHING.set(false);
    result.err().and_then(|_| CAUGHT.take())
}
