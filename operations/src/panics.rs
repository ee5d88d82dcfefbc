//! Panics, caught with their message and location.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

/// A panic that was expected.
#[derive(Debug)]
pub struct Caught {
    /// What it said.
    pub message: String,
    /// The file of its location.
    pub file: String,
    /// The line of its location.
    pub line: u32,
}

thread_local! {
    static IS_CATCHING: Cell<bool> = const { Cell::new(false) };
    static CAUGHT: RefCell<Option<Caught>> = const { RefCell::new(None) };
}

/// The panic of `work` on this thread, if there is one. Nothing is printed, and no other hook sees it.
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
            let place = info.location().expect("every panic has a place");
            CAUGHT.replace(Some(Caught { message, file: place.file().to_string(), line: place.line() }));
        }));
    });
    IS_CATCHING.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    IS_CATCHING.set(false);
    result.err().and_then(|_| CAUGHT.take())
}
