// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import JSON
import KubernetesAPI
import NameRules
import Protobuf

extension FieldErrors {
    private mutating func validateKey(_ name: String, _ key: String) {
        let messages = Formats.configMapKey(key)
        if messages.isEmpty { return }
        self.within(name) { errors in
            errors.within(key: key) { $0.invalid(.string(key), messages) }
        }
    }

    mutating func validateConfigMap(_ map: CoreV1.ConfigMap) {
        var byteCount = 0
        for (key, value) in map.data {
            self.validateKey("data", key)
            if map.binaryData[key] != nil {
                self.within("data") { errors in
                    errors.within(key: key) {
                        $0.invalid(.string(key), "duplicate of key present in binaryData")
                    }
                }
            }
            byteCount += value.utf8.count
        }
        for (key, value) in map.binaryData {
            self.validateKey("binaryData", key)
            byteCount += value.count
        }
        if byteCount > APILimits.configMapTotalSize {
            // The fault is the object's, whose path is empty.
            self.add(
                FieldError(
                    .tooLong,
                    "",
                    .omitted,
                    "may not be more than \(APILimits.configMapTotalSize) bytes"
                )
            )
        }
    }

    private static let frozen = "field is immutable when `immutable` is set"

    mutating func validateConfigMapUpdate(_ new: CoreV1.ConfigMap, old: CoreV1.ConfigMap) {
        if old.immutable == true {
            if new.immutable != true { self.forbidden(at: "immutable", Self.frozen) }
            if new.data != old.data { self.forbidden(at: "data", Self.frozen) }
            if new.binaryData != old.binaryData { self.forbidden(at: "binaryData", Self.frozen) }
        }
        self.validateConfigMap(new)
    }

    // MARK: - Secrets

    mutating func validateSecret(_ secret: CoreV1.Secret) {
        var byteCount = 0
        for (key, value) in secret.data {
            self.validateKey("data", key)
            byteCount += value.count
        }
        if byteCount > APILimits.secretTotalSize {
            self.tooLong(at: "data", limit: APILimits.secretTotalSize)
        }
        switch secret.type {
        case "kubernetes.io/service-account-token":
            let key = "kubernetes.io/service-account.name"
            if (secret.metadata.annotations[key] ?? "").isEmpty {
                self.within("metadata") { errors in
                    errors.within("annotations") { errors in
                        errors.within(key: key) { $0.required() }
                    }
                }
            }
        case "kubernetes.io/dockercfg": self.validateRegistryConfig(secret, ".dockercfg")
        case "kubernetes.io/dockerconfigjson":
            self.validateRegistryConfig(secret, ".dockerconfigjson")
        case "kubernetes.io/basic-auth":
            if secret.data["username"] == nil && secret.data["password"] == nil {
                self.requireKey("username")
                self.requireKey("password")
            }
        case "kubernetes.io/ssh-auth":
            if secret.data["ssh-privatekey"].map({ $0.isEmpty }) ?? true {
                self.requireKey("ssh-privatekey")
            }
        case "kubernetes.io/tls":
            for key in ["tls.crt", "tls.key"] where secret.data[key] == nil {
                self.requireKey(key)
            }
        default: return
        }
    }

    private mutating func requireKey(_ key: String) {
        self.within("data") { errors in errors.within(key: key) { $0.required() } }
    }

    private mutating func validateRegistryConfig(_ secret: CoreV1.Secret, _ key: String) {
        guard let text = secret.data[key] else {
            self.requireKey(key)
            return
        }
        do {
            let tree = try text.withUnsafeBytes { bytes in
                Result { () throws(JSONError) in try DynamicValue(json: bytes) }
            }.get()
            if tree.kind == .object { return }
            self.refuseRegistryConfig(key, "json: cannot unmarshal into Go value of type map")
        } catch {
            self.refuseRegistryConfig(key, "\(error)")
        }
    }

    private mutating func refuseRegistryConfig(_ key: String, _ words: String) {
        self.within("data") { errors in
            errors.within(key: key) {
                $0.invalid("<secret contents redacted>", words)
            }
        }
    }

    mutating func validateSecretUpdate(_ new: CoreV1.Secret, old: CoreV1.Secret) {
        self.immutable(at: "type", new.type, old.type)
        if old.immutable == true {
            if new.immutable != true { self.forbidden(at: "immutable", Self.frozen) }
            if new.data != old.data { self.forbidden(at: "data", Self.frozen) }
        }
        self.validateSecret(new)
    }
}
