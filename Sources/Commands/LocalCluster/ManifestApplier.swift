// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import Glibc
public import JSON
import Kubeconfig
import NIOPosix
import NodeHost
import ObjectModel
import Protobuf
import RPC
import RPCInterface
import ResourceClient
import ResourceTable
import YAML

/// Applies the manifests of a folder, and applies them again when the folder changes, after a
/// failure, and from time to time, so that what somebody deletes comes back.
///
/// Server-side apply with force, as the manager `apus`: fields that the files do not name stay
/// others'. What a file no longer says is not deleted.
public struct ManifestApplier: Sendable {
    private let layout: ClusterLayout
    /// What is applied once at the start, beside the folder.
    private let builtin: [DynamicValue]
    /// Takes lines for the log.
    private let report: @Sendable (String) -> Void

    public init(
        _ layout: ClusterLayout,
        builtin: [DynamicValue] = [],
        report: @escaping @Sendable (String) -> Void
    ) {
        self.layout = layout
        self.builtin = builtin
        self.report = report
    }

    static let fieldManager = "apus"
    /// When everything is applied again without a cause.
    static let interval = Duration.seconds(300)
    /// When what failed is tried again.
    static let retryInterval = Duration.seconds(5)
    /// How long one object may take.
    private static let timeout = Duration.seconds(30)
    /// A file is read when nothing has been written for so long.
    private static let settling = Duration.milliseconds(100)
    private static let suffixes = [".yaml", ".yml", ".json"]

    /// Runs until the task is cancelled.
    public func run() async {
        let (changes, continuation) = AsyncStream.makeStream(
            of: Void.self,
            bufferingPolicy: .bufferingNewest(1)
        )
        let watch = await FolderWatch.start(self.layout.manifests) { continuation.yield() }
        defer { watch?.stop() }
        continuation.yield()
        var builtin = self.builtin
        var next: Task<Void, Never>?
        defer { next?.cancel() }
        for await _ in changes {
            guard (try? await Task.sleep(for: Self.settling)) != nil else { return }
            let isApplied = await self.apply(&builtin)
            next?.cancel()
            next = Task {
                let pause = isApplied ? Self.interval : Self.retryInterval
                guard (try? await Task.sleep(for: pause)) != nil else { return }
                continuation.yield()
            }
        }
    }

    /// Applies every manifest once.
    ///
    /// - Parameter builtin: what of it is left to apply.
    /// - Returns: whether everything worked, or there was nothing.
    private func apply(_ builtin: inout [DynamicValue]) async -> Bool {
        let files = HostFiles.list(self.layout.manifests).filter { name in
            Self.suffixes.contains { name.hasSuffix($0) }
        }
        guard !files.isEmpty || !builtin.isEmpty else { return true }
        let client: RPCClient
        do throws(KubeconfigError) {
            client = try Kubeconfig(path: self.layout.kubeconfig("admin")).connection()
                .makeClient(group: MultiThreadedEventLoopGroup.singleton, userAgent: "apus")
        } catch {
            self.report("manifests: \(error)")
            return false
        }
        defer { client.close(gracefully: false) }
        var isApplied = true
        do {
            while let object = builtin.first {
                try await self.apply(object, through: client)
                builtin.removeFirst()
            }
        } catch {
            isApplied = false
            self.report("what nodes join by: \(error)")
        }
        for file in files {
            do {
                let bytes = try ClusterFile.read("\(self.layout.manifests)/\(file)") ?? []
                for document in try YAML.documents(bytes) {
                    try await self.apply(DynamicValue(json: document), through: client)
                }
            } catch {
                isApplied = false
                self.report("manifests: \(file): \(error)")
            }
        }
        return isApplied
    }

    /// Applies one object, or each of a list.
    private func apply(_ object: DynamicValue, through client: RPCClient) async throws {
        if object["kind"]?.string == "List", let items = object["items"] {
            for item in items.items { try await self.apply(item, through: client) }
            return
        }
        guard let apiVersion = object["apiVersion"]?.string, let kind = object["kind"]?.string,
            let name = object[path: ["metadata", "name"]]?.string
        else { throw ManifestError.incomplete }
        guard
            let resource = ResourceTable.served.resource(
                GroupVersionKind(apiVersion: apiVersion, kind: kind)
            )
        else {
            throw ManifestError.unknownKind(apiVersion, kind)
        }
        let namespace = object[path: ["metadata", "namespace"]]?.string ?? "default"
        let request = ApusResource.PatchRequest.with {
            $0.target = ResourceName(resource).target(
                namespace: resource.isNamespaced ? namespace : "",
                name: name
            )
            $0.type = .apply
            $0.patch = Bytes(object.json())
            $0.force = true
            $0.options = .with { $0.fieldManager = Self.fieldManager }
        }
        let options = CallOptions(timeout: Self.timeout, waitForReady: true)
        do throws(RPCError) {
            _ = try await ApusResource.ResourcesClient(channel: client)
                .patch(request, options: options)
        } catch {
            throw StatusError(error)
        }
    }
}

/// Why an object of a manifest cannot be applied.
private enum ManifestError: Error, CustomStringConvertible {
    case incomplete
    case unknownKind(String, String)

    var description: String {
        switch self {
        case .incomplete: "an object without apiVersion, kind or metadata.name"
        case .unknownKind(let version, let kind): "no resource for kind \(kind) in \(version)"
        }
    }
}
