//! Addresses that are taken, and what answers mean.

use proptest::prelude::*;

use super::*;
use crate::api::check::CheckVerdict::{self, Failed, Passed, Unreadable};

#[track_caller]
fn check(text: &str, secure: bool, host: &str, port: u16, target: &str) {
    let url = Url::parse(text).unwrap();
    let found = (url.secure, url.host.as_str(), url.port, url.target.as_str());
    assert_eq!(found, (secure, host, port, target), "{text}");
}

#[test]
fn an_address_is_taken_apart() {
    check("https://api.example.com/health", true, "api.example.com", 443, "/health");
    check("https://API.Example.com", true, "api.example.com", 443, "/");
    check("https://api.example.com.:8443/a?b=c", true, "api.example.com", 8_443, "/a?b=c");
    check("https://api.example.com?b", true, "api.example.com", 443, "/?b");
    check("http://127.0.0.1:8080/", false, "127.0.0.1", 8_080, "/");
    check("https://[2001:db8::1]:8443/x", true, "2001:db8::1", 8_443, "/x");
    check("http://[::1]/", false, "::1", 80, "/");
}

#[test]
fn what_is_no_plain_address_of_the_web_is_refused() {
    for text in [
        "",
        "api.example.com",
        "/health",
        "https://",
        "https:///health",
        "ftp://api.example.com/",
        "file:///etc/passwd",
        "https://user:secret@api.example.com/",
        "https://user@api.example.com/",
        "https://api.example.com@10.0.0.1/",
        "https://api.example.com/#part",
        "https://api.example.com:/",
        "https://api.example.com:0/",
        "https://api.example.com:65536/",
        "https://api.example.com:80:80/",
        "https://a b.example.com/",
        "https://api.example.com/a b",
        "https://api.example.com/\r\nX: y",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://./",
    ] {
        assert!(Url::parse(text).is_err(), "{text}: {:?}", Url::parse(text));
    }
    assert!(Url::parse(&format!("https://a.com/{}", "a".repeat(2_048))).is_err());
}

fn raw() -> HttpCheck {
    HttpCheck {
        url: "https://api.example.com/health?token=1".into(),
        expect_status: None,
        body_contains: None,
    }
}

#[track_caller]
fn judged(raw: &HttpCheck, answer: Result<Answer, Unanswered>, verdict: CheckVerdict, says: &str) {
    let judged = Http::parse(raw).unwrap().judge(&answer);
    assert_eq!((judged.verdict, judged.message.as_str()), (verdict, says));
}

fn answer(status: u16, body: &str) -> Result<Answer, Unanswered> {
    Ok(Answer { status, body: body.into() })
}

const URL: &str = "https://api.example.com/health";

#[test]
fn the_status_must_be_the_expected_one_and_the_query_is_not_told() {
    judged(&raw(), answer(200, ""), Passed, &format!("{URL} answers 200"));
    judged(&raw(), answer(503, ""), Failed, &format!("{URL} answers 503, not 200"));
    let says = format!("{URL} answers 302, not 200; redirects are not followed");
    judged(&raw(), answer(302, ""), Failed, &says);
    let gone = HttpCheck { expect_status: Some(410), ..raw() };
    judged(&gone, answer(410, ""), Passed, &format!("{URL} answers 410"));
    judged(&gone, answer(200, ""), Failed, &format!("{URL} answers 200, not 410"));
}

#[test]
fn the_body_must_contain_the_text_and_is_not_told() {
    let ok = HttpCheck { body_contains: Some("\"ok\"".into()), ..raw() };
    let says = format!("{URL} answers 200 with the expected text");
    judged(&ok, answer(200, "{\"state\": \"ok\"}"), Passed, &says);
    let says = format!("{URL} answers 200 without the expected text in its first 64 KiB");
    judged(&ok, answer(200, "{\"state\": \"<script>\"}"), Failed, &says);
    judged(&ok, answer(200, ""), Failed, &says);
    judged(&ok, answer(500, "\"ok\""), Failed, &format!("{URL} answers 500, not 200"));
}

#[test]
fn a_host_that_may_not_be_asked_is_no_failure_of_the_host() {
    let forbidden = Err(Unanswered::Forbidden("its address is private".into()));
    judged(&raw(), forbidden, Unreadable, &format!("{URL} is not asked: its address is private"));
    let failed = Err(Unanswered::Failed("no connection".into()));
    judged(&raw(), failed, Failed, &format!("{URL} does not answer: no connection"));
}

#[test]
fn what_can_never_be_answered_is_refused() {
    for status in [-1, 0, 99, 600, i32::MAX] {
        let raw = HttpCheck { expect_status: Some(status), ..raw() };
        assert_eq!(Http::parse(&raw).unwrap_err().0, "expectStatus");
    }
    let empty = HttpCheck { body_contains: Some(String::new()), ..raw() };
    assert_eq!(Http::parse(&empty).unwrap_err().0, "bodyContains");
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "https?://[\\PC]{0,40}|[\\PC]{0,40}") {
        if let Ok(url) = Url::parse(&text) {
            prop_assert!(!url.host.is_empty() && url.port > 0 && url.target.starts_with('/'));
            prop_assert!(!url.authority.contains('@'));
            prop_assert!(http::Request::get(&url.target).header("host", &url.authority).body(()).is_ok());
        }
    }
}
