//! Every way to a target, and every reason why there is none.

use super::*;

const ROLE: &str = "arn:aws:iam::123456789012:role/groundcrew";

fn settings(default_credentials: &str, region: Option<&str>) -> Settings {
    Settings::new(
        "prod".to_owned(),
        region.map(str::to_owned),
        default_credentials.parse().unwrap(),
        ExternalIdTemplate::default(),
    )
    .unwrap()
}

fn namespace(region: Option<&str>, role: Option<&str>) -> NamespaceFacts {
    NamespaceFacts {
        name: "flights".to_owned(),
        region: region.map(str::to_owned),
        role_arn: role.map(str::to_owned),
    }
}

fn spec(region: Option<&str>, account: Option<&str>) -> AwsLocation {
    AwsLocation { region: region.map(str::to_owned), account_id: account.map(str::to_owned) }
}

fn pinned(region: Option<&str>, account: Option<&str>) -> Pinned {
    Pinned { region: region.map(str::to_owned), account_id: account.map(str::to_owned) }
}

#[test]
fn the_region_is_that_of_the_spec_else_the_namespace_else_the_flag() {
    let region = |spec_region, annotation, flag| {
        let location = spec(spec_region, None);
        let namespace = namespace(annotation, Some(ROLE));
        let settings = settings("", flag);
        resolve(&settings, &namespace, Some(&location), &Pinned::default()).unwrap().region
    };
    let (spec, annotation, flag) = (Some("eu-west-1"), Some("us-gov-west-1"), Some("ap-south-2"));
    assert_eq!(region(spec, annotation, flag), "eu-west-1");
    assert_eq!(region(None, annotation, flag), "us-gov-west-1");
    assert_eq!(region(None, None, flag), "ap-south-2");
}

#[test]
fn the_role_is_that_of_the_namespace_with_its_external_id_and_tags() {
    let namespace = namespace(None, Some(ROLE));
    let settings = settings("*", Some("eu-west-1"));
    let target = resolve(&settings, &namespace, None, &pinned(Some("eu-west-1"), None)).unwrap();
    let role = target.role.unwrap();
    assert_eq!(role.arn, ROLE);
    assert_eq!(role.external_id, "prod/flights");
    assert_eq!(role.session_name, "groundcrew-flights");
    let tags: Vec<_> = role.tags.iter().map(|(key, value)| (&**key, &**value)).collect();
    assert_eq!(tags, [("groundcrew.dev/cluster", "prod"), ("groundcrew.dev/namespace", "flights")]);
}

#[test]
fn namespaces_with_default_credentials_share_one_target() {
    let settings = settings("flights, hotels", Some("eu-west-1"));
    let target = |name: &str| {
        let namespace = NamespaceFacts { name: name.to_owned(), ..namespace(None, None) };
        resolve(&settings, &namespace, None, &Pinned::default())
    };
    assert_eq!(target("flights").unwrap(), target("hotels").unwrap());
    assert_eq!(target("cars").unwrap_err().reason(), "NoCredentials");
}

/// Each message must hold these words: what to change.
#[track_caller]
fn refused(result: Result<Target, Unresolved>, reason: &str, words: &[&str]) {
    let error = result.unwrap_err();
    assert_eq!(error.reason(), reason);
    let message = error.to_string();
    for word in words {
        assert!(message.contains(word), "{message:?} does not say {word:?}");
    }
}

#[test]
fn each_reason_says_what_to_change() {
    let none = Pinned::default();
    let open = settings("*", Some("eu-west-1"));
    refused(
        resolve(&settings("", Some("eu-west-1")), &namespace(None, None), None, &none),
        "NoCredentials",
        &["flights", "groundcrew.dev/role-arn", "--default-credentials"],
    );
    refused(
        resolve(&settings("*", None), &namespace(None, None), None, &none),
        "NoRegion",
        &["spec.aws.region", "groundcrew.dev/region", "--aws-region"],
    );
    refused(
        resolve(&open, &namespace(Some("eu-west-1.evil.com/#"), None), None, &none),
        "InvalidRegion",
        &["groundcrew.dev/region", "flights", "evil.com"],
    );
    refused(
        resolve(&open, &namespace(None, None), None, &pinned(Some("eu-north-1"), None)),
        "RegionChanged",
        &["eu-west-1", "spec.aws.region to eu-north-1"],
    );
    refused(
        resolve(&open, &namespace(None, Some("")), None, &none),
        "InvalidRole",
        &["groundcrew.dev/role-arn", "flights"],
    );
}

#[test]
fn the_account_must_be_that_of_the_spec_and_of_the_status() {
    let (ours, other) = (Some("123456789012"), Some("999999999999"));
    let check = |asked, before| {
        check_account(Some(&spec(None, asked)), &pinned(None, before), "123456789012")
    };
    check(None, None).unwrap();
    check(ours, ours).unwrap();
    for (result, field) in
        [(check(other, ours), "spec.aws.accountId"), (check(None, other), "status.accountId")]
    {
        let error = result.unwrap_err();
        assert_eq!(error.reason(), "AccountMismatch");
        assert!(error.to_string().contains(field), "{error}");
        assert!(error.to_string().contains("999999999999"), "{error}");
    }
    check_account(None, &Pinned::default(), "123456789012").unwrap();
}

