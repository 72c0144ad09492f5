// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NameRules
import Testing

@Suite("Name rule") struct NameRuleTests {
    @Test(
        "goes by kind",
        arguments: [
            ("", "Pod", .dnsSubdomain), ("", "Namespace", .dnsLabel), ("", "Service", .dnsLabel),
            ("apps", "StatefulSet", .dnsLabel), ("apps", "Deployment", .dnsSubdomain),
            ("rbac.authorization.k8s.io", "Role", .pathSegment),
            ("rbac.authorization.k8s.io", "ClusterRoleBinding", .pathSegment),
            ("coordination.k8s.io", "LeaseCandidate", .configMapKey),
            ("coordination.k8s.io", "Lease", .dnsSubdomain),
            ("certificates.k8s.io", "CertificateSigningRequest", .none),
            ("batch", "CronJob", .cronJob), ("batch", "Job", .dnsSubdomain),
            ("networking.k8s.io", "IPAddress", .ipAddress),
            ("apiextensions.k8s.io", "CustomResourceDefinition", .composed),
            ("certificates.k8s.io", "ClusterTrustBundle", .clusterTrustBundle),
            ("example.com", "Role", .dnsSubdomain),
        ] as [(String, String, NameRule)]
    )
    func kinds(_ group: String, _ kind: String, _ expected: NameRule) {
        #expect(NameRule(kind: kind, group: group) == expected)
    }

    @Test(
        "accepts and refuses",
        arguments: [
            (.dnsSubdomain, "a.b", true), (.dnsSubdomain, "A", false), (.dnsLabel, "a.b", false),
            (.dns1035Label, "1a", false), (.pathSegment, "system:node", true),
            (.pathSegment, "a/b", false), (.pathSegment, "..", false), (.configMapKey, "A_b", true),
            (.none, "??", true), (.cronJob, String(repeating: "a", count: 52), true),
            (.cronJob, String(repeating: "a", count: 53), false), (.ipAddress, "10.0.0.1", true),
            (.ipAddress, "010.0.0.1", false), (.ipAddress, "FE80::1", false),
            (.storageVersion, "apps.deployments", true), (.storageVersion, "apps", false),
            (.storageVersion, "apps.1a", false), (.composed, "v1.apps", true),
            (.clusterTrustBundle, "a.b", true), (.clusterTrustBundle, "x:y:a.b", true),
            (.clusterTrustBundle, "x:y:A", false),
        ] as [(NameRule, String, Bool)]
    )
    func names(_ rule: NameRule, _ name: String, _ isValid: Bool) {
        #expect(rule.messages(for: name).isEmpty == isValid)
    }

    @Test(
        "lets a hyphen end the start of a name",
        arguments: [
            (.dnsSubdomain, "web-", true), (.dnsSubdomain, "web--", true), (.dnsLabel, "a-", true),
            (.dnsLabel, "-", false), (.dnsLabel, "A-", true), (.dns1035Label, "a1-", true),
            (.pathSegment, "..", true), (.pathSegment, "a/", false), (.dnsSubdomain, "a.", false),
        ] as [(NameRule, String, Bool)]
    )
    func prefixes(_ rule: NameRule, _ name: String, _ isValid: Bool) {
        #expect(rule.messages(for: name, isPrefix: true).isEmpty == isValid)
    }
}

@Suite("Object metadata rules") struct ObjectMetadataRulesTests {
    private func errors(_ body: (inout FieldErrors) -> Void) -> [String] {
        var errors = FieldErrors(at: "metadata")
        body(&errors)
        return errors.list.map(\.description)
    }

