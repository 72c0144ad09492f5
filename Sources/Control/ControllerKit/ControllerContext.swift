// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Clocks
package import EventRecording
package import Informers
import KubernetesAPI
package import Protobuf
package import RPCInterface
package import ResourceClient
package import WorkQueues

/// What a controller is given: informers that it shares with others, a way to write, and the time.
package struct ControllerContext: Sendable {
    package let informers: InformerFactory
    /// With the controller's own credentials.
    package let channel: any RPCChannel
    package let clock: any ComponentClock
    package let recorder: EventRecorder
    /// Tells people of a failure.
    package let log: @Sendable (String) -> Void
    /// Where work queues are counted; nil for nowhere.
    package let metrics: WorkQueueMetrics?
    /// What single controllers count; nil for nowhere.
    package let counts: ControllerMetrics?
    /// What flags say.
    package let options: ControllerOptions

    /// - Parameter component: who events are by, such as `deployment-controller`.
    package init(
        component: String,
        informers: InformerFactory,
        channel: any RPCChannel,
        clock: any ComponentClock,
        log: @escaping @Sendable (String) -> Void = { _ in },
        metrics: WorkQueueMetrics? = nil,
        counts: ControllerMetrics? = nil,
        options: ControllerOptions = ControllerOptions()
    ) {
        self.informers = informers
        self.channel = channel
        self.clock = clock
        self.recorder = EventRecorder(component: component, channel: channel, clock: clock)
        self.log = log
        self.metrics = metrics
        self.counts = counts
        self.options = options
    }

    package func client<Object: Message>(_ type: Object.Type = Object.self) -> Client<Object> {
        Client(self.channel, fieldManager: "kube-controller-manager")
    }

    package func informer<Object: Message>(of type: Object.Type) -> Informer<Object> {
        self.informers.informer(of: type)
    }
}

/// Moves the current state of something towards the desired one, until its task is cancelled.
///
/// Its initialiser asks for the informers and adds handlers, which only enqueue keys; ``run()``
/// works on them. A controller can be stopped and started at any time: all it knows is in the
/// cluster.
package protocol Controller: Sendable {
    /// As `--controllers` names it, such as `deployment-controller`.
    static var name: String { get }

    init(_ context: ControllerContext)

    /// Works until the task is cancelled.
    func run() async

    /// Whether nothing is to be done now. Something may be due later.
    var isQuiet: Bool { get }
}
