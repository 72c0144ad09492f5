// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The schema files that the compiler brings itself, found behind those on the search path.
///
/// Names, numbers, types and options are those of protobuf 35; the words are our own.
public enum BuiltinSchemas {
    /// Names of the files.
    public static let names = BuiltinSchemas.texts.keys.sorted()

    /// The text of a file; nil when there is none of that name.
    public static func text(of name: String) -> String? {
        self.texts[name]
    }

    private static let texts: [String: String] = [
        "google/protobuf/descriptor.proto": BuiltinSchemas.descriptor,
        "google/protobuf/any.proto": BuiltinSchemas.any,
        "google/protobuf/timestamp.proto": BuiltinSchemas.timestamp,
        "google/protobuf/duration.proto": BuiltinSchemas.duration,
        "google/protobuf/wrappers.proto": BuiltinSchemas.wrappers,
        "google/protobuf/struct.proto": BuiltinSchemas.structure,
        "google/protobuf/empty.proto": BuiltinSchemas.empty,
        "google/protobuf/field_mask.proto": BuiltinSchemas.fieldMask,
        "google/protobuf/source_context.proto": BuiltinSchemas.sourceContext,
        "google/protobuf/type.proto": BuiltinSchemas.type,
        "google/protobuf/api.proto": BuiltinSchemas.api,
    ]
}
