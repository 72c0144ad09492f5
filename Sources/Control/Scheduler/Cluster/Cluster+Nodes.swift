// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf

// Nodes that come, change and go.

extension Cluster {
    /// Adds a node or replaces what is known of it.
    package func setNode(_ node: CoreV1.Node) {
        let row = self.rowForPods(of: node.metadata.name)
        if self.isLive[row] {
            self.removeImages(row)
        } else {
            self.isLive[row] = true
            self.rowOfLiveNode.insert(row)
            self.cachedOrder = nil
        }
        if self.zone(of: self.nodes[row]) != self.zone(of: node) { self.cachedOrder = nil }
        self.nodes[row] = node
        self.isUnschedulable[row] = node.spec.unschedulable
        self.setAllocatable(ResourceAmounts(node.status.allocatable), row)
        self.taintSetOfRow[row] = self.number(of: node.spec.taints.compactMap(Taint.init))
        let labels = node.metadata.labels
        for (key, column) in self.labelColumns { column.set(labels[key], row) }
        self.addImages(node, row)
        for (_, nomination) in self.nominations where nomination.node == node.metadata.name {
            self.placeNomination(nomination.pod, row)
        }
    }

    /// Removes a node. Its pods stay known until they go themselves.
    package func removeNode(_ name: String) {
        guard let row = self.row(name) else { return }
        self.removeImages(row)
        self.isLive[row] = false
        self.rowOfLiveNode.remove(row)
        self.cachedOrder = nil
        self.nodes[row] = CoreV1.Node()
        self.isUnschedulable[row] = false
        self.setAllocatable(ResourceAmounts(), row)
        self.taintSetOfRow[row] = 0
        for (_, column) in self.labelColumns { column.set(nil, row) }
        self.releaseIfUnused(row)
    }

    /// The row of a node by that name, which may not be known yet.
    func rowForPods(of name: String) -> Int {
        if let row = self.rowOfName[name] { return row }
        let row = self.freeRows.popLast() ?? self.addRow()
        self.names[row] = name
        self.rowOfName[name] = row
        return row
    }

    /// Gives back the row of a node that is gone when its last pod is.
    func releaseIfUnused(_ row: Int) {
        guard !self.isLive[row], self.pods[row].isEmpty else { return }
        self.nominated[row] = nil
        self.rowOfName[self.names[row]] = nil
        self.names[row] = ""
        self.freeRows.append(row)
    }

    private func addRow() -> Int {
        self.names.append("")
        self.nodes.append(CoreV1.Node())
        self.isLive.append(false)
        self.isUnschedulable.append(false)
        self.allocatableCPU.append(0)
        self.allocatableMemory.append(0)
        self.allocatableStorage.append(0)
        self.allocatablePods.append(0)
        self.requestedCPU.append(0)
        self.requestedMemory.append(0)
        self.requestedStorage.append(0)
        self.scoredCPU.append(0)
        self.scoredMemory.append(0)
        self.taintSetOfRow.append(0)
        self.pods.append([])
        self.images.append([:])
        for name in self.scalars.keys {
            self.scalars[name]?.allocatable.append(0)
            self.scalars[name]?.requested.append(0)
        }
        for (_, column) in self.labelColumns { column.addRow() }
        for (_, counter) in self.counters { counter.addRow() }
        return self.names.count - 1
    }

    private func setAllocatable(_ amounts: ResourceAmounts, _ row: Int) {
        self.allocatableCPU[row] = amounts.milliCPU
        self.allocatableMemory[row] = amounts.memory
        self.allocatableStorage[row] = amounts.ephemeralStorage
        self.allocatablePods[row] = amounts.pods
        for name in self.scalars.keys { self.scalars[name]?.allocatable[row] = 0 }
        for scalar in amounts.scalars {
            self.scalars[
                scalar.name,
                default: ScalarColumn(rows: self.names.count)
            ].allocatable[row] = scalar.amount
        }
    }

    /// The number of a set of taints; sets that no node has any more are dropped now and then.
    private func number(of taints: [Taint]) -> Int {
        if let number = self.numberOfTaintSet[taints] { return number }
        if self.taintSets.count > 2 * self.names.count + 64 { self.renumberTaintSets() }
        let number = self.taintSets.count
        self.taintSets.append(taints)
        self.numberOfTaintSet[taints] = number
        return number
    }

    private func renumberTaintSets() {
        let old = self.taintSets
        self.taintSets = [[]]
        self.numberOfTaintSet = [[]: 0]
        for row in self.taintSetOfRow.indices {
            self.taintSetOfRow[row] = self.number(of: old[self.taintSetOfRow[row]])
        }
    }

    private func addImages(_ node: CoreV1.Node, _ row: Int) {
        var images: [String: Int64] = [:]
        for image in node.status.images {
            for name in image.names { images[name] = image.sizeBytes }
        }
        for name in images.keys { self.imageNodes[name, default: 0] += 1 }
        self.images[row] = images
    }

    private func removeImages(_ row: Int) {
        for name in self.images[row].keys {
            let count = (self.imageNodes[name] ?? 1) - 1
            self.imageNodes[name] = count == 0 ? nil : count
        }
        self.images[row] = [:]
    }
}
