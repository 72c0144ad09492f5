// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Clocks
package import ControllerKit
package import Informers
package import KubernetesAPI
package import MemoryCluster
import ObjectModel
package import Protobuf
package import RPC
package import ResourceClient
import Scalars
import Synchronization

/// Controllers against a store in memory, with a kubelet that runs nothing, in simulated time.
package final class ControllerHarness: Sendable {
    package let cluster: MemoryCluster
    package let clock: SimulatedClock
    package let channel: InProcessChannel
    /// Around the faults of the cluster, for what the test does itself.
    private let driver: InProcessChannel
    package let informers: InformerFactory

    /// - Parameter clock: another harness' clock, to go on where that one was stopped.
    package init(
        cluster: MemoryCluster = MemoryCluster(),
        clock: SimulatedClock = SimulatedClock(now: Timestamp(seconds: 1_800_000_000))
    ) {
        self.cluster = cluster
        self.clock = clock
        self.channel = InProcessChannel(services: [cluster])
        self.driver = InProcessChannel(services: [CalmCluster(cluster)])
        self.informers = InformerFactory(self.channel, clock: self.clock)
    }

    package func context(_ component: String = "test") -> ControllerContext {
        ControllerContext(
            component: component,
            informers: self.informers,
            channel: self.channel,
            clock: self.clock
        )
    }

    package func client<Object: Message>(_ type: Object.Type = Object.self) -> Client<Object> {
        Client(self.driver)
    }

    /// Moves the time of controllers and of the store.
    package func advance(by duration: Duration) {
        self.clock.advance(by: duration)
        self.cluster.setTime(seconds: self.clock.now.seconds)
    }

    /// Runs controllers during `body`.
    package func run(
        _ controllers: [any Controller],
        _ body: () async throws -> Void
    ) async throws {
        let running = Task { [informers] in
            await withDiscardingTaskGroup { group in
                for controller in controllers { group.addTask { await controller.run() } }
                group.addTask { await informers.run() }
            }
        }
        await self.informers.waitForSync()
        do {
            try await body()
        } catch {
            running.cancel()
            await running.value
            throw error
        }
        running.cancel()
        await running.value
    }

    /// Waits until a condition holds, for a minute of real time. Simulated time goes on by a
    /// millisecond at each look, so that what failed is tried again.
    package func poll(_ condition: () async throws -> Bool) async rethrows -> Bool {
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
            if try await condition() { return true }
            self.advance(by: .milliseconds(1))
            try? await Task.sleep(for: .milliseconds(2))
        }
        return false
    }

    /// Does what kubelets and the scheduler would: pods get a node and run, those to be deleted go.
    ///
    /// Controllers may be at the same pods: what does not succeed is left for the next time.
    ///
    /// - Parameters:
    ///   - works: whether a pod gets ready.
    ///   - place: the node of a pod; nil for any of ten.
    /// - Returns: how many pods changed.
    @discardableResult
    package func runPods(
        works: (CoreV1.Pod) -> Bool = { _ in true },
        place: (CoreV1.Pod) -> String? = { _ in nil }
    ) async throws -> Int {
        let pods = self.client(CoreV1.Pod.self)
        var changes = 0
        for pod in try await pods.list().items {
            var pod = pod
            let key = pod.objectKey
            if pod.metadata.deletionTimestamp != nil {
                changes += 1
                _ = try? await pods.delete(
                    key.name,
                    in: key.namespace,
                    DeleteOptions(gracePeriodSeconds: 0)
                )
                continue
            }
            if pod.spec.nodeName.isEmpty {
                pod.spec.nodeName =
                    place(pod) ?? "node-\(key.name.utf8.reduce(0) { $0 + Int($1) } % 10)"
                guard let bound = try? await pods.update(pod) else { continue }
                pod = bound
            }
            let wanted = works(pod)
            guard pod.status.phase != "Running" || pod.isReady != wanted, !pod.isTerminal else {
                continue
            }
            changes += 1
            pod.status.phase = "Running"
            pod.status.podIP = "10.0.0.\(changes % 250)"
            pod.status.conditions = [
                CoreV1.PodCondition.with {
                    $0.type = "Ready"
                    $0.status = wanted ? "True" : "False"
                    $0.lastTransitionTime = MetaV1.Time(self.clock.now)
                }
            ]
            _ = try? await pods.updateStatus(pod)
        }
        return changes
    }

    /// Changes an object, again when another was faster.
    package func change<Object: Message>(
        _ type: Object.Type,
        _ name: String,
        in namespace: String = "default",
        _ body: (inout Object) -> Void
    ) async throws {
        let client = self.client(Object.self)
        while true {
            var object = try await client.get(name, in: namespace)
            body(&object)
            do {
                _ = try await client.update(object)
                return
            } catch {
                guard error.isConflict else { throw error }
            }
        }
    }

    /// Ends a pod, unless it has changed meanwhile.
    package func end(_ pod: CoreV1.Pod, phase: String, exitCode: Int32 = 0) async throws {
        var pod = pod
        pod.status.phase = phase
        let finished = MetaV1.Time(self.clock.now)
        pod.status.containerStatuses = [
            CoreV1.ContainerStatus.with {
                $0.name = "main"
                $0.state.terminated = CoreV1.ContainerStateTerminated.with {
                    $0.exitCode = exitCode
                    $0.finishedAt = finished
                }
            }
        ]
        pod.status.conditions.removeAll { $0.type == "Ready" }
        _ = try? await self.client(CoreV1.Pod.self).updateStatus(pod)
    }
}
