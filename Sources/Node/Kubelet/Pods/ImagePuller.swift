// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NodeAPI
import PodLifecycle
import Protobuf
import RPCInterface
import Synchronization

/// Gets images for containers: by their pull policy, with back-off, one at a time or several.
///
/// Source: upstream `pkg/kubelet/images/image_manager.go`.
final class ImagePuller: Sendable {
    /// An image that is not there: the reason and message of the container's waiting state.
    struct Failure: Error, Sendable {
        let reason: String
        let message: String
        /// How long to wait before the next attempt.
        var retry: Duration = .seconds(10)
    }

    /// An image that is there.
    struct Pulled: Sendable {
        var image: CRI.Image
        /// What CreateContainer names it by.
        var reference: String
    }

    private let client: RuntimeClient
    private let events: any EventSink
    private let gate: Gate
    private let backoff = Mutex(Backoff.imagePull)
    private let lastFailure = Mutex<[String: (time: Int64, message: String)]>([:])

    init(client: RuntimeClient, events: any EventSink, parallel: Int?) {
        self.client = client
        self.events = events
        self.gate = Gate(limit: parallel)
    }

    /// The image of a container.
    func image(
        for spec: ContainerSpec,
        in pod: CoreV1.Pod,
        sandbox: CRI.PodSandboxConfig,
        credentials: [PullCredential]
    ) async throws(Failure) -> Pulled {
        let name = spec.container.image
        guard let reference = ImageReference(name) else {
            let message =
                "Failed to apply default image tag \"\(name)\": couldn't parse image "
                + "name \"\(name)\": invalid reference format"
            self.events.warning(pod, spec.fieldPath, "InspectFailed", message)
            throw Failure(reason: "InvalidImageName", message: message)
        }
        let present = await self.present(reference.text)
        let policy = Self.policy(spec.container, reference)
        if let present, policy != "Always" {
            self.events.normal(
                pod,
                spec.fieldPath,
                "Pulled",
                "Container image \"\(name)\" already present on machine and can be accessed by "
                    + "the pod"
            )
            return Pulled(image: present, reference: present.id)
        }
        if policy == "Never" {
            let message =
                "Container image \"\(name)\" is not present with pull policy of Never"
            self.events.warning(pod, spec.fieldPath, "ErrImageNeverPull", message)
            throw Failure(reason: "ErrImageNeverPull", message: message)
        }
        let key = "\(pod.metadata.uid)_\(reference.text)"
        if let failure = self.pause(key, name) {
            self.events.normal(pod, spec.fieldPath, "BackOff", failure.message)
            throw failure
        }
        return try await self.pull(spec, pod, reference, sandbox, credentials, key)
    }

    private func pull(
        _ spec: ContainerSpec,
        _ pod: CoreV1.Pod,
        _ reference: ImageReference,
        _ sandbox: CRI.PodSandboxConfig,
        _ credentials: [PullCredential],
        _ key: String
    ) async throws(Failure) -> Pulled {
        let name = spec.container.image
        self.events.normal(pod, spec.fieldPath, "Pulling", "Pulling image \"\(name)\"")
        let asked = ContinuousClock.now
        await self.gate.enter()
        let began = ContinuousClock.now
        let result = await self.fetch(reference, sandbox, credentials)
        self.gate.leave()
        switch result {
        case .success(let id):
            self.backoff.withLock { $0.reset(key) }
            self.lastFailure.withLock { $0[key] = nil }
            let image = await self.present(id)
            let pulled = ContinuousClock.now
            self.events.normal(
                pod,
                spec.fieldPath,
                "Pulled",
                "Successfully pulled image \"\(name)\" in \((pulled - began).millisecondText) "
                    + "(\((pulled - asked).millisecondText) including waiting). Image size: "
                    + "\(image?.size ?? 0) bytes."
            )
            return Pulled(image: image ?? CRI.Image.with { $0.id = id }, reference: id)
        case .failure(let error):
            let message = "failed to pull image \"\(name)\": \(error.message)"
            let now = SteadyClock.now
            self.backoff.withLock { $0.next(key, event: now, now: now) }
            self.lastFailure.withLock { $0[key] = (now, message) }
            self.events.warning(
                pod,
                spec.fieldPath,
                "Failed",
                "Failed to pull image \"\(name)\": \(error.message)"
            )
            let reason =
                error.message.contains("SignatureValidationFailed")
                ? "SignatureValidationFailed" : "ErrImagePull"
            throw Failure(
                reason: reason,
                message: message,
                retry: self.backoff.withLock { $0.pause(of: key) }
            )
        }
    }

    /// Tries with each fitting credential, and without one when there is none.
    private func fetch(
        _ reference: ImageReference,
        _ sandbox: CRI.PodSandboxConfig,
        _ credentials: [PullCredential]
    ) async -> Result<String, RPCError> {
        let fitting = credentials.filter { $0.fits(reference) }.map { $0.auth as CRI.AuthConfig? }
        var last = RPCError(code: .unknown, message: "no credential was accepted")
        for auth in fitting.isEmpty ? [nil] : fitting {
            let request = CRI.PullImageRequest.with {
                $0.image = CRI.ImageSpec.with { $0.image = reference.text }
                $0.auth = auth
                $0.sandboxConfig = sandbox
            }
            do throws(RPCError) {
                return .success(try await self.client.images.pullImage(request).imageRef)
            } catch {
                last = error
                if error.code == .cancelled { break }
            }
        }
        return .failure(last)
    }

    /// The image when the node has it.
    func present(_ name: String) async -> CRI.Image? {
        let request = CRI.ImageStatusRequest.with {
            $0.image = CRI.ImageSpec.with { $0.image = name }
        }
        return try? await self.client.images.imageStatus(request).image
    }

    private func pause(_ key: String, _ name: String) -> Failure? {
        guard let last = self.lastFailure.withLock({ $0[key] }) else { return nil }
        let now = SteadyClock.now
        guard
            let left = self.backoff.withLock({ $0.remaining(of: key, since: last.time, now: now) })
        else { return nil }
        return Failure(
            reason: "ImagePullBackOff",
            message: "Back-off pulling image \"\(name)\": ErrImagePull: \(last.message)",
            retry: left
        )
    }

    /// The policy of a container: its own, or `Always` for the tag `latest`.
    static func policy(_ container: CoreV1.Container, _ reference: ImageReference) -> String {
        if !container.imagePullPolicy.isEmpty { return container.imagePullPolicy }
        return reference.tag == "latest" ? "Always" : "IfNotPresent"
    }
}

/// Lets so many tasks through at a time, in the order they came.
final class Gate: Sendable {
    private struct State {
        var inside = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let limit: Int?
    private let state = Mutex(State())

    /// - Parameter limit: nil for no limit.
    init(limit: Int?) {
        self.limit = limit
    }

    func enter() async {
        guard let limit = self.limit else { return }
        await withCheckedContinuation { continuation in
            let enters = self.state.withLock { state in
                if state.inside < limit {
                    state.inside += 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if enters { continuation.resume() }
        }
    }

    func leave() {
        guard self.limit != nil else { return }
        let next = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            if state.waiting.isEmpty {
                state.inside -= 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
