// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import Logging
import NodeAPI
import NodeHost
import Protobuf
import RPCInterface
import Synchronization

/// Removes images that no container uses when their disk gets full.
///
/// Source: upstream `pkg/kubelet/images/image_gc_manager.go`.
final class ImageCollector: Sendable {
    /// Between looks at the disk.
    private static let interval: Duration = .seconds(300)

    private let client: RuntimeClient
    private let settings: KubeletSettings
    private let events: any EventSink
    private let logger: Logger
    private let ages = Mutex(ImageAges())
    private let location = Mutex<String?>(nil)

    init(
        client: RuntimeClient,
        settings: KubeletSettings,
        events: any EventSink,
        logger: Logger
    ) {
        self.client = client
        self.settings = settings
        self.events = events
        self.logger = logger
    }

    /// Collects until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            await self.look()
            try? await Task.sleep(for: Self.interval)
            if !Task.isCancelled { await self.collect() }
        }
    }

    /// Where images lie; nil while the runtime does not say.
    func folder() async -> String? {
        if let known = self.location.withLock({ $0 }) { return known }
        let answer = try? await self.client.images.imageFsInfo(.init())
        let path = answer?.imageFilesystems.first?.fsId?.mountpoint ?? ""
        guard !path.isEmpty else { return nil }
        self.location.withLock { $0 = path }
        return path
    }

    /// Removes every image that nobody uses, whatever its age.
    func removeUnused() async {
        _ = await self.remove(bytes: .max, minimumAge: .zero)
    }

    /// Removes images when the disk is fuller than it may be, until it is as full as it should be.
    private func collect() async {
        guard let folder = await self.folder(),
            let disk = await HostThreads.run({ FileSystemUse(of: folder) }),
            let wanted = ImageAges.excess(
                disk,
                high: self.settings.imageHighThreshold,
                low: self.settings.imageLowThreshold
            )
        else { return }
        let freed = await self.remove(bytes: wanted, minimumAge: self.settings.imageMinimumAge)
        guard freed < wanted else { return }
        self.events.record(
            node: self.settings.nodeName,
            isWarning: true,
            reason: "FreeDiskSpaceFailed",
            message: "Failed to garbage collect required amount of images. Attempted to free "
                + "\(wanted) bytes, but only found \(freed) bytes eligible to free."
        )
    }

    /// Notes which images there are and which are used.
    @discardableResult
    private func look() async -> [ImageAges.Image] {
        do throws(RPCError) {
            let list = try await self.client.images.listImages(.init())
            let containers = try await self.client.containers()
            let used = Set(containers.map(\.imageRef) + containers.map { $0.image?.image ?? "" })
            let sandbox = await self.sandboxImage()
            let now = SteadyClock.now
            let images = list.images.map { image in
                let names = [image.id] + Array(image.repoTags) + Array(image.repoDigests)
                return ImageAges.Image(
                    id: image.id,
                    bytes: Int64(clamping: image.size),
                    isUsed: names.contains { used.contains($0) },
                    isPinned: image.pinned || names.contains(sandbox)
                )
            }
            self.ages.withLock { $0.note(images, now: now) }
            return images
        } catch {
            self.logger.error("images cannot be listed", metadata: ["error": "\(error)"])
            return []
        }
    }

    /// The image of sandboxes, which runtimes do not always pin.
    private func sandboxImage() async -> String {
        guard let text = try? await self.client.status(verbose: true).info["config"],
            let config = try? DynamicValue(json: Array(text.utf8))
        else { return "" }
        return config["sandboxImage"]?.string ?? ""
    }

    /// - Returns: how many bytes were removed.
    private func remove(bytes: Int64, minimumAge: Duration) async -> Int64 {
        let images = await self.look()
        let candidates = self.ages.withLock {
            $0.removable(images, now: SteadyClock.now, minimumAge: minimumAge)
        }
        var freed: Int64 = 0
        for image in candidates {
            if freed >= bytes { break }
            let request = CRI.RemoveImageRequest.with {
                $0.image = CRI.ImageSpec.with { $0.image = image.id }
            }
            do throws(RPCError) {
                _ = try await self.client.images.removeImage(request)
                freed += image.bytes
                self.logger.info("removed an image", metadata: ["image": "\(image.id)"])
            } catch {
                self.logger.warning(
                    "an image cannot be removed",
                    metadata: ["image": "\(image.id)", "error": "\(error)"]
                )
            }
        }
        return freed
    }
}
