// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import ApusAPI
import Bytes
import KubernetesAPI
public import ObjectModel
public import Protobuf
public import RPCInterface
public import Selectors

/// Reads and writes the objects of one resource.
///
/// Stateless but for its settings: making one costs nothing, and any number of tasks may use it.
///
/// ```swift
/// let pods = Client<CoreV1.Pod>(channel)
/// let pod = try await pods.get("web-0", in: "default")
/// ```
public struct Client<Object: Message>: Sendable {
    public let resource: ResourceName
    let service: ApusResource.ResourcesClient
    let form: ApusResource.Form
    let manager: String
    /// The time that every call may take; nil: the channel's.
    public var timeout: Duration?

    /// - Parameters:
    ///   - resource: nil for the resource whose objects are of the type.
    ///   - fieldManager: who the writes are by; empty lets the server choose.
    public init(
        _ channel: any RPCChannel,
        resource: ResourceName? = nil,
        fieldManager: String = ""
    ) {
        self.resource = resource ?? ResourceName(of: Object.self)
        self.service = ApusResource.ResourcesClient(channel: channel)
        // Another kind than the resource's is asked for when only metadata is wanted.
        let isMetadata = Object.schema === MetaV1.PartialObjectMetadata.schema
        self.form = isMetadata ? .metadata : .full
        self.manager = fieldManager
    }

    /// What calls go over.
    public var channel: any RPCChannel { self.service.channel }

    var callOptions: CallOptions { CallOptions(timeout: self.timeout) }

    // MARK: Reading

    /// One object.
    ///
    /// - Parameter resourceVersion: empty for the latest state, `0` for what is at hand.
    public func get(
        _ name: String,
        in namespace: String = "",
        resourceVersion: String = ""
    ) async throws(StatusError) -> Object {
        let request = ApusResource.GetRequest.with {
            $0.target = self.resource.target(namespace: namespace, name: name)
            $0.resourceVersion = resourceVersion
            $0.accept = .protobuf
            $0.form = self.form
        }
        let answer = try await self.call { () async throws(RPCError) in
            try await self.service.get(request, options: self.callOptions)
        }
        return try ObjectCoding.decode(answer.object)
    }

    /// The objects of a namespace, or of all when it is empty.
    public func list(
        in namespace: String = "",
        labels: LabelSelector = .everything,
        fields: FieldSelector = .everything,
        options: ListOptions = ListOptions()
    ) async throws(StatusError) -> ObjectList<Object> {
        if labels.matchesNothing { return ObjectList(items: [], resourceVersion: "0") }
        let request = ApusResource.ListRequest.with {
            $0.target = self.resource.target(namespace: namespace)
            $0.labelSelector = labels.description
            $0.fieldSelector = fields.description
            $0.resourceVersion = options.resourceVersion
            $0.resourceVersionMatch = options.match
            $0.limit = options.limit
            $0.continueToken = options.continueToken
            $0.accept = .protobuf
            $0.form = self.form
        }
        var list = ObjectList<Object>(items: [], resourceVersion: "")
        var encoding = ApusResource.Encoding.protobuf
        do throws(RPCError) {
            let stream = try await self.service.list(request, options: self.callOptions)
            while let chunk = try await stream.next() {
                if let head = chunk.head {
                    list.resourceVersion = head.resourceVersion
                    encoding = head.encoding
                }
                for body in chunk.items {
                    do throws(StatusError) {
                        list.items.append(try ObjectCoding.decode(body, encoding))
                    } catch {
                        throw RPCError(code: .internalError, message: error.message)
                    }
                }
                if let tail = chunk.tail {
                    list.continueToken = tail.continueToken
                    list.remainingItemCount = tail.remainingItemCount
                }
            }
        } catch {
            throw StatusError(error)
        }
        return list
    }

    /// The changes after a resource version.
    public func watch(
        in namespace: String = "",
        name: String = "",
        labels: LabelSelector = .everything,
        fields: FieldSelector = .everything,
        from resourceVersion: String,
        options: WatchOptions = WatchOptions()
    ) async throws(StatusError) -> WatchStream<Object> {
        let request = ApusResource.WatchRequest.with {
            $0.target = self.resource.target(namespace: namespace, name: name)
            $0.labelSelector = labels.description
            $0.fieldSelector = fields.description
            $0.resourceVersion = resourceVersion
            $0.resourceVersionMatch = options.match
            $0.sendInitialEvents = options.sendInitialEvents
            $0.allowBookmarks = options.allowBookmarks
            $0.timeoutSeconds = options.timeoutSeconds
            $0.maxDelayMilliseconds = options.maxDelayMilliseconds
            $0.accept = .protobuf
            $0.form = self.form
        }
        let stream = try await self.call { () async throws(RPCError) in
            try await self.service.watch(request)
        }
        return WatchStream(stream)
    }

    // MARK: Calling

    /// Makes a call whose failure is told as the API tells it.
    func call<R>(
        _ body: () async throws(RPCError) -> R
    ) async throws(StatusError) -> R {
        do throws(RPCError) {
            return try await body()
        } catch {
            throw StatusError(error)
        }
    }
}

/// What a list may ask for.
public struct ListOptions: Sendable {
    /// Empty: the latest state; `0`: what is at hand; else at least as new.
    public var resourceVersion = ""
    public var match = ApusResource.ResourceVersionMatch.unspecified
    /// The most objects; 0 is no limit.
    public var limit: Int64 = 0
    /// Where the list before ended.
    public var continueToken = ""

    public init(resourceVersion: String = "", limit: Int64 = 0, continueToken: String = "") {
        self.resourceVersion = resourceVersion
        self.limit = limit
        self.continueToken = continueToken
    }
}

/// What a watch may ask for.
public struct WatchOptions: Sendable {
    public var match = ApusResource.ResourceVersionMatch.unspecified
    /// The state at the start comes first, as events.
    public var sendInitialEvents = false
    public var allowBookmarks = true
    /// The server ends the watch after so long; 0 leaves it to the server.
    public var timeoutSeconds: Int64 = 0
    /// How long an event may wait for others.
    public var maxDelayMilliseconds: UInt32 = 0

    public init() {}
}

/// Objects of one resource version.
public struct ObjectList<Object: Message>: Sendable {
    public var items: [Object]
    public var resourceVersion: String
    /// Goes on after the last object; empty at the end.
    public var continueToken = ""
    /// How many follow, where the server knows it.
    public var remainingItemCount: Int64?

    public init(items: [Object], resourceVersion: String) {
        self.items = items
        self.resourceVersion = resourceVersion
    }
}
