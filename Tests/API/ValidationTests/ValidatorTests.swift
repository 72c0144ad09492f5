// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Defaulting
import JSON
import KubernetesAPI
import NameRules
import ObjectModel
import ResourceTable
import Testing
import Validation

/// An object as a change of a valid one, and the faults that upstream finds in it.
struct ValidationCase: Sendable, CustomTestStringConvertible {
    let name: String
    let kind: String
    /// A merge patch on the valid object of the kind.
    let patch: String
    /// The whole messages, in order.
    let errors: [String]

    var testDescription: String { "\(self.kind): \(self.name)" }

    init(_ kind: String, _ name: String, _ patch: String, _ errors: String...) {
        self.name = name
        self.kind = kind
        self.patch = patch
        self.errors = errors
    }
}

@Suite("Validator")
struct ValidatorTests {
    @Test("finds nothing in valid objects", arguments: ValidObjects.all.keys.sorted())
    func valid(_ kind: String) throws {
        let (object, resource) = try ValidObjects.object(kind, patch: "{}")
        #expect(Validator.validateCreate(object, resource).list.map(\.description) == [])
        var newer = object
        newer.metadata.resourceVersion = "1"
        let update = Validator.validateUpdate(newer, old: newer, resource, subresource: nil)
        #expect(update.list.map(\.description) == [])
    }

    @Test("says what upstream says of a new object", arguments: Self.creates)
    func create(_ test: ValidationCase) throws {
        let (object, resource) = try ValidObjects.object(test.kind, patch: test.patch)
        let found = Validator.validateCreate(object, resource).list.map(\.description)
        #expect(found == test.errors)
    }

    @Test("says what upstream says of an update", arguments: Self.updates)
    func update(_ test: ValidationCase) throws {
        var (old, resource) = try ValidObjects.object(test.kind, patch: "{}")
        old.metadata.resourceVersion = "1"
        var (new, _) = try ValidObjects.object(test.kind, patch: test.patch)
        if new.metadata.resourceVersion.isEmpty { new.metadata.resourceVersion = "1" }
        let found = Validator.validateUpdate(new, old: old, resource, subresource: nil).list
        #expect(
            found.map { $0.description.prefix(while: { $0 != "\n" }) }
                == test.errors.map { $0[...] }
        )
    }
}
