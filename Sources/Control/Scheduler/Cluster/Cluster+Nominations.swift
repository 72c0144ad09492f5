// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// Pods that wait for room that they made.

extension Cluster {
    /// Reserves a node for a pod that waits for others to leave it.
    package func nominate(_ pod: PodInfo, _ nodeName: String) {
        self.withdrawNomination(pod.uid)
        self.nominations[pod.uid] = (pod, nodeName)
        if let row = self.rowOfName[nodeName] { self.placeNomination(pod, row) }
    }

    /// Gives up what is reserved for a pod.
    package func withdrawNomination(_ uid: String) {
        guard let (_, nodeName) = self.nominations.removeValue(forKey: uid) else { return }
        guard let row = self.rowOfName[nodeName] else { return }
        self.nominated[row]?.removeAll { $0.uid == uid }
        if self.nominated[row]?.isEmpty == true { self.nominated[row] = nil }
    }

    /// The node that is reserved for a pod.
    package func nomination(of uid: String) -> String? {
        self.nominations[uid]?.node
    }

    func placeNomination(_ pod: PodInfo, _ row: Int) {
        self.nominated[row, default: []].removeAll { $0.uid == pod.uid }
        self.nominated[row, default: []].append(pod)
    }
}
