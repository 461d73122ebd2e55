//! The watches of one or more namespaces, as the one watch that a store takes.
//!
//! A watch that broke may begin with a list anew. What was deleted meanwhile is told by nobody: it
//! is what the store has of those namespaces and the list has not.

use std::collections::{HashMap, HashSet};

use kube::{ResourceExt as _, runtime::watcher::Event};

use super::{Kind, Packed, Reader};

/// Namespace and name of an object.
type Name = (String, String);

/// What the watches have told so far.
pub(super) struct Listings<K: Kind> {
    watches: Vec<Watch>,
    /// Until the first lists of all watches are whole: what they told. Nothing is worked on before,
    /// because of two objects about the same thing the older one acts.
    first: Option<HashMap<Name, Packed<K>>>,
    store: Reader<K>,
}

struct Watch {
    /// The namespace that is watched; none: all.
    namespace: Option<String>,
    /// Whether its first list is whole.
    listed: bool,
    /// What a list has told since it began; none while there is no list.
    list: Option<HashSet<Name>>,
}

impl Watch {
    fn covers(&self, name: &Name) -> bool {
        self.namespace.as_ref().is_none_or(|namespace| *namespace == name.0)
    }
}

impl<K: Kind> Listings<K> {
    /// For a watch of each of these namespaces, or one of all. `store` is where the events that
    /// [`Self::follow`] returns are carried out.
    pub(super) fn new(namespaces: &[Option<String>], store: Reader<K>) -> Self {
        let watch = |namespace: &Option<String>| Watch {
            namespace: namespace.clone(),
            listed: false,
            list: None,
        };
        let watches = namespaces.iter().map(watch).collect();
        Self { watches, first: Some(HashMap::new()), store }
    }

    /// What follows for the store from an event of the watch of this number.
    pub(super) fn follow(
        &mut self,
        number: usize,
        event: Event<Packed<K>>,
    ) -> Vec<Event<Packed<K>>> {
        let alone = self.watches.len() == 1;
        let Some(watch) = self.watches.get_mut(number) else { return Vec::new() };
        match (&mut self.first, event) {
            // Nothing is to be put together: the store takes it as it comes.
            (Some(_), event) if alone => {
                if matches!(event, Event::InitDone) {
                    self.first = None;
                }
                vec![event]
            }
            (Some(first), Event::Init) => {
                watch.listed = false;
                first.retain(|name, _| !watch.covers(name));
                Vec::new()
            }
            (Some(first), Event::InitApply(object) | Event::Apply(object)) => {
                first.insert(name(&object), object);
                Vec::new()
            }
            (Some(first), Event::Delete(object)) => {
                first.remove(&name(&object));
                Vec::new()
            }
            (Some(_), Event::InitDone) => {
                watch.listed = true;
                self.begin()
            }
            (None, Event::Init) => {
                watch.list = Some(HashSet::new());
                Vec::new()
            }
            (None, Event::InitApply(object) | Event::Apply(object)) => {
                if let Some(list) = &mut watch.list {
                    list.insert(name(&object));
                }
                vec![Event::Apply(object)]
            }
            (None, event @ Event::Delete(_)) => vec![event],
            (None, Event::InitDone) => {
                let list = watch.list.take().unwrap_or_default();
                let gone = self.store.state_filter(|object| {
                    let name = name(object);
                    watch.covers(&name) && !list.contains(&name)
                });
                gone.into_iter().map(|object| Event::Delete((*object).clone())).collect()
            }
        }
    }

    /// Hands everything over once all first lists are whole.
    fn begin(&mut self) -> Vec<Event<Packed<K>>> {
        if self.watches.iter().any(|watch| !watch.listed) {
            return Vec::new();
        }
        let objects = self.first.take().into_iter().flatten();
        let listed = objects.map(|(_, object)| Event::InitApply(object));
        std::iter::once(Event::Init).chain(listed).chain([Event::InitDone]).collect()
    }
}

fn name<K: Kind>(object: &Packed<K>) -> Name {
    (object.namespace().unwrap_or_default(), object.name_any())
}

#[cfg(test)]
mod tests {
    use kube::runtime::{reflector, watcher::Event::*};
    use serde_json::json;

    use super::*;
    use crate::canary_rollout::CanaryRollouts;

    type Told = Event<Packed<CanaryRollouts>>;

