// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import KubernetesAPI
import NIOCore
import NodeAPI
import PodLifecycle
import Protobuf
import RPCInterface
import Scalars
import Synchronization
import WellKnownTypes

/// `apus.node.v1.Node`: logs, commands, ports, statistics.
struct NodeRPCService: ApusNode.NodeService {
    let services: PodServices
    let fleet: PodFleet
    let stats: StatsProvider

    // MARK: - Finding

    private func pod(_ target: ApusNode.PodTarget?) async throws(RPCError) -> CoreV1.Pod {
        let namespace = target?.namespace ?? ""
        let name = target?.name ?? ""
        guard let pod = await self.fleet.pod(namespace: namespace, name: name),
            target?.uid.isEmpty ?? true || target?.uid == pod.metadata.uid
        else { throw RPCError(code: .notFound, message: "pod does not exist") }
        return pod
    }

    private func spec(
        _ target: ApusNode.ContainerTarget?,
        _ pod: CoreV1.Pod
    ) throws(RPCError) -> ContainerSpec {
        let name = target?.container ?? ""
        if name.isEmpty, pod.spec.containers.count == 1 { return pod.regularSpecs[0] }
        guard let spec = pod.containerSpec(named: name) else {
            throw RPCError(
                code: .invalidArgument,
                message: "container \(name) is not valid for pod \(pod.metadata.name)"
            )
        }
        return spec
    }

    private func running(
        _ target: ApusNode.ContainerTarget?
    ) async throws(RPCError) -> ContainerRecord {
        let pod = try await self.pod(target?.pod)
        let spec = try self.spec(target, pod)
        let runtime = self.services.observer.known(pod.metadata.uid)
        guard let record = runtime.container(named: spec.name) else {
            throw RPCError(code: .notFound, message: "container not found (\"\(spec.name)\")")
        }
        return record
    }

    // MARK: - Logs

    func logs(
        _ request: ApusNode.LogsRequest,
        responses: RPCWriter<ApusNode.LogsResponse>,
        context: ServerContext
    ) async throws {
        let pod = try await self.pod(request.target?.pod)
        let spec = try self.spec(request.target, pod)
        let uid = pod.metadata.uid
        let runtime = self.services.observer.known(uid)
        let found =
            request.previous
            ? runtime.previousContainer(named: spec.name) : runtime.container(named: spec.name)
        guard let record = found else {
            let kind = request.previous ? "previous terminated container" : "container"
            throw RPCError(
                code: .invalidArgument,
                message: request.previous
                    ? "\(kind) \"\(spec.name)\" in pod \"\(pod.metadata.name)\" not found"
                    : "container \"\(spec.name)\" in pod \"\(pod.metadata.name)\" is waiting to "
                        + "start: \(self.waitingReason(pod, spec))"
            )
        }
        var options = LogReader.Options()
        options.follows = request.follow && !request.previous
        options.tail = request.tailLines
        options.limitBytes = request.limitBytes
        options.showsTimestamps = request.timestamps
        if request.source == .stdout { options.stream = "stdout" }
        if request.source == .stderr { options.stream = "stderr" }
        if let seconds = request.sinceSeconds {
            options.since = WallClock.now - seconds * 1_000_000_000
        } else if let time = request.sinceTime {
            options.since = time.seconds * 1_000_000_000 + Int64(time.nanos)
        }
        let observer = self.services.observer
        let id = record.id
        try await LogReader(path: record.logPath, options: options).run {
            let containers = observer.known(uid).containers
            return containers.first { $0.id == id }?.state == .running
        } _: { bytes in
            try await responses.write(ApusNode.LogsResponse.with { $0.data = Bytes(bytes) })
        }
    }

    private func waitingReason(_ pod: CoreV1.Pod, _ spec: ContainerSpec) -> String {
        let status = self.services.statuses.entry(pod.metadata.uid)?.status
        let all =
            Array(status?.containerStatuses ?? []) + Array(status?.initContainerStatuses ?? [])
        return all.first { $0.name == spec.name }?.state.waiting?.reason ?? "ContainerCreating"
    }

    // MARK: - Commands

