// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// How an answer is to be written: what came of negotiation.
///
/// Source: upstream k8s.io/apiserver `pkg/endpoints/handlers/negotiation/negotiate.go`.
public struct Representation: Sendable, Hashable {
    /// A kind that the object is to be turned into.
    public struct Target: Sendable, Hashable {
        public var group = ""
        public var version = ""
        public var kind = ""

        public init(group: String = "", version: String = "", kind: String = "") {
            self.group = group
            self.version = version
            self.kind = kind
        }

        /// Whether the kind is one of the `meta.k8s.io` that every object can be turned into.
        var form: Form? {
            guard self.group == "meta.k8s.io", self.version == "v1" || self.version == "v1beta1"
            else { return nil }
            return Form(rawValue: self.kind)
        }
    }

    /// A form that objects of all kinds can be turned into.
    public enum Form: String, Sendable, Hashable {
        case table = "Table"
        case partialObjectMetadata = "PartialObjectMetadata"
        case partialObjectMetadataList = "PartialObjectMetadataList"
    }

    public var mediaType: MediaType

    /// Whether the media type's parameters ask for indented text. See also
    /// ``PrettyPrinting/isWanted(pretty:userAgent:)``.
    public var isPretty = false

    /// The streaming form that was asked for: `watch` or empty.
    public var stream = ""

    /// The kind to turn the object into, or nil.
    public var target: Target?

    /// `nopeer` asks for discovery of this server alone.
    public var profile = ""

    public init(_ mediaType: MediaType) {
        self.mediaType = mediaType
    }

    /// The form to turn the object into, or nil when it is to stay as it is.
    public var form: Form? { self.target?.form }

    /// The version of the form, `v1` or `v1beta1`.
    public var formVersion: String { self.target?.version ?? "" }

    /// The Content-Type of an answer that tells its kind, as discovery does:
    /// `application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList`.
    public var contentTypeWithTarget: String {
        var text = self.mediaType.rawValue
        guard let target = self.target else { return text }
        if !target.group.isEmpty { text += ";g=" + target.group }
        if !target.version.isEmpty { text += ";v=" + target.version }
        if !target.kind.isEmpty { text += ";as=" + target.kind }
        return text
    }
}