    fn object(namespace: &str, name: &str) -> Packed<CanaryRollouts> {
        serde_json::from_value(json!({
            "apiVersion": "groundcrew.dev/v1alpha1", "kind": "CanaryRollout",
            "metadata": {"name": name, "namespace": namespace, "resourceVersion": "1"},
            "spec": {"function": {"name": "f", "alias": "live"}, "release": {"version": "2"}},
        }))
        .unwrap()
    }

    /// Watches, and the store that they fill.
    struct World {
        listings: Listings<CanaryRollouts>,
        writer: reflector::store::Writer<Packed<CanaryRollouts>>,
        store: Reader<CanaryRollouts>,
    }

    impl World {
        fn of(namespaces: &[Option<&str>]) -> Self {
            let (store, writer) = reflector::store();
            let namespaces: Vec<_> =
                namespaces.iter().map(|name| name.map(str::to_owned)).collect();
            Self { listings: Listings::new(&namespaces, store.clone()), writer, store }
        }

        /// Names of the objects that are told to be gone.
        fn tell(&mut self, number: usize, events: Vec<Told>) -> Vec<String> {
            let mut gone = Vec::new();
            for event in events.into_iter().flat_map(|event| self.listings.follow(number, event)) {
                self.writer.apply_watcher_event(&event);
                if let Delete(object) = event {
                    gone.push(object.name_any());
                }
            }
            gone.sort();
            gone
        }

        #[track_caller]
        fn holds(&self, expected: &[&str]) {
            let mut names: Vec<_> = self.store.state().iter().map(|one| one.name_any()).collect();
            names.sort();
            assert_eq!(names, expected);
        }
    }

    fn list(namespace: &str, names: &[&str]) -> Vec<Told> {
        let listed = names.iter().map(|name| InitApply(object(namespace, name)));
        std::iter::once(Init).chain(listed).chain([InitDone]).collect()
    }

    #[test]
    fn what_a_list_anew_does_not_have_is_gone() {
        let mut world = World::of(&[None]);
        assert_eq!(world.tell(0, list("a", &["a1", "a2", "a3"])), [""; 0]);
        world.holds(&["a1", "a2", "a3"]);
        assert_eq!(world.tell(0, list("a", &["a2", "a4"])), ["a1", "a3"]);
        world.holds(&["a2", "a4"]);
    }

    #[test]
    fn a_list_that_breaks_off_takes_nothing_away() {
        let mut world = World::of(&[None]);
        world.tell(0, list("a", &["a1", "a2"]));
        assert_eq!(world.tell(0, vec![Init, InitApply(object("a", "a1"))]), [""; 0]);
        world.holds(&["a1", "a2"]);
        assert_eq!(world.tell(0, list("a", &["a2", "a1"])), [""; 0]);
        assert_eq!(world.tell(0, vec![Delete(object("a", "a1"))]), ["a1"]);
        world.holds(&["a2"]);
    }

    #[test]
    fn each_namespace_keeps_its_objects_whatever_is_listed_elsewhere() {
        let mut world = World::of(&[Some("a"), Some("b")]);
        world.tell(0, list("a", &["a1", "a2"]));
        world.holds(&[]);
        assert_eq!(world.tell(1, list("b", &["b1"])), [""; 0]);
        world.holds(&["a1", "a2", "b1"]);
        assert_eq!(world.tell(0, list("a", &["a2"])), ["a1"]);
        world.holds(&["a2", "b1"]);
        world.tell(1, vec![Apply(object("b", "b2"))]);
        world.holds(&["a2", "b1", "b2"]);
    }

    #[test]
    fn nothing_begins_before_all_first_lists_are_whole_and_as_things_are_then() {
        let mut world = World::of(&[Some("a"), Some("b")]);
        world.tell(0, list("a", &["a1", "a2"]));
        world.tell(0, vec![Delete(object("a", "a1")), Apply(object("a", "a3"))]);
        world.tell(1, vec![Init, InitApply(object("b", "b1"))]);
        // Its watch breaks, and the list begins anew.
        world.tell(0, vec![Init, InitApply(object("a", "a4"))]);
        world.tell(1, vec![InitDone]);
        world.holds(&[]);
        world.tell(0, vec![InitDone]);
        world.holds(&["a4", "b1"]);
    }
}
