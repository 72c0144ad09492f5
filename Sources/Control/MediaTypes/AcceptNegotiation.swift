// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// What an endpoint can answer with, and the choice among it.
///
/// Source: upstream k8s.io/apiserver `pkg/endpoints/handlers/negotiation/negotiate.go` and
/// `pkg/endpoints/handlers/rest.go` (AllowsMediaTypeTransform).
public struct AcceptNegotiation: Sendable, Hashable {
    /// What an answer can be turned into.
    public enum Targets: Sendable, Hashable {
        /// Nothing: errors, and endpoints without objects.
        case none
        /// Objects of the API as metadata, and as a table when they have columns.
        case objects(hasTable: Bool)
        /// The aggregated discovery document, and nothing else.
        case discovery
    }

    /// The types that the server speaks at this endpoint, in the order of its preference.
    public var types: [MediaType]

    /// The types in which objects go out as they are; custom resources have no protobuf.
    public var plainTypes: [MediaType]

    public var targets: Targets

    public init(
        types: [MediaType] = MediaType.all,
        plainTypes: [MediaType] = MediaType.all,
        targets: Targets
    ) {
        self.types = types
        self.plainTypes = plainTypes
        self.targets = targets
    }

    /// Built-in kinds.
    public static let builtin = AcceptNegotiation(targets: .objects(hasTable: true))

    /// Custom resources.
    public static let custom = AcceptNegotiation(
        plainTypes: [.json, .yaml],
        targets: .objects(hasTable: true)
    )

    /// Errors, and whatever has no other form.
    public static let plain = AcceptNegotiation(targets: .none)

    /// The aggregated discovery document at `/api` and `/apis`.
    public static let discovery = AcceptNegotiation(targets: .discovery)

    /// The form of an answer to a client that sent this Accept field; the first of the types
    /// without one.
    public func negotiate(_ accept: String?) throws(NegotiationError) -> Representation {
        guard let representation = self.choose(accept ?? "") else {
            throw .notAcceptable(MediaType.names(self.types))
        }
        return representation
    }

    /// The form of a watch's events.
    public func negotiateStream(_ accept: String?) throws(NegotiationError) -> Representation {
        guard let representation = self.choose(accept ?? ""), representation.mediaType.hasStream
        else { throw .notAcceptable(MediaType.streamNames(self.types)) }
        return representation
    }

    /// The first type that the preferred clause covers and that the endpoint can give.
    private func choose(_ accept: String) -> Representation? {
        if accept.isEmpty { return self.types.first.map { Representation($0) } }
        // Most clients ask for exactly one type.
        if let type = MediaType(rawValue: accept), self.types.contains(type) {
            let representation = Representation(type)
            return self.allows(representation) ? representation : nil
        }
        for clause in AcceptClause.clauses(accept) {
            for type in self.types where clause.covers(type) {
                if let representation = self.representation(type, clause) {
                    return representation
                }
            }
        }
        return nil
    }

    private func representation(_ type: MediaType, _ clause: AcceptClause) -> Representation? {
        var result = Representation(type)
        var target = Representation.Target()
        let hasTarget = clause.parameters.contains { name, _ in
            name == "as" || name == "g" || name == "v"
        }
        for (name, value) in clause.parameters {
            switch name {
            case "as": target.kind = value
            case "g": target.group = value
            case "v": target.version = value
            case "stream":
                result.stream = value
                if !value.isEmpty && !(type.hasStream && value == "watch") { return nil }
            case "sv":
                // No endpoint has versions of its own.
                if !value.isEmpty { return nil }
            case "pretty":
                result.isPretty = value == "1"
            case "profile":
                result.profile = value
            default:
                continue
            }
        }
        if hasTarget { result.target = target }
        return self.allows(result) ? result : nil
    }

    private func allows(_ representation: Representation) -> Bool {
        switch self.targets {
        case .none:
            return representation.target == nil
        case .discovery:
            return representation.target
                == .init(
                    group: "apidiscovery.k8s.io",
                    version: "v2",
                    kind: "APIGroupDiscoveryList"
                )
        case .objects(let hasTable):
            guard representation.target != nil else {
                return self.plainTypes.contains(representation.mediaType)
            }
            switch representation.form {
            case .table: return hasTable && representation.mediaType != .protobuf
            case .partialObjectMetadata, .partialObjectMetadataList: return true
            case nil: return false
            }
        }
    }
}
