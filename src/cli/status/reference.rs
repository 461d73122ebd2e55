//! Which object is meant: `web`, `cro/web`, `mw/weekly`.

use std::str::FromStr;

use crate::{
    api::{canary_rollout::CanaryRollout, maintenance_window::MaintenanceWindow},
    cli::{Error, cluster::Connection},
};

/// A sort of object that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// A CanaryRollout.
    Rollout,
    /// A MaintenanceWindow.
    Window,
}

impl Sort {
    pub(super) const ALL: [Self; 2] = [Self::Rollout, Self::Window];

    /// The sort by any of its names, as kubectl takes them.
    fn named(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        match word.split('.').next().unwrap_or_default() {
            "cro" | "canaryrollout" | "canaryrollouts" => Some(Self::Rollout),
            "mw" | "maintenancewindow" | "maintenancewindows" => Some(Self::Window),
            _ => None,
        }
    }
}

/// A name, with or without the sort of what it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// The name alone.
    pub(super) name: String,
    sort: Option<Sort>,
}

impl FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (sort, name) = match text.split_once('/') {
            Some((sort, name)) => (
                Some(Sort::named(sort).ok_or_else(|| {
                    format!("there is no kind {sort:?}: write cro/NAME or mw/NAME")
                })?),
                name,
            ),
            None => (None, text),
        };
        if name.is_empty() || name.contains('/') {
            return Err("write NAME, cro/NAME or mw/NAME".to_owned());
        }
        Ok(Self { name: name.to_owned(), sort })
    }
}

impl Reference {
    /// What it names; without a sort the rollout of that name, else the window. Where there are both,
    /// a person is told how to see the other one.
    pub(super) async fn sort(
        &self,
        connection: &Connection,
    ) -> Result<(Sort, Option<String>), Error> {
        let name = &self.name;
        if let Some(sort) = self.sort {
            return Ok((sort, None));
        }
        let rollout = connection.find::<CanaryRollout>(name).await?.is_some();
        let window = connection.find::<MaintenanceWindow>(name).await;
        if rollout {
            let both = matches!(window, Ok(Some(_)));
            let hint = format!("{name} is a MaintenanceWindow, too: write mw/{name} to see it.");
            return Ok((Sort::Rollout, both.then_some(hint)));
        }
        if window?.is_some() {
            return Ok((Sort::Window, None));
        }
        Err(Error::NotFound {
            what: format!("CanaryRollout and no MaintenanceWindow {name}"),
            namespace: connection.namespace.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::{Request, Response};
    use kube::client::Body;
    use serde_json::{Value, json};

    use super::*;

    /// A namespace with objects at these paths, and nothing else.
    fn namespace(objects: &'static [&'static str]) -> Connection {
        let spec = json!({
            "function": {"name": "web", "alias": "live"}, "release": {"version": "2"},
            "timeZone": "Etc/UTC", "always": true,
        });
        let service = tower::service_fn(move |request: Request<Body>| {
            let path = request.uri().path().to_owned();
            let found = objects.iter().any(|object| path.ends_with(&format!("/shop/{object}")));
            let (code, answer): (u16, Value) = if found {
                (200, json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": spec}))
            } else {
                let message = format!("{path} not found");
                (
                    404,
                    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "code": 404,
                             "status": "Failure", "message": message, "reason": "NotFound"}),
                )
            };
            let response =
                Response::builder().status(code).header("content-type", "application/json");
            let response = response.body(Body::from(serde_json::to_vec(&answer).unwrap()));
            async move { Ok::<_, Infallible>(response.unwrap()) }
        });
        let client = kube::Client::new(service, "shop");
        Connection { calls: client.clone(), watch: client, namespace: "shop".into() }
    }

    #[test]
    fn kinds_have_the_names_that_kubectl_takes() {
        let read = |text: &str| text.parse::<Reference>().map(|read| (read.sort, read.name));
        let window = Ok((Some(Sort::Window), "weekly".to_owned()));
        for kind in
            ["mw", "MaintenanceWindow", "maintenancewindows", "maintenancewindows.groundcrew.dev"]
        {
            assert_eq!(read(&format!("{kind}/weekly")), window);
        }
        for kind in ["cro", "canaryrollout", "canaryrollouts.v1alpha1.groundcrew.dev"] {
            assert_eq!(read(&format!("{kind}/web")), Ok((Some(Sort::Rollout), "web".to_owned())));
        }
        assert_eq!(read("weekly"), Ok((None, "weekly".to_owned())));
        let unknown = "there is no kind \"pod\": write cro/NAME or mw/NAME".to_owned();
        assert_eq!(read("pod/web"), Err(unknown));
        for text in ["", "mw/", "mw/a/b"] {
            assert_eq!(read(text), Err("write NAME, cro/NAME or mw/NAME".to_owned()), "{text}");
        }
    }

    #[tokio::test]
    async fn a_name_alone_is_the_rollout_else_the_window() {
        let both = namespace(&["canaryrollouts/web", "maintenancewindows/web"]);
        let window = namespace(&["maintenancewindows/web"]);
        let sort = async |text: &str, connection: &Connection| {
            let reference: Reference = text.parse().unwrap();
            reference.sort(connection).await.map_err(|error| error.to_string())
        };
        let hint = "web is a MaintenanceWindow, too: write mw/web to see it.".to_owned();
        assert_eq!(sort("web", &both).await, Ok((Sort::Rollout, Some(hint))));
        assert_eq!(sort("mw/web", &both).await, Ok((Sort::Window, None)));
        assert_eq!(sort("cro/web", &both).await, Ok((Sort::Rollout, None)));
        assert_eq!(sort("web", &window).await, Ok((Sort::Window, None)));
        let rollout = namespace(&["canaryrollouts/web"]);
        assert_eq!(sort("web", &rollout).await, Ok((Sort::Rollout, None)));
        let nothing = "there is no CanaryRollout and no MaintenanceWindow web in namespace shop";
        assert_eq!(sort("web", &namespace(&[])).await, Err(nothing.to_owned()));
    }
}
