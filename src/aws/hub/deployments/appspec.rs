//! The AppSpec of a deployment to Lambda, as far as it says where it deploys to.
//!
//! It is text that somebody else wrote, in YAML or JSON: what cannot be read says nothing.

use serde_json::Value;

/// Longest text that is read: what AWS's examples take fifty times over.
const TEXT_MAX: usize = 64 * 1024;
/// Most resources that are looked at. CodeDeploy deploys one function at a time.
const RESOURCES_MAX: usize = 16;
/// What AWS calls a function there.
const FUNCTION: &str = "AWS::Lambda::Function";

/// An alias that a deployment moves.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) function: String,
    pub(super) alias: String,
}

/// The aliases that an AppSpec names.
pub(super) fn targets(text: &str) -> Vec<Target> {
    let spec = parse(text);
    let resources = spec.as_ref().and_then(|spec| member(spec, "resources"));
    let resources = resources.and_then(Value::as_array).into_iter().flatten().take(RESOURCES_MAX);
    let named = resources.filter_map(Value::as_object).flat_map(|named| named.values());
    named.take(RESOURCES_MAX).filter_map(target).collect()
}

fn parse(text: &str) -> Option<Value> {
    if text.len() > TEXT_MAX {
        return None;
    }
    if let Ok(spec) = serde_json::from_str(text) {
        return Some(spec);
    }
    // Without anchors nothing is told twice, and a text stays as small as it is.
    if text.contains('&') {
        return None;
    }
    serde_yaml::from_str(text).ok()
}

fn target(resource: &Value) -> Option<Target> {
    if member(resource, "type")?.as_str()? != FUNCTION {
        return None;
    }
    let properties = member(resource, "properties")?;
    let function = function_name(member(properties, "name")?.as_str()?)?;
    let alias = member(properties, "alias")?.as_str()?;
    Some(Target { function: function.to_owned(), alias: alias.to_owned() })
}

/// A member by its name, which AWS's own pages write with a small and with a capital letter.
fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    let mut members = object.as_object()?.iter();
    members.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The plain name of a function that is named by it, by an ARN, or by a part of one.
fn function_name(name: &str) -> Option<&str> {
    let after = match name.rsplit_once("function:") {
        Some((_, after)) => after,
        None => name,
    };
    after.split(':').next().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(text: &str) -> Vec<String> {
        let targets = targets(text).into_iter();
        targets.map(|target| format!("{}:{}", target.function, target.alias)).collect()
    }

    const YAML: &str = "
version: 0.0
Resources:
  - processor:
      Type: AWS::Lambda::Function
      Properties:
        Name: flightdata-processor
        Alias: production
        CurrentVersion: 1
        TargetVersion: '2'
Hooks:
  - BeforeAllowTraffic: CodeDeployHook_check
";

    #[test]
    fn yaml_and_json_with_small_and_with_capital_letters_are_read() {
        assert_eq!(names(YAML), ["flightdata-processor:production"]);
        assert_eq!(
            names(&YAML.to_lowercase().replace("aws::lambda::function", FUNCTION)),
            ["flightdata-processor:production"]
        );
        let json = r#"{"version":0.0,"Resources":[{"f":{"Type":"AWS::Lambda::Function",
            "Properties":{"Name":"f","Alias":"live","CurrentVersion":"1","TargetVersion":"2"}}}]}"#;
        assert_eq!(names(json), ["f:live"]);
        assert_eq!(
            names(&json.replace("Resources", "resources").replace("Alias", "alias")),
            ["f:live"]
        );
    }

    #[test]
    fn a_function_may_be_named_by_its_arn_or_a_part_of_it() {
        for name in [
            "f",
            "f:7",
            "function:f",
            "123456789012:function:f",
            "arn:aws:lambda:eu-central-1:123456789012:function:f",
            "arn:aws-cn:lambda:cn-north-1:123456789012:function:f:live",
        ] {
            assert_eq!(function_name(name), Some("f"), "{name}");
        }
        assert_eq!(function_name(""), None);
        assert_eq!(function_name("function:"), None);
    }

    #[test]
    fn what_is_not_an_appspec_of_lambda_says_nothing() {
        let ecs = "Resources:\n- service:\n    Type: AWS::ECS::Service\n    Properties: {Name: f, Alias: a}\n";
        let servers = "version: 0.0\nos: linux\nfiles:\n- {source: /, destination: /srv}\n";
        let tagged = "Resources: !Ref x";
        for text in ["", "{", "- [", "\t", ecs, servers, tagged, "Resources: {f: 1}", "7: 8"] {
            assert_eq!(names(text), [] as [&str; 0], "{text}");
        }
    }

    #[test]
    fn a_text_that_is_or_becomes_too_large_is_not_read() {
        assert_eq!(names(&format!("{YAML}# {}", "x".repeat(TEXT_MAX))), [] as [&str; 0]);
        assert_eq!(names(&format!("x: &x [1]\ny: [*x, *x]\n{YAML}")), [] as [&str; 0]);
        let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
        assert_eq!(names(&deep), [] as [&str; 0]);
        assert_eq!(names(&format!("{{{}", "a: {".repeat(10_000))), [] as [&str; 0]);
        let one = "- f: {Type: AWS::Lambda::Function, Properties: {Name: f, Alias: a}}\n";
        let many = format!("Resources:\n{}", one.repeat(100));
        assert_eq!(names(&many).len(), RESOURCES_MAX);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_says_nothing(text in "[\\-a-zA-Z:{}\\[\\]\"' \n&*!|>%@,?0-9]{0,200}") {
            targets(&text);
            targets(&format!("Resources:\n{text}"));
        }
    }
}
