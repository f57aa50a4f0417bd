//! A panic inside of a test, as a failure of the test.
//!
//! Nothing that a file says may stop the others, and a defect of the compiler is what a test is
//! there to find. A panic's place is known to the hook only, so [`quiet`] puts in one that notes it
//! instead of printing; without it the message alone is told.
//!
//! Unwinding out of a step is safe: everything that a step works on is made for it and dropped.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Has panics of this process noted for [`caught`] and not printed.
pub fn quiet() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        PLACE.with_borrow_mut(|noted| *noted = place);
    }));
}

/// Does something; a panic in it is an error that says what and where.
///
/// # Errors
/// It panicked.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    PLACE.with_borrow_mut(|noted| *noted = None);
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let place = PLACE.with_borrow_mut(Option::take);
        let place = place.map_or_else(String::new, |place| format!(" at {place}"));
        format!("panic{place}: {}", message(payload.as_ref()))
    })
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::caught;

    #[test]
    fn a_panic_is_an_error() {
        assert_eq!(caught(|| 1), Ok(1));
        let error = caught(|| panic!("{} things", 2)).unwrap_err();
        assert!(error.ends_with("2 things"), "{error}");
    }
}
