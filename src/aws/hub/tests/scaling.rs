use super::*;
use crate::facts::scaling::{ScalableTarget, TargetPage};

/// An Application Auto Scaling with these pages of targets.
#[derive(Default)]
struct Scaled {
    pages: Vec<Vec<ScalableTarget>>,
    refusal: Mutex<Option<Class>>,
    calls: Mutex<usize>,
}

impl Scaled {
    fn calls(&self) -> usize {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    fn refuse(&self, class: Option<Class>) {
        *self.refusal.lock().unwrap() = class;
    }
}

#[async_trait]
impl port::AutoScaling for Scaled {
    async fn describe_scalable_targets(&self, next: Option<&str>) -> Result<TargetPage, Error> {
        *self.calls.lock().unwrap() += 1;
        sleep(CALL).await;
        if let Some(class) = *self.refusal.lock().unwrap() {
            return Err(super::refusal(Operation::AutoScalingDescribeScalableTargets, class));
        }
        let number = next.map_or(0, |next| next.parse().unwrap());
        let next = (number + 1 < self.pages.len()).then(|| (number + 1).to_string());
        Ok(TargetPage { targets: self.pages.get(number).cloned().unwrap_or_default(), next })
    }
}

fn target(resource: &str) -> ScalableTarget {
    ScalableTarget { resource: resource.to_owned(), least: 1, most: 10, suspended: false }
}

fn scaled(scaled: Scaled) -> (Arc<Scaled>, Arc<Session>) {
    let scaled = Arc::new(scaled);
    let port: Arc<dyn port::AutoScaling> = Arc::<Scaled>::clone(&scaled);
    (scaled, session_with(Arc::default(), Arc::new(port::unasked::Unasked), port))
}

async fn looked(
    hub: &Hub,
    session: &Arc<Session>,
    alias: &str,
    second: i64,
) -> Result<Option<ScalableTarget>, Error> {
    hub.scaling(session, ("f", alias), at(second)).await
}

#[tokio::test(start_paused = true)]
async fn two_hundred_starts_make_one_reading_of_all_pages() {
    let hub = Hub::default();
    let paused = ScalableTarget { suspended: true, ..target("function:f:paused") };
    let pages = vec![
        vec![target("function:other:live"), paused],
        vec![target("function:f:live"), target("function:f:43")],
    ];
    let (scaled, session) = scaled(Scaled { pages, ..Scaled::default() });
    let aliases: Vec<String> = (0..200).map(|number| format!("alias-{number}")).collect();
    let looks = aliases.iter().map(|alias| looked(&hub, &session, alias, 0));
    assert!(join_all(looks).await.into_iter().all(|found| found.unwrap().is_none()));
    assert_eq!(scaled.calls(), 2);
    assert_eq!(looked(&hub, &session, "live", 599).await.unwrap(), Some(target("function:f:live")));
    // What is suspended changes nothing.
    assert_eq!(looked(&hub, &session, "paused", 599).await.unwrap(), None);
    assert_eq!(scaled.calls(), 0);
    looked(&hub, &session, "live", 600).await.unwrap();
    assert_eq!(scaled.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_more_pages_are_read_than_said() {
    let hub = Hub::default();
    let pages = (0..30).map(|page| vec![target(&format!("function:f:alias-{page}"))]).collect();
    let (scaled, session) = scaled(Scaled { pages, ..Scaled::default() });
    assert!(looked(&hub, &session, "alias-19", 0).await.unwrap().is_some());
    assert!(looked(&hub, &session, "alias-20", 0).await.unwrap().is_none());
    assert_eq!(scaled.calls(), 20);
}

#[tokio::test(start_paused = true)]
async fn that_scaling_may_not_be_read_is_remembered_and_trouble_that_may_pass_is_not() {
    for (class, calls, again) in [(Class::Denied, 1, 0), (Class::Throttled, 3, 1)] {
        let hub = Hub::default();
        let (scaled, session) = scaled(Scaled::default());
        scaled.refuse(Some(class));
        assert_eq!(looked(&hub, &session, "live", 0).await.unwrap_err().class, class);
        assert_eq!(scaled.calls(), calls, "a read is tried again as every other");
        scaled.refuse(None);
        assert_eq!(looked(&hub, &session, "live", 599).await.is_ok(), again > 0);
        assert_eq!(scaled.calls(), again);
        assert!(looked(&hub, &session, "live", 600).await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn what_one_role_may_see_of_scaling_is_not_told_to_another() {
    let hub = Hub::default();
    let pages = vec![vec![target("function:f:live")]];
    let (_, allowed) = scaled(Scaled { pages, ..Scaled::default() });
    let (other, denied) = scaled(Scaled::default());
    other.refuse(Some(Class::Denied));
    assert!(looked(&hub, &allowed, "live", 0).await.unwrap().is_some());
    assert_eq!(looked(&hub, &denied, "live", 0).await.unwrap_err().class, Class::Denied);
}
