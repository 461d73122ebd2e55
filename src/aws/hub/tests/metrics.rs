use super::*;

const SPAN: Span = Span { from: Timestamp::UNIX_EPOCH, until: Timestamp::constant(15 * 60, 0) };

fn series(function: usize, name: &str) -> Series {
    Series {
        metric: Metric {
            namespace: "AWS/Lambda".to_owned(),
            name: name.to_owned(),
            dimensions: vec![("FunctionName".to_owned(), format!("f{function}"))],
        },
        statistic: "Sum".to_owned(),
        period: 60,
    }
}

fn three(function: usize) -> BTreeSet<Series> {
    ["Errors", "Invocations", "Throttles"].map(|name| series(function, name)).into()
}

fn values(answer: &BTreeMap<Series, Vec<Datapoint>>) -> Vec<f64> {
    answer.values().flatten().map(|point| point.value).collect()
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_with_three_series_each_make_six_calls() {
    let hub = Hub::default();
    let (fake, session) = session(Fake::default());
    let wanted: Vec<_> = (0..1_000).map(three).collect();
    let begun = Instant::now();
    let answers = join_all(wanted.iter().map(|wanted| hub.metrics(&session, wanted, SPAN))).await;
    for (wanted, answer) in wanted.iter().zip(answers) {
        let answer = answer.unwrap();
        assert!(answer.keys().eq(wanted.iter()));
        assert_eq!(values(&answer), [1.0; 3]);
    }
    assert_eq!(fake.metric_calls(), [(500, SPAN); 6]);
    // All six were full, and none waited for the others.
    assert_eq!(begun.elapsed(), CALL);
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_for_again_costs_nothing_for_a_while() {
    let hub = Hub::default();
    let (fake, session) = session(Fake::default());
    let begun = Instant::now();
    let wanted = three(1);
    let (one, other) =
        tokio::join!(hub.metrics(&session, &wanted, SPAN), hub.metrics(&session, &wanted, SPAN));
    assert_eq!(begun.elapsed(), GATHER + CALL);
    assert_eq!(one.unwrap(), other.unwrap());
    let more: BTreeSet<_> = wanted.iter().cloned().chain([series(2, "Errors")]).collect();
    assert_eq!(hub.metrics(&session, &more, SPAN).await.unwrap().len(), 4);
    assert_eq!(fake.metric_calls(), [(3, SPAN), (1, SPAN)]);
    advance(METRICS_KEPT).await;
    hub.metrics(&session, &more, SPAN).await.unwrap();
    assert_eq!(fake.metric_calls(), [(3, SPAN), (1, SPAN), (4, SPAN)]);
}

#[tokio::test(start_paused = true)]
async fn who_comes_while_a_call_is_under_way_waits_for_it() {
    let hub = Hub::default();
    let (fake, session) = session(Fake::default());
    let wanted = three(1);
    let late = async {
        sleep(GATHER + CALL / 2).await;
        hub.metrics(&session, &wanted, SPAN).await
    };
    let (one, late) = tokio::join!(hub.metrics(&session, &wanted, SPAN), late);
    assert_eq!(one.unwrap(), late.unwrap());
    assert_eq!(fake.metric_calls(), [(3, SPAN)]);
}

#[tokio::test(start_paused = true)]
async fn spans_that_end_together_share_a_call_and_each_has_its_own_part() {
    let hub = Hub::default();
    let (fake, session) = session(Fake { points: 30, ..Fake::default() });
    let (all, few, other) = (three(1), three(2), Span { from: at(900), until: at(1_800) });
    let last = Span { from: at(600), ..SPAN };
    let answers = tokio::join!(
        hub.metrics(&session, &all, SPAN),
        hub.metrics(&session, &few, last),
        hub.metrics(&session, &all, other)
    );
    let first = |answer: Result<BTreeMap<Series, Vec<Datapoint>>, Error>| {
        answer.unwrap().into_values().map(|points| points[0].at.as_second()).collect::<Vec<_>>()
    };
    assert_eq!(first(answers.0), [0; 3]);
    assert_eq!(first(answers.1), [600; 3]);
    assert_eq!(first(answers.2), [900; 3]);
    let calls: BTreeSet<_> = fake.metric_calls().into_iter().collect();
    assert_eq!(calls, BTreeSet::from([(6, SPAN), (3, other)]));
    // What is longer is read by itself, and in steps.
    for (from, read) in [(-60, -900), (-900, -900), (-901, -2_700)] {
        hub.metrics(&session, &all, Span { from: at(from), ..SPAN }).await.unwrap();
        let (_, span) = *fake.metric_calls().last().unwrap();
        assert_eq!(span, Span { from: at(read), ..SPAN });
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_leaves_takes_nothing_with_it() {
    let hub = Hub::default();
    let (fake, session) = session(Fake::default());
    // One leaves before the call is sent, one while it is under way.
    for (function, stays) in [(1, GATHER / 2), (2, GATHER + CALL / 2)] {
        let (opener, follower) = (three(function), three(function));
        let (left, stayed) = tokio::join!(
            timeout(stays, hub.metrics(&session, &opener, SPAN)),
            hub.metrics(&session, &follower, SPAN)
        );
        assert!(left.is_err());
        assert_eq!(values(&stayed.unwrap()), [1.0; 3]);
    }
    // Nobody is left to hear it, but the next one is.
    let alone = three(3);
    timeout(GATHER / 2, hub.metrics(&session, &alone, SPAN)).await.unwrap_err();
    sleep(GATHER + CALL).await;
    let begun = Instant::now();
    hub.metrics(&session, &alone, SPAN).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(fake.metric_calls(), [(3, SPAN); 3]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_reaches_all_who_asked_and_is_not_kept() {
    let hub = Hub::default();
    let (fake, session) = session(Fake::default());
    fake.trouble(Trouble::Fail(Class::Denied));
    let wanted: Vec<_> = (0..3).map(three).collect();
    let answers = join_all(wanted.iter().map(|wanted| hub.metrics(&session, wanted, SPAN))).await;
    for answer in answers {
        let error = answer.unwrap_err();
        assert_eq!((error.class, &*error.code), (Class::Denied, "TheCode"));
        assert_eq!(error.request_id.as_deref(), Some("id"));
    }
    let answers = join_all(wanted.iter().map(|wanted| hub.metrics(&session, wanted, SPAN))).await;
    assert!(answers.iter().all(|answer| values(answer.as_ref().unwrap()) == [1.0; 3]));
    assert_eq!(fake.metric_calls(), [(9, SPAN); 2]);
}

#[tokio::test(start_paused = true)]
async fn a_series_that_failed_fails_those_who_asked_for_it() {
    for fake in [
        Fake { failed: "Bad", ..Fake::default() },
        Fake { failed: "Bad", pages: 3, ..Fake::default() },
        Fake { unanswered: "Bad", ..Fake::default() },
    ] {
        let pages = fake.pages;
        let hub = Hub::default();
        let (fake, session) = session(fake);
        let good = three(1);
        let bad = BTreeSet::from([series(1, "Bad"), series(1, "Errors")]);
        let (good, error) =
            tokio::join!(hub.metrics(&session, &good, SPAN), hub.metrics(&session, &bad, SPAN));
        assert_eq!(good.unwrap().len(), 3);
        let error = error.unwrap_err();
        assert_eq!(error.class, Class::Unknown);
        assert_eq!(error.resource, "metric AWS/Lambda Bad Sum FunctionName=f1");
        assert_eq!(fake.metric_calls().len(), pages);
        // What failed is asked for again, what was answered is not.
        hub.metrics(&session, &bad, SPAN).await.unwrap_err();
        assert_eq!(fake.metric_calls().last(), Some(&(1, SPAN)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_series_without_data_is_there_and_empty() {
    let hub = Hub::default();
    let (_, session) = session(Fake { without_data: "Errors", ..Fake::default() });
    let answer = hub.metrics(&session, &three(1), SPAN).await.unwrap();
    assert_eq!(answer.get(&series(1, "Errors")), Some(&vec![]));
    assert_eq!(values(&answer), [1.0; 2]);
}

#[tokio::test(start_paused = true)]
async fn pages_are_put_together_and_never_followed_for_ever() {
    let hub = Hub::default();
    let (fake, one) = session(Fake { pages: 3, points: 2, ..Fake::default() });
    let wanted = BTreeSet::from([series(1, "Errors")]);
    let answer = hub.metrics(&one, &wanted, SPAN).await.unwrap();
    let times: Vec<_> = answer.values().flatten().map(|point| point.at.as_second()).collect();
    assert_eq!(times, [0, 60, 120, 180, 240, 300]);
    assert_eq!(fake.metric_calls().len(), 3);
    let (fake, endless) = session(Fake { pages: 1_000, ..Fake::default() });
    let error = hub.metrics(&endless, &wanted, SPAN).await.unwrap_err();
    assert!(error.message.contains("more than 16 pages"), "{error}");
    assert_eq!(fake.metric_calls().len(), 16);
}

#[tokio::test(start_paused = true)]
async fn one_role_never_sees_the_answers_of_another() {
    let hub = Hub::default();
    let (fake_one, one) = session(Fake { value: 1.0, ..Fake::default() });
    let (fake_two, two) = session(Fake { value: 2.0, ..Fake::default() });
    let (fake_denied, denied) = session(Fake::default());
    fake_denied.trouble(Trouble::Fail(Class::Denied));
    let wanted = three(1);
    let answers = tokio::join!(
        hub.metrics(&one, &wanted, SPAN),
        hub.metrics(&two, &wanted, SPAN),
        hub.metrics(&denied, &wanted, SPAN)
    );
    assert_eq!(values(&answers.0.unwrap()), [1.0; 3]);
    assert_eq!(values(&answers.1.unwrap()), [2.0; 3]);
    assert_eq!(answers.2.unwrap_err().class, Class::Denied);
    // Nor do kept answers cross over.
    let (_, late) = session(Fake { value: 3.0, ..Fake::default() });
    assert_eq!(values(&hub.metrics(&late, &wanted, SPAN).await.unwrap()), [3.0; 3]);
    for fake in [fake_one, fake_two, fake_denied] {
        assert_eq!(fake.metric_calls(), [(3, SPAN)]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_cut_off_is_an_error_and_made_again() {
    let hub = Hub::default();
    let (fake, session) = session(Fake::default());
    fake.trouble(Trouble::Die);
    let wanted = three(1);
    let error = hub.metrics(&session, &wanted, SPAN).await.unwrap_err();
    assert_eq!(error.class, Class::Unknown);
    assert!(error.message.contains("cut off"), "{error}");
    assert_eq!(values(&hub.metrics(&session, &wanted, SPAN).await.unwrap()), [1.0; 3]);
    assert_eq!(fake.metric_calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_lost_call_is_repeated_for_all_together() {
    let hub = Hub::default();
    let (fake, session) = session(Fake::default());
    fake.trouble(Trouble::Fail(Class::Unknown));
    assert_eq!(values(&hub.metrics(&session, &three(1), SPAN).await.unwrap()), [1.0; 3]);
    assert_eq!(fake.metric_calls(), [(3, SPAN); 2]);
}

#[tokio::test(start_paused = true)]
async fn the_oldest_answers_go_when_there_is_too_much() {
    let hub = Hub::default();
    let (fake, session) = session(Fake { points: 100_000, ..Fake::default() });
    let wanted = BTreeSet::from([series(1, "Errors")]);
    let spans = (0..20).map(|n| Span { from: at(n * 900), until: at((n + 1) * 900) });
    let spans: Vec<_> = spans.collect();
    for span in &spans {
        hub.metrics(&session, &wanted, *span).await.unwrap();
        let (places, weight) = hub.metrics.kept();
        assert!(places <= 5 && weight <= 600_000, "{places} places, {weight} datapoints");
    }
    hub.metrics(&session, &wanted, spans[19]).await.unwrap();
    assert_eq!(fake.metric_calls().len(), 20);
    hub.metrics(&session, &wanted, spans[0]).await.unwrap();
    assert_eq!(fake.metric_calls().len(), 21);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_of_old_spans_and_failures() {
    let hub = Hub::default();
    let (fake, session) = session(Fake::default());
    hub.metrics(&session, &three(1), SPAN).await.unwrap();
    advance(METRICS_KEPT).await;
    fake.trouble(Trouble::Fail(Class::Denied));
    let other = Span { from: at(60), until: at(120) };
    hub.metrics(&session, &three(1), other).await.unwrap_err();
    assert_eq!(hub.metrics.kept(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_metric_that_aws_does_not_take_fails_alone() {
    let hub = Hub::default();
    let (fake, session) = session(Fake { poison: "Poison", ..Fake::default() });
    let mut wanted: Vec<_> = (0..166).map(three).collect();
    wanted.push([series(7, "Poison"), series(7, "Errors")].into());
    let mut answers =
        join_all(wanted.iter().map(|wanted| hub.metrics(&session, wanted, SPAN))).await;
    let poisoned = answers.pop().unwrap().unwrap_err();
    assert_eq!((poisoned.class, poisoned.code.as_str()), (Class::Invalid, "TheCode"));
    for (wanted, answer) in wanted.iter().zip(answers) {
        assert!(answer.unwrap().keys().eq(wanted.iter()));
    }
    // Halves of 499 until the wrong one is alone.
    assert!(fake.metric_calls().len() <= 19, "{:?}", fake.metric_calls());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_allowed_is_not_asked_for_in_halves() {
    let hub = Hub::default();
    let (fake, session) = session(Fake::default());
    fake.trouble(Trouble::Fail(Class::Denied));
    let denied = hub.metrics(&session, &three(1), SPAN).await.unwrap_err();
    assert_eq!(denied.class, Class::Denied);
    assert_eq!(fake.metric_calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_expression_is_a_call_of_its_own_that_those_share_who_ask_for_the_same() {
    let hub = Hub::default();
    let (fake, session) = session(Fake { value: 7.0, ..Fake::default() });
    let span = Span { from: at(0), until: at(600) };
    let math =
        |expression: &str| Math { expression: expression.to_owned(), inputs: vec![], period: 600 };
    let (sum, rate) = (math("a+b"), math("a/b"));
    let asked = [&sum, &rate, &sum].map(|math| hub.math(&session, math, span));
    for found in join_all(asked).await {
        assert_eq!(found.unwrap(), [Datapoint { at: at(0), value: 7.0 }]);
    }
    assert_eq!(fake.metric_calls().len(), 2);
    // A failure is nobody else's, and is not kept.
    fake.trouble(Trouble::Fail(Class::Invalid));
    let wrong = math("a+");
    assert_eq!(hub.math(&session, &wrong, span).await.unwrap_err().class, Class::Invalid);
    assert!(hub.math(&session, &sum, span).await.is_ok());
    assert!(hub.math(&session, &wrong, span).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_call_begins_with_a_whole_period() {
    let hub = Hub::default();
    let (fake, session) = session(Fake::default());
    let wanted = BTreeSet::from([Series { period: 600, ..series(1, "Errors") }]);
    let span = Span { from: at(8_400), until: at(9_000) };
    hub.metrics(&session, &wanted, span).await.unwrap();
    // Not at 8100, a quarter of an hour before the end.
    assert_eq!(fake.metric_calls(), [(1, Span { from: at(7_800), until: at(9_000) })]);
}
