// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Protobuf
public import WellKnownTypes

// The rules that the schema files state about messages and fields, as the generated types that
// `proto/apus/options.proto` describes.

extension FieldSchema {
    /// What `[(apus.field) = …]` says of the field.
    public var rules: Apus.FieldRules {
        self.withRules { bytes in
            guard let rules = try? Apus.FieldRules(serialized: bytes) else {
                preconditionFailure("the rules of \(self.name) are malformed")
            }
            return rules
        }
    }
}

extension MessageSchema {
    /// What `option (apus.message)` says of the message.
    public var messageRules: Apus.MessageRules {
        self.withRules { bytes in
            guard let rules = try? Apus.MessageRules(serialized: bytes) else {
                preconditionFailure("the rules of \(self.fullName) are malformed")
            }
            return rules
        }
    }
}
