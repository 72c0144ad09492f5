// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Selectors

// Pods that come to nodes and leave them.

extension Cluster {
    /// Places a pod on the node that it names, or moves and replaces the pod of that uid.
    package func setPod(_ pod: PodInfo, on nodeName: String) {
        if let (old, row) = self.placed[pod.uid] {
            self.remove(old, row)
            if self.names[row] != nodeName { self.releaseIfUnused(row) }
        }
        let row = self.rowForPods(of: nodeName)
        self.placed[pod.uid] = (pod, row)
        self.add(pod, row)
    }

    /// Replaces a placed pod by a state of it that counts the same.
    package func replacePod(_ pod: PodInfo) {
        guard let (_, row) = self.placed[pod.uid],
            let index = self.pods[row].lastIndex(where: { $0.uid == pod.uid })
        else { return }
        self.placed[pod.uid] = (pod, row)
        self.pods[row][index] = pod
    }

    /// Removes the pod of a uid; answers it when it was there.
    @discardableResult
    package func removePod(uid: String) -> PodInfo? {
        guard let (pod, row) = self.placed.removeValue(forKey: uid) else { return nil }
        self.remove(pod, row)
        self.releaseIfUnused(row)
        return pod
    }

    /// Counts a pod in; also what preemption tries out.
    func add(_ pod: PodInfo, _ row: Int) {
        self.pods[row].append(pod)
        self.count(pod, row, 1)
        if !pod.hostPorts.isEmpty { self.hostPorts[row, default: []] += pod.hostPorts }
    }

    /// Counts a pod out; also what preemption tries out.
    func remove(_ pod: PodInfo, _ row: Int) {
        guard let index = self.pods[row].lastIndex(where: { $0.uid == pod.uid }) else { return }
        self.pods[row].remove(at: index)
        self.count(pod, row, -1)
        for port in pod.hostPorts {
            if let index = self.hostPorts[row]?.firstIndex(of: port) {
                self.hostPorts[row]?.remove(at: index)
            }
        }
        if self.hostPorts[row]?.isEmpty == true { self.hostPorts[row] = nil }
    }

    private func count(_ pod: PodInfo, _ row: Int, _ sign: Int64) {
        let requests = pod.requests
        let amounts = requests.amounts
        self.requestedCPU[row] &+= sign &* amounts.milliCPU
        self.requestedMemory[row] &+= sign &* amounts.memory
        self.requestedStorage[row] &+= sign &* amounts.ephemeralStorage
        self.scoredCPU[row] &+= sign &* requests.scoredMilliCPU
        self.scoredMemory[row] &+= sign &* requests.scoredMemory
        for scalar in amounts.scalars {
            self.scalars[
                scalar.name,
                default: ScalarColumn(rows: self.names.count)
            ].requested[row] &+= sign &* scalar.amount
        }
        for (_, counter) in self.counters {
            let labels = self.namespaceLabels[pod.namespace]
            if counter.count.counts(pod, namespaceLabels: labels) {
                counter.change(row, by: Int32(sign))
            }
        }
        if !pod.affinity.isEmpty { self.countTerms(pod.affinity, row, sign) }
        for claim in pod.volumes.claims {
            self.volumes.count(VolumeCatalog.key(claim.name, of: pod), Int(sign))
        }
    }

    private func countTerms(_ affinity: PodAffinityTerms, _ row: Int, _ sign: Int64) {
        for term in affinity.requiredAntiAffinity { self.antiAffinity.add(term, row, sign) }
        for term in affinity.requiredAffinity { self.requiredAffinity.add(term, row, sign) }
        for wish in affinity.preferredAffinity {
            self.preferences.add(wish.term, row, sign * wish.weight)
        }
        for wish in affinity.preferredAntiAffinity {
            self.preferences.add(wish.term, row, -sign * wish.weight)
        }
    }

    // MARK: Counters

    /// The most counters that are kept; beyond, the one that was not asked for longest is dropped.
    static let maximumCounters = 256

    /// The counter of such pods, kept up from now on.
    package func counter(_ count: PodCount) -> PodCounter {
        if let counter = self.counters[count] {
            counter.lastUse = self.cycle
            return counter
        }
        if self.counters.count >= Self.maximumCounters,
            let oldest = self.counters.min(by: { $0.value.lastUse < $1.value.lastUse })
        {
            self.counters[oldest.key] = nil
        }
        let counter = PodCounter(count, rows: self.names.count)
        counter.lastUse = self.cycle
        for row in self.pods.indices {
            for pod in self.pods[row] {
                let labels = self.namespaceLabels[pod.namespace]
                if count.counts(pod, namespaceLabels: labels) { counter.change(row, by: 1) }
            }
        }
        self.counters[count] = counter
        return counter
    }

    /// Takes note of a namespace's labels; nil when it is gone.
    package func setNamespace(_ name: String, _ labels: LabelSet?) {
        guard self.namespaceLabels[name] != labels else { return }
        self.namespaceLabels[name] = labels
        self.counters = self.counters.filter { !$0.key.dependsOnNamespaces }
    }
}
