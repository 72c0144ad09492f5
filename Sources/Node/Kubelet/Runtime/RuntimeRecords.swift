// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NodeAPI
import PodLifecycle
import Protobuf

extension ContainerRecord.State {
    init(_ state: CRI.ContainerState) {
        switch state {
        case .containerCreated: self = .created
        case .containerRunning: self = .running
        case .containerExited: self = .exited
        default: self = .unknown
        }
    }
}

extension ContainerRecord {
    init(_ status: CRI.ContainerStatus, sandboxID: String) {
        self.init(
            id: status.id,
            name: status.labels[RuntimeLabels.containerName] ?? status.metadata?.name ?? "",
            sandboxID: sandboxID,
            state: State(status.state),
            restarts: Int32(status.annotations[RuntimeLabels.restartCount] ?? "")
                ?? Int32(clamping: status.metadata?.attempt ?? 0),
            createdAt: status.createdAt,
            startedAt: status.startedAt,
            finishedAt: status.finishedAt,
            exitCode: status.exitCode,
            reason: status.reason,
            message: status.message,
            image: status.image?.userSpecifiedImage.isEmpty == false
                ? status.image?.userSpecifiedImage ?? "" : status.image?.image ?? "",
            imageID: status.imageRef,
            hash: status.annotations[RuntimeLabels.hash] ?? "",
            logPath: status.logPath
        )
        if let user = status.user?.linux {
            self.user = (user.uid, user.gid, Array(user.supplementalGroups))
        }
    }
}

extension SandboxRecord {
    init(_ status: CRI.PodSandboxStatus) {
        let network = status.network
        let addresses =
            [network?.ip ?? ""] + (network?.additionalIps.map(\.ip) ?? [])
        self.init(
            id: status.id,
            attempt: status.metadata?.attempt ?? 0,
            isReady: status.state == .sandboxReady,
            createdAt: status.createdAt,
            addresses: addresses.filter { !$0.isEmpty },
            usesHostNetwork: status.linux?.namespaces?.options?.network == .node
        )
    }
}
