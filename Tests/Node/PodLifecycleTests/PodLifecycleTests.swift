// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Scalars
import Testing

@testable import PodLifecycle

@Suite("Backoff")
struct BackoffTests {
    private static let second: Int64 = 1_000_000_000

    @Test("doubles up to its maximum")
    func doubles() {
        var backoff = Backoff.crashLoop
        var pauses: [String] = []
        for attempt in 0..<7 {
            let now = Int64(attempt) * 10 * Self.second
            backoff.next("a", event: now, now: now)
            pauses.append(backoff.pause(of: "a").goText)
        }
        #expect(pauses == ["10s", "20s", "40s", "1m20s", "2m40s", "5m0s", "5m0s"])
    }

    @Test("lets the first restart go at once and delays the second")
    func remaining() {
        var backoff = Backoff.crashLoop
        #expect(backoff.remaining(of: "a", since: 0, now: 0) == nil)
        backoff.next("a", event: 0, now: 0)
        #expect(
            backoff.remaining(of: "a", since: 2 * Self.second, now: 3 * Self.second) == .seconds(9)
        )
        #expect(backoff.remaining(of: "a", since: 2 * Self.second, now: 12 * Self.second) == nil)
    }

    @Test("forgets a container that ran for long")
    func expires() {
        var backoff = Backoff.crashLoop
        backoff.next("a", event: 0, now: 0)
        #expect(backoff.remaining(of: "a", since: 601 * Self.second, now: 601 * Self.second) == nil)
        backoff.next("a", event: 601 * Self.second, now: 601 * Self.second)
        #expect(backoff.pause(of: "a") == .seconds(10))
    }
}

@Suite("VariableExpansion")
struct VariableExpansionTests {
    @Test(
        "expands as Kubernetes does",
        arguments: [
            ("$(A)", "1"), ("x$(A)y$(B)", "x1y2"), ("$$(A)", "$(A)"), ("$(C)", "$(C)"),
            ("$A", "$A"), ("$", "$"), ("$(A", "$(A"), ("$$$(A)", "$1"), ("", ""),
            ("$($(A))", "$($(A))"),
        ]
    )
    func expands(text: String, expected: String) {
        let values = ["A": "1", "B": "2"]
        #expect(VariableExpansion.expand(text) { values[$0] } == expected)
    }
}

@Suite("QOSClass")
struct QOSClassTests {
    struct Case: Sendable {
        var requests: [String: String]
        var limits: [String: String]
        var expected: QOSClass
    }

    @Test(
        "follows from requests and limits",
        arguments: [
            Case(requests: [:], limits: [:], expected: .bestEffort),
            Case(requests: ["cpu": "1"], limits: [:], expected: .burstable),
            Case(
                requests: ["cpu": "1", "memory": "1Gi"],
                limits: ["cpu": "1", "memory": "1Gi"],
                expected: .guaranteed
            ),
            Case(requests: [:], limits: ["cpu": "1", "memory": "1Gi"], expected: .guaranteed),
            Case(
                requests: ["cpu": "1"],
                limits: ["cpu": "2", "memory": "1Gi"],
                expected: .burstable
            ),
            Case(requests: ["cpu": "0"], limits: [:], expected: .bestEffort),
            Case(requests: ["example.com/x": "1"], limits: [:], expected: .bestEffort),
        ]
    )
    func follows(test: Case) throws {
        var pod = CoreV1.Pod()
        var container = CoreV1.Container()
        for (name, text) in test.requests {
            container.resources.requests[name] = Resource.Quantity(try .init(parsing: text))
        }
        for (name, text) in test.limits {
            container.resources.limits[name] = Resource.Quantity(try .init(parsing: text))
        }
        pod.spec.containers.append(container)
        #expect(QOSClass(of: pod) == test.expected)
    }
}

@Suite("FieldReferences")
struct FieldReferencesTests {
    @Test("gives a pod's own fields")
    func fields() throws {
        var pod = CoreV1.Pod()
        pod.metadata.name = "web"
        pod.metadata.labels = ["b": "2", "a": "1\n"]
        pod.spec.nodeName = "node"
        let context = FieldReferences.Context(podAddresses: ["10.0.0.2"])
        let value = { (path: String) in
            try FieldReferences.value(of: path, in: pod, context: context)
        }
        #expect(try value("metadata.name") == "web")
        #expect(try value("metadata.labels['b']") == "2")
        #expect(try value("metadata.labels") == "a=\"1\\n\"\nb=\"2\"")
        #expect(try value("status.podIP") == "10.0.0.2")
        #expect(throws: FieldReferences.UnknownField(path: "spec.secret")) {
            try value("spec.secret")
        }
    }
}