#[test]
fn only_role_arns_are_taken() {
    for good in [
        ROLE,
        "arn:aws-us-gov:iam::123456789012:role/a",
        "arn:aws-cn:iam::123456789012:role/service-role/team_a/deploy+=,.@_-1",
    ] {
        assert!(is_role_arn(good), "{good}");
    }
    let long = format!("arn:aws:iam::123456789012:role/{}", "n".repeat(65));
    let deep = format!("arn:aws:iam::123456789012:role/{}/n", "p".repeat(2_048));
    for bad in [
        "",
        "groundcrew",
        "arn:aws:iam::123456789012:user/groundcrew",
        "arn:aws:sts::123456789012:assumed-role/groundcrew/session",
        "arn:aws:iam::12345678901:role/groundcrew",
        "arn:aws:iam::1234567890123:role/groundcrew",
        "arn:aws:iam:eu-west-1:123456789012:role/groundcrew",
        "arn:aws:iam::123456789012:role/",
        "arn:aws:iam::123456789012:role/a b",
        "arn:aws:iam::123456789012:role/a\n",
        "arn:gcp:iam::123456789012:role/a",
        &long,
        &deep,
    ] {
        assert!(!is_role_arn(bad), "{bad}");
    }
}

#[test]
fn only_region_names_are_taken() {
    for good in ["eu-central-1", "us-gov-east-1", "us-iso-west-1", "ap-southeast-11"] {
        assert!(is_region(good), "{good}");
    }
    let long = format!("eu-{}-1", "a".repeat(40));
    for bad in
        ["", "eu", "eu-1", "eu-central", "eu-central-1 ", "EU-central-1", "eu--1", "a/b-c-1", &long]
    {
        assert!(!is_region(bad), "{bad}");
    }
}

#[test]
fn a_long_session_name_is_cut_and_told_apart_by_a_hash() {
    let fits = "n".repeat(SESSION_NAME_MAX - "groundcrew-".len());
    assert_eq!(session_name(&fits), format!("groundcrew-{fits}"));
    let (one, other) = (format!("{}a", "n".repeat(62)), format!("{}b", "n".repeat(62)));
    let (one, other) = (session_name(&one), session_name(&other));
    assert_eq!(one.len(), SESSION_NAME_MAX);
    assert_eq!(other.len(), SESSION_NAME_MAX);
    assert_ne!(one, other);
    assert!(one.starts_with("groundcrew-nnn"));
}

#[test]
fn a_template_has_two_placeholders_and_no_others() {
    let render = |text: &str| -> Result<String, InvalidSetting> {
        let template: ExternalIdTemplate = text.parse()?;
        let made = Settings::new("prod".to_owned(), None, DefaultCredentials::All, template)?;
        Ok(made.external_id("flights"))
    };
    assert_eq!(render("{cluster}/{namespace}").unwrap(), "prod/flights");
    assert_eq!(render("a-{namespace}@{cluster}:{namespace}").unwrap(), "a-flights@prod:flights");
    assert_eq!(render("fixed").unwrap(), "fixed");
    assert_eq!(ExternalIdTemplate::default().to_string(), "{cluster}/{namespace}");
    for (bad, word) in [
        ("{name}", "{name}"),
        ("{cluster", "not closed"),
        ("{}", "no placeholder"),
        ("a b", "' '"),
        ("cluster}", "'}'"),
        ("", "2 to"),
        ("x", "2 to"),
        (&"x".repeat(1_225), "2 to"),
    ] {
        let message = render(bad).unwrap_err().to_string();
        assert!(message.contains("--external-id-template"), "{message}");
        assert!(message.contains(word), "{bad}: {message}");
    }
}

#[test]
fn flags_that_cannot_be_used_are_refused_by_name() {
    let make = |cluster: &str, region: Option<&str>| {
        let template = ExternalIdTemplate::default();
        let region = region.map(str::to_owned);
        Settings::new(cluster.to_owned(), region, DefaultCredentials::All, template)
    };
    make("prod-1", Some("eu-west-1")).unwrap();
    for (result, flag) in [
        (make("", None), "--cluster-name"),
        (make("a/b", None), "--cluster-name"),
        (make("prod", Some("europe")), "--aws-region"),
    ] {
        let message = result.unwrap_err().to_string();
        assert!(message.contains(flag), "{message}");
    }
    assert_eq!("*".parse(), Ok(DefaultCredentials::All));
    assert_eq!("".parse(), Ok(DefaultCredentials::Namespaces([].into())));
    for bad in ["a,*", "A", "-a", "a b"] {
        assert!(bad.parse::<DefaultCredentials>().is_err(), "{bad}");
    }
}
