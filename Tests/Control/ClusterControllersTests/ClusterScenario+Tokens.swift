// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import ClusterControllers
import ControllerHarness
import ControllerKit
import KubernetesAPI
import MemoryCluster
import PKI
import Protobuf
import ResourceClient

extension ClusterScenario {
    private static let robots = 3

    /// Accounts and the Secrets for their tokens come and go. In the end each Secret has a token of an
    /// account that is there; on the way no token that was handed out was replaced.
    static let tokens = ClusterScenario(
        name: "tokens",
        resources: ["serviceaccounts", "secrets"],
        controllers: { harness, _ in
            [TokenController(harness.context(), key: Self.key, authority: "CA")]
        },
        disturb: { harness, storm in
            let accounts = harness.client(CoreV1.ServiceAccount.self)
            let secrets = harness.client(CoreV1.Secret.self)
            let number = storm.random(below: Self.robots)
            let (robot, token) = ("robot-\(number)", "token-\(number)")
            switch storm.random(below: 6) {
            case 0, 1:
                _ = try? await accounts.create(
                    CoreV1.ServiceAccount.with {
                        $0.metadata.name = robot
                        $0.metadata.namespace = "default"
                        $0.secrets = [CoreV1.ObjectReference.with { $0.name = token }]
                    }
                )
            case 2: _ = try? await accounts.delete(robot, in: "default")
            case 3: _ = try? await secrets.delete(token, in: "default")
            default:
                _ = try? await secrets.create(
                    CoreV1.Secret.with {
                        $0.metadata.name = token
                        $0.metadata.namespace = "default"
                        $0.metadata.annotations[AccountToken.nameAnnotation] = robot
                        $0.type = AccountToken.type
                    }
                )
            }
        },
        settle: { _ in },
        isDone: { harness in
            let accounts = try await harness.client(CoreV1.ServiceAccount.self).list().items
            let uids = Set(accounts.map(\.metadata.uid))
            return try await harness.client(CoreV1.Secret.self).list().items.allSatisfy { secret in
                let uid = secret.metadata.annotations[AccountToken.uidAnnotation] ?? ""
                return uids.contains(uid) && !Self.token(of: secret).isEmpty
            }
        },
        problems: { cluster in
            var problems: [String] = []
            var tokens: [String: String] = [:]
            for (version, isDeleted, secret) in cluster.history(of: CoreV1.Secret.self)
            where !isDeleted {
                let token = Self.token(of: secret)
                let known = tokens.updateValue(token, forKey: secret.metadata.uid) ?? ""
                if !known.isEmpty, known != token {
                    problems.append("\(secret.metadata.name) has another token at \(version)")
                }
            }
            return problems
        }
    )

    private static let key = try? PrivateKey(generating: .p256)

    private static func token(of secret: CoreV1.Secret) -> String {
        secret.data["token"].map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
