// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
public import Clocks
import JSON
public import KubernetesAPI
import ObjectModel
public import Protobuf
public import RPCInterface
import ResourceClient
import Scalars
import Synchronization

/// Tells people what a component did to an object, as Event objects.
///
/// Recording never waits and never fails: events that cannot be stored are dropped. ``run()`` sends
/// them and must be running.
public final class EventRecorder: Sendable {
    /// The severity of an event.
    public enum EventType: String, Sendable {
        case normal = "Normal"
        case warning = "Warning"
    }

    /// Events that wait to be sent; more are dropped.
    public static let maximumQueued = 1000
    /// The longest message in bytes; longer ones are cut, as the server would refuse them.
    public static let maximumMessageBytes = 1024
    /// How often an event is tried to be sent.
    private static let maximumTries = 12
    private static let retryWait: Duration = .seconds(10)

    private let component: String
    private let host: String
    private let client: Client<CoreV1.Event>
    private let clock: any ComponentClock
    private let correlator = Mutex(EventCorrelator())
    private let stream: AsyncStream<CoreV1.Event>
    private let continuation: AsyncStream<CoreV1.Event>.Continuation
    private let sequence = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - component: such as `deployment-controller`.
    ///   - host: the node, for components of a node.
    public init(
        component: String,
        host: String = "",
        channel: any RPCChannel,
        clock: any ComponentClock = SystemClock()
    ) {
        self.component = component
        self.host = host
        self.client = Client(channel)
        self.clock = clock
        (self.stream, self.continuation) = AsyncStream.makeStream(
            bufferingPolicy: .bufferingOldest(Self.maximumQueued)
        )
    }

    /// Records an event about an object.
    public func record<Object: Message>(
        _ type: EventType,
        _ reason: String,
        _ message: String,
        about object: Object
    ) {
        self.record(type, reason, message, about: Self.reference(to: object))
    }

    /// Records an event about the object that a reference names.
    public func record(
        _ type: EventType,
        _ reason: String,
        _ message: String,
        about reference: CoreV1.ObjectReference,
        annotations: [String: String] = [:]
    ) {
        self.continuation.yield(self.event(type, reason, message, reference, annotations))
    }

    /// A reference to an object of a built-in kind.
    public static func reference<Object: Message>(to object: Object) -> CoreV1.ObjectReference {
        let metadata = object.objectMetadata
        let resource = ResourceName(of: Object.self)
        return CoreV1.ObjectReference.with {
            $0.kind = resource.kind
            $0.apiVersion = resource.apiVersion
            $0.namespace = metadata.namespace
            $0.name = metadata.name
            $0.uid = metadata.uid
            $0.resourceVersion = metadata.resourceVersion
        }
    }

    private func event(
        _ type: EventType,
        _ reason: String,
        _ message: String,
        _ reference: CoreV1.ObjectReference,
        _ annotations: [String: String]
    ) -> CoreV1.Event {
        let now = self.clock.now
        let time = MetaV1.Time(now)
        let number = self.sequence.wrappingAdd(1, ordering: .relaxed).newValue
        return CoreV1.Event.with {
            // Unique as upstream makes it: the time in hexadecimal. The counter tells events of
            // one moment apart.
            let stamp = UInt64(now.seconds) * 1_000_000_000 + UInt64(now.nanoseconds) + number
            $0.metadata.name = "\(reference.name).\(String(stamp, radix: 16))"
            $0.metadata.namespace = reference.namespace.isEmpty ? "default" : reference.namespace
            for (key, value) in annotations { $0.metadata.annotations[key] = value }
            $0.involvedObject = reference
            $0.reason = reason
            $0.message = message.truncated(toUTF8: Self.maximumMessageBytes)
            $0.type = type.rawValue
            $0.firstTimestamp = time
            $0.lastTimestamp = time
            $0.count = 1
            $0.source.component = self.component
            $0.source.host = self.host
            $0.reportingComponent = self.component
            $0.reportingInstance = self.host
        }
    }

    // MARK: Sending

    /// Sends what is recorded until the task is cancelled.
    public func run() async {
        var rate = EventRate(now: self.clock.uptime)
        for await event in self.stream {
            let now = self.clock.now
            let sent: CoreV1.Event
            let isNew: Bool
            switch self.correlator.withLock({ $0.correlate(event, now: now) }) {
            case .drop: continue
            case .create(let event): (sent, isNew) = (event, true)
            case .update(let event): (sent, isNew) = (event, false)
            }
            let wait = rate.wait(now: self.clock.uptime)
            if wait > .zero { await self.clock.sleep(for: wait) }
            await self.send(sent, isNew: isNew)
        }
    }

    private func send(_ event: CoreV1.Event, isNew: Bool) async {
        for _ in 0..<Self.maximumTries where !Task.isCancelled {
            do throws(StatusError) {
                let stored = try await self.sendOnce(event, isNew: isNew)
                self.correlator.withLock { $0.stored(stored) }
                return
            } catch {
                // What the server refuses it refuses again; only silence is worth another try.
                guard error.reason == .serviceUnavailable || error.reason == .timeout else {
                    return
                }
                await self.clock.sleep(for: Self.retryWait)
            }
        }
    }

    private func sendOnce(
        _ event: CoreV1.Event,
        isNew: Bool
    ) async throws(StatusError) -> CoreV1.Event {
        if isNew { return try await self.client.create(event) }
        do throws(StatusError) {
            return try await self.client.patch(
                event.metadata.name,
                in: event.metadata.namespace,
                .merge,
                [
                    "count": DynamicValue(Int64(event.count)),
                    "message": DynamicValue(event.message),
                    "lastTimestamp": DynamicValue(
                        event.lastTimestamp.timestamp?.text(as: .time) ?? ""
                    ),
                ]
            )
        } catch {
            guard error.isNotFound else { throw error }
            // It has run out meanwhile.
            var event = event
            event.metadata.resourceVersion = ""
            return try await self.client.create(event)
        }
    }
}

extension String {
    /// The longest prefix of whole characters that has at most `count` bytes.
    fileprivate func truncated(toUTF8 count: Int) -> String {
        guard self.utf8.count > count else { return self }
        var end = self.utf8.index(self.startIndex, offsetBy: count)
        while end.samePosition(in: self.unicodeScalars) == nil, end > self.startIndex {
            end = self.utf8.index(before: end)
        }
        return String(self[..<end])
    }
}
