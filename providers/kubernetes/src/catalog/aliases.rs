//! The other names that people give to resources: short names, and the singular.

/// Short names of built-in resources, as `kubectl api-resources` prints them (Kubernetes 1.36), with the group.
const SHORT: &[(&str, &str, &str)] = &[
    ("cj", "batch", "cronjobs"),
    ("cm", "", "configmaps"),
    ("crd", "apiextensions.k8s.io", "customresourcedefinitions"),
    ("crds", "apiextensions.k8s.io", "customresourcedefinitions"),
    ("cs", "", "componentstatuses"),
    ("csr", "certificates.k8s.io", "certificatesigningrequests"),
    ("deploy", "apps", "deployments"),
    ("ds", "apps", "daemonsets"),
    ("ep", "", "endpoints"),
    ("ev", "", "events"),
    ("ev", "events.k8s.io", "events"),
    ("hpa", "autoscaling", "horizontalpodautoscalers"),
    ("ing", "networking.k8s.io", "ingresses"),
    ("ip", "networking.k8s.io", "ipaddresses"),
    ("limits", "", "limitranges"),
    ("netpol", "networking.k8s.io", "networkpolicies"),
    ("no", "", "nodes"),
    ("ns", "", "namespaces"),
    ("pc", "scheduling.k8s.io", "priorityclasses"),
    ("pdb", "policy", "poddisruptionbudgets"),
    ("po", "", "pods"),
    ("pv", "", "persistentvolumes"),
    ("pvc", "", "persistentvolumeclaims"),
    ("quota", "", "resourcequotas"),
    ("rc", "", "replicationcontrollers"),
    ("rs", "apps", "replicasets"),
    ("sa", "", "serviceaccounts"),
    ("sc", "storage.k8s.io", "storageclasses"),
    ("sts", "apps", "statefulsets"),
    ("svc", "", "services"),
    ("vac", "storage.k8s.io", "volumeattributesclasses"),
];

/// Whether people may call a resource so: by its name, its singular or a short name, in letters of any case.
pub(crate) fn is_called(word: &str, group: &str, resource: &str) -> bool {
    let word = word.to_ascii_lowercase();
    word == resource
        || singular(resource).is_some_and(|one| one == word)
        || SHORT.iter().any(|(short, held, of)| *short == word && *held == group && *of == resource)
}

/// The singular of a resource, which is its kind in small letters.
fn singular(resource: &str) -> Option<String> {
    if let Some(stem) = resource.strip_suffix("ies") {
        return Some(format!("{stem}y"));
    }
    let hissing = |stem: &&str| ["ss", "us", "x", "ch", "sh"].iter().any(|end| stem.ends_with(end));
    let stem = resource.strip_suffix("es").filter(hissing).or_else(|| resource.strip_suffix('s'))?;
    Some(stem.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds;

    #[test]
    fn every_short_name_is_of_a_built_in_resource() {
        let builtin = kinds::builtin();
        for (short, group, resource) in SHORT {
            assert!(builtin.contains_key(&((*group).into(), (*resource).into(), "".into())), "{short}");
        }
    }

    #[test]
    fn resources_are_known_by_singular_kind_and_short_name() {
        for (word, group, resource, expected) in [
            ("deployment", "apps", "deployments", true),
            ("Deployments", "apps", "deployments", true),
            ("NetworkPolicy", "networking.k8s.io", "networkpolicies", true),
            ("ingress", "networking.k8s.io", "ingresses", true),
            ("ingresse", "networking.k8s.io", "ingresses", false),
            ("lease", "coordination.k8s.io", "leases", true),
            ("storageclass", "storage.k8s.io", "storageclasses", true),
            ("componentstatus", "", "componentstatuses", true),
            ("deploy", "apps", "deployments", true),
            ("deploy", "example.com", "deployments", false),
            ("deploymen", "apps", "deployments", false),
        ] {
            assert_eq!(is_called(word, group, resource), expected, "{word}");
        }
    }
}