    @Test("ask for a name")
    func names() {
        #expect(
            self.errors { $0.validateNames("", generateName: "", .dnsSubdomain) }
                == ["metadata.name: Required value: name or generateName is required"]
        )
        #expect(self.errors { $0.validateNames("a-x", generateName: "a-", .dnsLabel) } == [])
        #expect(
            self.errors { $0.validateNames("a", generateName: "B", .dnsLabel) }.first?
                .hasPrefix(
                    "metadata.generateName: Invalid value: \"B\": a lowercase RFC 1123 label"
                )
                == true
        )
        #expect(
            self.errors { $0.validateNames("A", generateName: "", .dnsSubdomain) }
                == [
                    "metadata.name: Invalid value: \"A\": a lowercase RFC 1123 subdomain must "
                        + "consist of lower case alphanumeric characters, '-' or '.', and must "
                        + "start and end with an alphanumeric character (e.g. 'example.com', regex "
                        + "used for validation is "
                        + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
                ]
        )
    }

    @Test("ask for a namespace where there is one")
    func namespaces() {
        #expect(self.errors { $0.validateNamespace("", isNamespaced: false) } == [])
        #expect(
            self.errors { $0.validateNamespace("a", isNamespaced: false) }
                == ["metadata.namespace: Forbidden: not allowed on this type"]
        )
        #expect(
            self.errors { $0.validateNamespace("", isNamespaced: true) }
                == ["metadata.namespace: Required value"]
        )
        #expect(
            self.errors { $0.validateNamespace("a.b", isNamespaced: true) }
                == ["metadata.namespace: Invalid value: \"a.b\": must not contain dots"]
        )
    }

    @Test("bound labels and annotations")
    func maps() {
        #expect(self.errors { $0.validateLabels([(key: "a", value: "b")]) } == [])
        #expect(self.errors { $0.validateLabels([(key: "", value: "b c")]) }.count == 3)
        let limit = APILimits.annotationsTotalSize
        let fits = String(repeating: "x", count: limit - 1)
        #expect(self.errors { $0.validateAnnotations([(key: "a", value: fits)]) } == [])
        #expect(
            self.errors { $0.validateAnnotations([(key: "a", value: fits + "x")]) }
                == ["metadata.annotations: Too long: may not be more than 262144 bytes"]
        )
        #expect(self.errors { $0.validateAnnotations([(key: "A.B/c", value: "")]) } == [])
        #expect(self.errors { $0.validateAnnotations([(key: "a b", value: "")]) }.count == 1)
    }

    @Test("check finalizers")
    func finalizers() {
        #expect(self.errors { $0.validateFinalizers(["orphan", "example.com/x"]) } == [])
        #expect(
            self.errors { $0.validateFinalizers(["orphan", "foregroundDeletion"]) }
                == [
                    "metadata.finalizers: Invalid value: [\"orphan\",\"foregroundDeletion\"]: "
                        + "finalizer orphan and foregroundDeletion cannot be both set"
                ]
        )
        #expect(self.errors { $0.validateFinalizers(["a b"]) }.count == 1)
        #expect(self.errors { $0.validateNoNewFinalizers(["a"], old: ["a", "b"]) } == [])
        #expect(
            self.errors { $0.validateNoNewFinalizers(["c", "a", "b"], old: ["a"]) }
                == [
                    "metadata.finalizers: Forbidden: no new finalizers can be added if the object "
                        + "is being deleted, found new finalizers []string{\"b\", \"c\"}"
                ]
        )
    }

    @Test("finalizers of Kubernetes' own kinds say whose they are")
    func kubernetesFinalizers() {
        #expect(
            self.errors {
                $0.validateKubernetesFinalizers([
                    "kubernetes", "orphan", "foregroundDeletion", "example.com/x",
                ])
            } == []
        )
        #expect(
            self.errors { $0.validateKubernetesFinalizers(["kubernetes", "mine"]) } == [
                "metadata.finalizers[1]: Invalid value: \"mine\": name is neither a standard "
                    + "finalizer name nor is it fully qualified"
            ]
        )
        #expect(self.errors { $0.validateKubernetesFinalizers(["a b/c"]) }.count == 1)
    }

    @Test("check owners")
    func owners() {
        func owner(_ version: String, _ kind: String) -> [String] {
            self.errors {
                $0.validateOwnerReference(
                    apiVersion: version,
                    kind: kind,
                    name: "n",
                    uid: "u",
                    json: "{}"
                )
            }
        }
        #expect(owner("apps/v1", "ReplicaSet") == [])
        #expect(owner("v1", "Pod") == [])
        #expect(
            owner("", "Pod") == [
                "metadata.ownerReferences.apiVersion: Invalid value: \"\": version must not be "
                    + "empty"
            ]
        )
        #expect(owner("a/b/c", "Pod").count == 1)
        #expect(owner("apps/", "Pod").count == 1)
        #expect(
            owner("v1", "Event") == [
                "metadata.ownerReferences: Invalid value: {}: /v1, Kind=Event is disallowed from "
                    + "being an owner"
            ]
        )
        #expect(
            self.errors {
                $0.validateOwnerReference(apiVersion: "v1", kind: "", name: "", uid: "", json: "")
            }.count == 3
        )
    }

    @Test("check field managers")
    func managers() {
        let limit = APILimits.fieldManagerMaxLength
        let name = String(repeating: "m", count: limit)
        #expect(self.errors { $0.validateFieldManager(name) } == [])
        #expect(
            self.errors { $0.validateFieldManager(name + "m") }
                == ["metadata.fieldManager: Too long: may not be more than 128 bytes"]
        )
        #expect(
            self.errors { $0.validateFieldManager("é\n") }
                == [
                    "metadata.fieldManager: Invalid value: \"é\\n\": invalid character U+000A (at "
                        + "position 2)"
                ]
        )
    }

    @Test("check small things")
    func rest() {
        #expect(
            self.errors { $0.validateNonnegative(at: "generation", -1) }
                == ["metadata.generation: Invalid value: -1: must be greater than or equal to 0"]
        )
        #expect(self.errors { $0.validateNonnegative(at: "generation", 0) } == [])
        #expect(
            self.errors { $0.immutable(at: "name", "b") }
                == ["metadata.name: Invalid value: \"b\": field is immutable"]
        )
    }
}
