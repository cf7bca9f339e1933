//! The guided tour of the demo (导览): a bar under the head of live pages, and a mark on one element of them.
//!
//! Who leads it tells per request what the bar says; here is only how it is shown. Exists in `demo` only.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;

use crate::Visit;

/// What the bar says on one page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TourBar {
    /// Which step this is, from 1.
    pub step: usize,
    /// How many there are.
    pub count: usize,
    /// What is to be done, and by whom.
    pub text: String,
    /// Whether it has been done.
    pub is_done: bool,
    /// The elements of pages that belong to this step; a page shows the one that it has.
    pub marks: &'static [&'static str],
    /// Whether the page shown is where the step is done, by who is signed in.
    pub is_here: bool,
    /// Where the step is done, with its words; or where the next one is.
    pub way: Option<(String, String)>,
}

impl TourBar {
    /// Whether the place of the step is to be seen: until it is done, and on the page that the tour ends with.
    pub(crate) fn is_marking(&self) -> bool {
        self.is_here && (!self.is_done || self.step == self.count)
    }
}

/// Answers what the bar of a page says.
pub type Answer = Pin<Box<dyn Future<Output = Option<TourBar>> + Send>>;

/// Leads the tour: asked once per request of a browser that takes it.
#[derive(Clone)]
pub struct Guide(Arc<dyn Fn(Visit) -> Answer + Send + Sync>);

impl Guide {
    /// A guide by this function.
    pub fn by(answer: impl Fn(Visit) -> Answer + Send + Sync + 'static) -> Guide {
        Guide(Arc::new(answer))
    }

    /// The bar of this page, if there is one.
    pub(crate) async fn bar(&self, visit: &Visit) -> Option<TourBar> {
        (self.0)(visit.clone()).await
    }
}

impl fmt::Debug for Guide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guide")
    }
}