    func exec(
        _ requests: RPCRequestStream<ApusNode.ExecRequest>,
        responses: RPCWriter<ApusNode.ExecResponse>,
        context: ServerContext
    ) async throws {
        guard let first = try await requests.next(), case .start(let start)? = first.request else {
            throw RPCError(code: .invalidArgument, message: "the first message must start")
        }
        let streams = start.streams ?? ApusNode.Streams()
        let record = try await self.running(start.target)
        guard record.state == .running else {
            throw RPCError(
                code: .failedPrecondition,
                message: "container not found (\"\(record.name)\")"
            )
        }
        let request = CRI.ExecRequest.with {
            $0.containerId = record.id
            $0.cmd = start.command
            $0.tty = streams.tty
            $0.stdin = streams.stdin
            $0.stdout = streams.stdout
            $0.stderr = streams.stderr && !streams.tty
        }
        let url = try await self.services.client.runtime.exec(request).url
        try await ContainerSession(url: url, streams: streams).run {
            while let next = try await requests.next() {
                if case .input(let input)? = next.request, let taken = Self.input(input) {
                    return taken
                }
            }
            return nil
        } output: { output in
            try await responses.write(ApusNode.ExecResponse.with { $0.output = output })
        }
    }

    func attach(
        _ requests: RPCRequestStream<ApusNode.AttachRequest>,
        responses: RPCWriter<ApusNode.AttachResponse>,
        context: ServerContext
    ) async throws {
        guard let first = try await requests.next(), case .start(let start)? = first.request else {
            throw RPCError(code: .invalidArgument, message: "the first message must start")
        }
        var streams = start.streams ?? ApusNode.Streams()
        let pod = try await self.pod(start.target?.pod)
        let spec = try self.spec(start.target, pod)
        // What the container was made with decides, not who asks.
        streams.tty = spec.container.tty
        streams.stdin = streams.stdin && spec.container.stdin
        let record = try await self.running(start.target)
        let request = CRI.AttachRequest.with {
            $0.containerId = record.id
            $0.tty = streams.tty
            $0.stdin = streams.stdin
            $0.stdout = streams.stdout
            $0.stderr = streams.stderr && !streams.tty
        }
        let url = try await self.services.client.runtime.attach(request).url
        try await ContainerSession(url: url, streams: streams).run {
            while let next = try await requests.next() {
                if case .input(let input)? = next.request, let taken = Self.input(input) {
                    return taken
                }
            }
            return nil
        } output: { output in
            try await responses.write(ApusNode.AttachResponse.with { $0.output = output })
        }
    }

    private static func input(_ input: ApusNode.StreamInput) -> ContainerSession.Input? {
        switch input.input {
        case .stdin(let bytes): .stdin(Array(bytes))
        case .stdinClosed: .stdinEnd
        case .resize(let size): .resize(width: size.width, height: size.height)
        case nil: nil
        }
    }

    // MARK: - Ports

    func portForward(
        _ requests: RPCRequestStream<ApusNode.PortForwardRequest>,
        responses: RPCWriter<ApusNode.PortForwardResponse>,
        context: ServerContext
    ) async throws {
        guard let first = try await requests.next(), case .start(let target)? = first.request else {
            throw RPCError(code: .invalidArgument, message: "the first message must name the pod")
        }
        let pod = try await self.pod(target)
        let runtime = self.services.observer.known(pod.metadata.uid)
        guard let sandbox = runtime.sandbox, sandbox.isReady else {
            throw RPCError(code: .failedPrecondition, message: "the pod is not running")
        }
        let forwarder = PortForwarder(
            client: self.services.client,
            sandbox: sandbox,
            responses: responses
        )
        try await forwarder.run(requests)
    }

    // MARK: - What is known

    func stats(
        _ request: ApusNode.StatsRequest,
        context: ServerContext
    ) async throws -> ApusNode.StatsResponse {
        let summary = await self.stats.summary(onlyCPUAndMemory: request.onlyCpuAndMemory)
        return ApusNode.StatsResponse.with { $0.summary = summary }
    }

    func pods(
        _ request: ApusNode.PodsRequest,
        responses: RPCWriter<ApusNode.PodsResponse>,
        context: ServerContext
    ) async throws {
        for pod in await self.stats.podsWithStatus() {
            try await responses.write(ApusNode.PodsResponse.with { $0.pods = [pod] })
        }
    }
}
