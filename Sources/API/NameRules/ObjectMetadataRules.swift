// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The rules of `metadata` that all kinds share, on plain values, so that every caller can apply
/// them to whatever holds its objects.
///
/// The methods add faults of the field at hand: call them within `metadata`.
///
/// Source: upstream k8s.io/apimachinery `pkg/api/validation/objectmeta.go` and
/// `pkg/apis/meta/v1/validation/validation.go`.
extension FieldErrors {
    /// `name` and `generateName`.
    public mutating func validateNames(_ name: String, generateName: String, _ rule: NameRule) {
        if !generateName.isEmpty {
            self.invalid(
                at: "generateName",
                .string(generateName),
                rule.messages(for: generateName, isPrefix: true)
            )
        }
        if name.isEmpty {
            self.required(at: "name", "name or generateName is required")
        } else {
            self.invalid(at: "name", .string(name), rule.messages(for: name))
        }
    }

    /// `namespace`, which objects of some kinds must and others must not have.
    public mutating func validateNamespace(_ namespace: String, isNamespaced: Bool) {
        if !isNamespaced {
            if !namespace.isEmpty { self.forbidden(at: "namespace", "not allowed on this type") }
        } else if namespace.isEmpty {
            self.required(at: "namespace")
        } else {
            self.invalid(at: "namespace", .string(namespace), Formats.dns1123Label(namespace))
        }
    }

    /// A number that must not be negative.
    public mutating func validateNonnegative(at name: String? = nil, _ value: Int64) {
        if value < 0 {
            self.invalid(at: name, .integer(value), "must be greater than or equal to 0")
        }
    }

    /// A map of labels: keys and values.
    public mutating func validateLabels(
        at name: String? = "labels",
        _ labels: some Sequence<(key: String, value: String)>
    ) {
        for (key, value) in labels {
            if !Formats.isLabelKey(key) {
                self.invalid(at: name, .string(key), Formats.labelKey(key))
            }
            if !Formats.isLabelValue(value) {
                self.invalid(at: name, .string(value), Formats.labelValue(value))
            }
        }
    }

    /// A map of annotations: keys, and the size of all together.
    public mutating func validateAnnotations(
        at name: String? = "annotations",
        _ annotations: some Sequence<(key: String, value: String)>
    ) {
        var byteCount = 0
        for (key, value) in annotations {
            byteCount += key.utf8.count + value.utf8.count
            self.invalid(at: name, .string(key), Formats.annotationKey(key))
        }
        if byteCount > APILimits.annotationsTotalSize {
            self.tooLong(at: name, limit: APILimits.annotationsTotalSize)
        }
    }

    /// The names of finalizers, and the two that exclude each other.
    public mutating func validateFinalizers(_ finalizers: [String]) {
        for finalizer in finalizers where !Formats.isLabelKey(finalizer) {
            self.invalid(at: "finalizers", .string(finalizer), Formats.labelKey(finalizer))
        }
        if finalizers.contains("orphan") && finalizers.contains("foregroundDeletion") {
            self.invalid(
                at: "finalizers",
                .init(finalizers),
                "finalizer orphan and foregroundDeletion cannot be both set"
            )
        }
    }

    /// Finalizers without a domain that Kubernetes knows.
    private static let standardFinalizers: Set<String> = [
        "kubernetes", "orphan", "foregroundDeletion",
    ]

    /// The finalizers of Kubernetes' own kinds: known ones, or such that say whose they are.
    ///
    /// Source: upstream `pkg/apis/core/validation/validation.go` (validateKubeFinalizerName).
    public mutating func validateKubernetesFinalizers(_ finalizers: [String]) {
        for (index, finalizer) in finalizers.enumerated() {
            self.within("finalizers", index: index) { errors in
                if !Formats.isLabelKey(finalizer) {
                    errors.invalid(at: nil, .string(finalizer), Formats.labelKey(finalizer))
                }
                guard !finalizer.utf8.contains(UInt8(ascii: "/")),
                    !Self.standardFinalizers.contains(finalizer)
                else { return }
                errors.invalid(
                    at: nil,
                    .string(finalizer),
                    "name is neither a standard finalizer name nor is it fully qualified"
                )
            }
        }
    }

    /// That an object which is being deleted gets no new finalizers.
    public mutating func validateNoNewFinalizers(_ new: [String], old: [String]) {
        let extra = Set(new).subtracting(old).sorted()
        if !extra.isEmpty {
            let list = extra.map { GoText.quoted($0) }.joined(separator: ", ")
            self.forbidden(
                at: "finalizers",
                "no new finalizers can be added if the object is being deleted, found new "
                    + "finalizers []string{\(list)}"
            )
        }
    }

    /// One owner reference. The faults stand at `ownerReferences`, not at the item, as upstream has
    /// it.
    ///
    /// - Parameter json: the reference as JSON, for the message about owners that may not be.
    public mutating func validateOwnerReference(
        apiVersion: String,
        kind: String,
        name: String,
        uid: String,
        json: @autoclosure () -> String
    ) {
        self.within("ownerReferences") { errors in
            // The version is what follows the slash; without a slash there is no group.
            let parts = apiVersion.split(at: UInt8(ascii: "/"))
            let hasVersion = parts.count <= 2 && !(parts.last ?? "").isEmpty
            if !hasVersion {
                errors.invalid(
                    at: "apiVersion",
                    .string(apiVersion),
                    "version must not be empty"
                )
            }
            if kind.isEmpty { errors.invalid(at: "kind", "", "must not be empty") }
            if name.isEmpty { errors.invalid(at: "name", "", "must not be empty") }
            if uid.isEmpty { errors.invalid(at: "uid", "", "must not be empty") }
            if apiVersion == "v1" && kind == "Event" {
                errors.invalid(
                    .json(json()),
                    "/v1, Kind=Event is disallowed from being an owner"
                )
            }
        }
    }

    /// The name of a field manager: its length and its characters.
    public mutating func validateFieldManager(at name: String = "fieldManager", _ manager: String) {
        if manager.utf8.count > APILimits.fieldManagerMaxLength {
            self.tooLong(at: name, limit: APILimits.fieldManagerMaxLength)
        }
        var position = 0
        for scalar in manager.unicodeScalars {
            if !GoText.isPrintable(scalar) {
                let number = "U+" + GoText.hex(scalar.value, digits: 4, uppercase: true)
                self.invalid(
                    at: name,
                    .string(manager),
                    "invalid character \(number) (at position \(position))"
                )
            }
            position += UTF8.width(scalar)
        }
    }

    /// That a value has not changed. Values are compared by the caller.
    public mutating func immutable(at name: String? = nil, _ value: FieldError.Value) {
        self.invalid(at: name, value, "field is immutable")
    }
}
