// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import ClusterControllers
import ControllerHarness
import ControllerKit
import KubernetesAPI
import PKI
import Protobuf
import ResourceClient
import Testing

@Suite("TokenController")
struct TokenControllerTests {
    private static func secret(
        _ name: String = "robot-token",
        account: String = "robot",
        uid: String = "",
        _ data: [String: String] = [:]
    ) -> CoreV1.Secret {
        CoreV1.Secret.with {
            $0.metadata.name = name
            $0.metadata.namespace = "default"
            $0.metadata.annotations[AccountToken.nameAnnotation] = account
            if !uid.isEmpty { $0.metadata.annotations[AccountToken.uidAnnotation] = uid }
            $0.type = AccountToken.type
            for (key, value) in data { $0.data[key] = Bytes(value.utf8) }
        }
    }

    private static func account(_ name: String, uid: String = "") -> CoreV1.ServiceAccount {
        CoreV1.ServiceAccount.with {
            $0.metadata.name = name
            $0.metadata.namespace = "default"
            $0.metadata.uid = uid
        }
    }

    private static func text(_ secret: CoreV1.Secret, _ key: String) -> String {
        secret.data[key].map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    @Test(
        "what a Secret lacks is filled in, and what it has stays",
        arguments: [
            (["ca.crt": "CA", "namespace": "default", "token": "old"], "u", false, "old"),
            (["ca.crt": "CA", "namespace": "default", "token": "old"], "", true, "old"),
            (["ca.crt": "other", "namespace": "default", "token": "old"], "u", true, "old"),
            (["ca.crt": "CA", "token": "old"], "u", true, "old"),
            (["ca.crt": "CA", "namespace": "default"], "u", true, "new"),
            (["ca.crt": "CA", "namespace": "default", "token": ""], "u", true, "new"),
            ([:], "", true, "new"),
        ] as [([String: String], String, Bool, String)]
    )
    func fills(
        _ data: [String: String],
        _ uid: String,
        _ isChanged: Bool,
        _ token: String
    ) {
        let secret = Self.secret(uid: uid, data)
        let account = Self.account("robot", uid: "u").metadata
        let filled = AccountToken.filled(secret, for: account, authority: "CA") { "new" }
        #expect((filled != nil) == isChanged)
        let result = filled ?? secret
        #expect(Self.text(result, "token") == token)
        #expect(Self.text(result, "ca.crt") == "CA")
        #expect(Self.text(result, "namespace") == "default")
        #expect(result.metadata.annotations[AccountToken.uidAnnotation] == "u")
    }

    @Test(
        "whose a Secret is",
        arguments: [
            ("robot", "", true), ("robot", "u", true), ("robot", "other", false),
            ("other", "u", false), ("", "", false),
        ]
    )
    func owners(_ name: String, _ uid: String, _ isOwn: Bool) {
        let account = Self.account("robot", uid: "u").metadata
        #expect(AccountToken.isOf(account, Self.secret(account: name, uid: uid)) == isOwn)
    }

    @Test("a token is made for its account, and goes with it or without one")
    func endToEnd() async throws {
        let harness = ControllerHarness()
        let secrets = harness.client(CoreV1.Secret.self)
        let accounts = harness.client(CoreV1.ServiceAccount.self)
        let key = try PrivateKey(generating: .p256)
        let controller = TokenController(harness.context(), key: key, authority: "CA")
        try await harness.run([controller]) {
            var robot = Self.account("robot")
            robot.secrets.append(CoreV1.ObjectReference.with { $0.name = "robot-token" })
            robot = try await accounts.create(robot)
            _ = try await secrets.create(Self.secret())
            // Nobody's: its account never was.
            _ = try await secrets.create(Self.secret("lost", account: "nobody"))
            // Of another type: none of our business.
            var opaque = Self.secret("opaque", account: "nobody")
            opaque.type = "Opaque"
            _ = try await secrets.create(opaque)
            let isMade = try await harness.poll {
                let made = try await secrets.get("robot-token", in: "default")
                let names = try await secrets.list().items.map(\.metadata.name).sorted()
                return made.metadata.annotations[AccountToken.uidAnnotation] == robot.metadata.uid
                    && Self.text(made, "ca.crt") == "CA"
                    && Self.text(made, "token").split(separator: ".").count == 3
                    && names == ["opaque", "robot-token"]
            }
            #expect(isMade)
            try await secrets.delete("robot-token", in: "default")
            let isForgotten = try await harness.poll {
                try await accounts.get("robot", in: "default").secrets.isEmpty
            }
            #expect(isForgotten)
            _ = try await secrets.create(Self.secret())
            #expect(
                try await harness.poll {
                    !Self.text(try await secrets.get("robot-token", in: "default"), "token").isEmpty
                }
            )
            try await accounts.delete("robot", in: "default")
            let isGone = try await harness.poll {
                try await secrets.list().items.map(\.metadata.name) == ["opaque"]
            }
            #expect(isGone)
        }
    }
}
