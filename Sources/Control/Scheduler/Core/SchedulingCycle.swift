// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// One attempt to find a node for one pod: the filters, made ready, and what they say.
struct SchedulingCycle {
    struct ActiveCheck {
        let plugin: PluginName
        let check: any NodeCheck
    }

    let pod: PodInfo
    let cluster: Cluster
    private(set) var checks: [ActiveCheck] = []
    /// The rows worth checking; nil for all.
    private(set) var rows: Set<Int>?
    private(set) var diagnosis: Diagnosis
    /// Whether a plugin refused the pod before any node was looked at.
    private(set) var isRefused = false

    /// PreFilter of all plugins.
    init(
        _ pod: PodInfo,
        _ profile: Profile,
        _ cluster: Cluster,
        _ watch: CycleWatch? = nil
    ) {
        self.pod = pod
        self.cluster = cluster
        self.diagnosis = Diagnosis(nodeCount: cluster.nodeCount)
        var narrowing: [PluginName] = []
        for plugin in profile.filters {
            let preparation =
                watch?.time(plugin.name, .preFilter) { plugin.prepareFilter(pod, cluster) }
                ?? plugin.prepareFilter(pod, cluster)
            switch preparation {
            case .skip:
                continue
            case .refuse(let rejection):
                self.diagnosis.overall = rejection
                self.diagnosis.plugins = PluginNames(plugin.name)
                self.isRefused = true
                return
            case .check(let check, let rows):
                self.checks.append(ActiveCheck(plugin: plugin.name, check: check))
                guard let rows else { continue }
                narrowing.append(plugin.name)
                self.rows = self.rows.map { $0.intersection(rows) } ?? rows
            }
        }
        guard self.rows != nil else { return }
        let names = narrowing.map(\.rawValue).sorted().joined(separator: " ")
        for name in narrowing { self.diagnosis.plugins.insert(PluginNames(name)) }
        if narrowing.count > 1, self.rows?.isEmpty == true {
            self.diagnosis.overall = .unresolvable(
                "node(s) didn't satisfy plugin(s) [\(names)] simultaneously"
            )
            self.isRefused = true
        } else {
            self.diagnosis.others = .unresolvable("node(s) didn't satisfy plugin(s) [\(names)]")
        }
    }

    /// Why a row will not do; nil when it will.
    ///
    /// With pods in mind that wait for the node, the row must do both with them and without: they
    /// may come or not.
    func refusal(_ row: Int) -> (plugin: PluginName, rejection: Rejection)? {
        if !self.cluster.nominated.isEmpty, let waiting = self.cluster.nominated[row] {
            let ahead = waiting.filter {
                $0.priority >= self.pod.priority && $0.uid != self.pod.uid
            }
            if !ahead.isEmpty {
                for pod in ahead { self.change(pod, row, added: true) }
                let refusal = self.plainRefusal(row)
                for pod in ahead.reversed() { self.change(pod, row, added: false) }
                if refusal != nil { return refusal }
            }
        }
        return self.plainRefusal(row)
    }

    private func plainRefusal(_ row: Int) -> (plugin: PluginName, rejection: Rejection)? {
        for active in self.checks {
            if let rejection = active.check.refusal(row, self.cluster) {
                return (active.plugin, rejection)
            }
        }
        return nil
    }

    /// Adds a pod to a row or takes it away, for a try.
    func change(_ pod: PodInfo, _ row: Int, added: Bool) {
        if added {
            self.cluster.add(pod, row)
        } else {
            self.cluster.remove(pod, row)
        }
        for active in self.checks { active.check.change(pod, row, added: added, self.cluster) }
    }

    /// Filter: looks for nodes that will do, `limit` at most, from a position in the order of nodes.
    ///
    /// - Returns: the rows, and how many were looked at.
    mutating func feasibleRows(from start: Int, limit: Int) -> (rows: [Int], tried: Int) {
        let order = self.cluster.order
        var feasible: [Int] = []
        if let rows = self.rows {
            for row in rows.sorted() where feasible.count < limit { self.try(row, &feasible) }
            return (feasible, 0)
        }
        var tried = 0
        feasible.reserveCapacity(min(limit, order.count))
        while tried < order.count, feasible.count < limit {
            var position = start + tried
            if position >= order.count { position -= order.count }
            self.try(order[position], &feasible)
            tried += 1
        }
        return (feasible, tried)
    }

    private mutating func `try`(_ row: Int, _ feasible: inout [Int]) {
        guard let (plugin, rejection) = self.refusal(row) else {
            feasible.append(row)
            return
        }
        self.diagnosis.refusals.append(
            Diagnosis.Refusal(row: row, plugin: plugin, rejection: rejection)
        )
        self.diagnosis.plugins.insert(PluginNames(plugin))
    }
}
