// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI
import Protobuf
import RequestInfo
import Scalars
import Tables
import Testing

@Suite("TablePrinter")
struct TablePrinterTests {
    /// 2026-01-01T01:00:00Z, an hour after the objects below were made.
    static let now = Timestamp(seconds: 1_767_229_200)
    static let created = "\"creationTimestamp\":\"2026-01-01T00:00:00Z\""

    struct Case: Sendable, CustomTestStringConvertible {
        var group = ""
        var kind: String
        var json: String
        var cells: String
        var testDescription: String { "\(self.kind) \(self.json)" }
    }

    static func pod(_ spec: String, _ status: String, deleted: Bool = false) -> String {
        let deletion = deleted ? ",\"deletionTimestamp\":\"2026-01-01T00:59:00Z\"" : ""
        return """
            {"metadata":{"name":"p",\(Self.created)\(deletion)},"spec":{\(spec)},"status":{\(status)}}
            """
    }

    static let one = #""containers":[{"name":"a","image":"i"}]"#
    static let initial = #""initContainers":[{"name":"x"},{"name":"y"}],"# + one

    @Test(
        "shows pods as people know them",
        arguments: [
            (
                Self.pod(Self.one, #""phase":"Pending""#),
                "0/1", "Pending", "0"
            ),
            (
                Self.pod(
                    Self.one,
                    #"""
                    "phase":"Running","conditions":[{"type":"Ready","status":"True"}],\#
                    "containerStatuses":[{"name":"a","ready":true,"state":{"running":{}}}]
                    """#
                ),
                "1/1", "Running", "0"
            ),
            (
                Self.pod(
                    Self.one,
                    #"""
                    "phase":"Running","containerStatuses":[{"name":"a","restartCount":3,\#
                    "state":{"waiting":{"reason":"CrashLoopBackOff"}},\#
                    "lastState":{"terminated":{"exitCode":1,"finishedAt":"2026-01-01T00:55:00Z"}}}]
                    """#
                ),
                "0/1", "CrashLoopBackOff", "3 (5m ago)"
            ),
            (
                Self.pod(
                    Self.one,
                    #"""
                    "phase":"Failed","containerStatuses":[{"name":"a",\#
                    "state":{"terminated":{"exitCode":137,"signal":9}}}]
                    """#
                ),
                "0/1", "Signal:9", "0"
            ),
            (
                Self.pod(
                    Self.one,
                    #"""
                    "phase":"Failed","containerStatuses":[{"name":"a",\#
                    "state":{"terminated":{"exitCode":2}}}]
                    """#
                ),
                "0/1", "ExitCode:2", "0"
            ),
            (
                Self.pod(
                    Self.one,
                    #"""
                    "phase":"Succeeded","containerStatuses":[{"name":"a",\#
                    "state":{"terminated":{"exitCode":0,"reason":"Completed"}}}]
                    """#
                ),
                "0/1", "Completed", "0"
            ),
            (
                Self.pod(
                    Self.initial,
                    #"""
                    "phase":"Pending","initContainerStatuses":[\#
                    {"name":"x","state":{"terminated":{"exitCode":0}}},\#
                    {"name":"y","state":{"waiting":{"reason":"PodInitializing"}}}],\#
                    "containerStatuses":[{"name":"a","state":{"waiting":{"reason":"PodInitializing"}}}]
                    """#
                ),
                "0/1", "Init:1/2", "0"
            ),
            (
                Self.pod(
                    Self.initial,
                    #"""
                    "phase":"Pending","initContainerStatuses":[\#
                    {"name":"x","restartCount":2,"state":{"waiting":{"reason":"CrashLoopBackOff"}}}]
                    """#
                ),
                "0/1", "Init:CrashLoopBackOff", "2"
            ),
            (
                Self.pod(
                    Self.initial,
                    #"""
                    "phase":"Pending","initContainerStatuses":[\#
                    {"name":"x","state":{"terminated":{"exitCode":3}}}]
                    """#
                ),
                "0/1", "Init:ExitCode:3", "0"
            ),
            (
                Self.pod(
                    #""initContainers":[{"name":"s","restartPolicy":"Always"}],"# + Self.one,
                    #"""
                    "phase":"Running","conditions":[{"type":"Ready","status":"True"},\#
                    {"type":"Initialized","status":"True"}],"initContainerStatuses":[\#
                    {"name":"s","started":true,"ready":true,"restartCount":1,\#
                    "state":{"running":{}}}],\#
                    "containerStatuses":[{"name":"a","ready":true,"state":{"running":{}}}]
                    """#
                ),
                "2/2", "Running", "1"
            ),
            (
                Self.pod(Self.one, #""phase":"Running""#, deleted: true),
                "0/1", "Terminating", "0"
            ),
            (
                Self.pod(
                    Self.one,
                    #""phase":"Running","reason":"NodeLost""#,
                    deleted: true
                ),
                "0/1", "Unknown", "0"
            ),
            (
                Self.pod(Self.one, #""phase":"Failed","reason":"Evicted""#, deleted: true),
                "0/1", "Evicted", "0"
            ),
            (
                Self.pod(
                    Self.one,
                    #"""
                    "phase":"Pending","conditions":[{"type":"PodScheduled","status":"False",\#
                    "reason":"SchedulingGated"}]
                    """#
                ),
                "0/1", "SchedulingGated", "0"
            ),
        ]
    )
    func pods(_ json: String, _ ready: String, _ status: String, _ restarts: String) throws {
        let printer = TablePrinter(group: "", kind: "Pod")
        let row = printer.row(
            try DynamicValue(json: Array(json.utf8)),
            include: .none,
            now: Self.now
        )
        let cells = try #require(row["cells"])
        #expect(cells.items.prefix(5).map(\.string) == ["p", ready, status, restarts, "60m"])
        #expect(row["object"]?.isNull == true)
    }

    @Test(
        "shows other kinds",
        arguments: [
            Case(
                kind: "Service",
                json: #"""
                    {"metadata":{"name":"s"},"spec":{"type":"NodePort","clusterIP":"10.0.0.1",\#
                    "clusterIPs":["10.0.0.1"],"selector":{"b":"2","a":"1"},"ports":[\#
                    {"port":80,"nodePort":30080,"protocol":"TCP"},{"port":53,"protocol":"UDP"}]}}
                    """#,
                cells: #"""
                    ["s","NodePort","10.0.0.1","<none>","80:30080/TCP,53/UDP","<unknown>","a=1,b=2"]
                    """#
            ),
            Case(
                kind: "Service",
                json: #"{"metadata":{"name":"s"},"spec":{"type":"LoadBalancer"}}"#,
                cells: #"["s","LoadBalancer","<none>","<pending>","<none>","<unknown>","<none>"]"#
            ),
            Case(
                kind: "Node",
                json: #"""
                    {"metadata":{"name":"n","labels":{"node-role.kubernetes.io/worker":"",\#
                    "node-role.kubernetes.io/control-plane":""}},"spec":{"unschedulable":true},\#
                    "status":{"conditions":[{"type":"Ready","status":"True"}],"addresses":[\#
                    {"type":"InternalIP","address":"10.0.0.2"}],"nodeInfo":{\#
                    "kubeletVersion":"v1.36.2","kernelVersion":"6.1","architecture":"amd64"}}}
                    """#,
                cells: #"""
                    ["n","Ready,SchedulingDisabled","control-plane,worker","<unknown>","v1.36.2",\#
                    "10.0.0.2","<none>","<unknown>","6.1 (amd64)","<unknown>"]
                    """#
            ),
            Case(
                group: "apps",
                kind: "Deployment",
                json: #"""
                    {"metadata":{"name":"d"},"spec":{"replicas":3,"selector":{"matchLabels":\#
                    {"app":"d"},"matchExpressions":[{"key":"t","operator":"In","values":["b","a"]}]},\#
                    "template":{"spec":{"containers":[{"name":"c","image":"i:1"},\#
                    {"name":"e","image":"j"}]}}},"status":{"readyReplicas":1,"updatedReplicas":3}}
                    """#,
                cells: #"["d","1/3",3,0,"<unknown>","c,e","i:1,j","app=d,t in (a,b)"]"#
            ),
            Case(
                group: "batch",
                kind: "Job",
                json: #"""
                    {"metadata":{"name":"j"},"spec":{"parallelism":2},"status":{"succeeded":1,\#
                    "startTime":"2026-01-01T00:00:00Z","completionTime":"2026-01-01T00:00:07Z",\#
                    "conditions":[{"type":"Complete","status":"True"}]}}
                    """#,
                cells: #"["j","Complete","1/1 of 2","7s","<unknown>","","","<none>"]"#
            ),
            Case(
                group: "networking.k8s.io",
                kind: "Ingress",
                json: #"""
                    {"metadata":{"name":"i"},"spec":{"tls":[{}],"rules":[{"host":"a"},{"host":"b"},\#
                    {"host":"c"},{"host":"d"}]}}
                    """#,
                cells: #"["i","<none>","a,b,c + 1 more...","","80, 443","<unknown>"]"#
            ),
            Case(
                group: "autoscaling",
                kind: "HorizontalPodAutoscaler",
                json: #"""
                    {"metadata":{"name":"h"},"spec":{"scaleTargetRef":{"kind":"Deployment",\#
                    "name":"d"},"maxReplicas":5,"metrics":[{"type":"Resource","resource":{\#
                    "name":"cpu","target":{"averageUtilization":80}}}]},"status":{"currentReplicas":2}}
                    """#,
                cells: #"""
                    ["h","Deployment/d","cpu: <unknown>/80%","<unset>",5,2,"<unknown>"]
                    """#
            ),
            Case(
                kind: "PersistentVolumeClaim",
                json: #"""
                    {"metadata":{"name":"c"},"spec":{"volumeName":"v","storageClassName":"fast",\#
                    "volumeMode":"Filesystem"},"status":{"phase":"Bound","accessModes":\#
                    ["ReadWriteMany","ReadWriteOnce"],"capacity":{"storage":"1Gi"}}}
                    """#,
                cells: #"""
                    ["c","Bound","v","1Gi","RWO,RWX","fast","<unset>","<unknown>","Filesystem"]
                    """#
            ),
            Case(
                kind: "Event",
                json: #"""
                    {"metadata":{"name":"e"},"type":"Normal","reason":"Pulled","message":" a \n",\#
                    "involvedObject":{"kind":"Pod","name":"p","fieldPath":"spec"},\#
                    "source":{"component":"kubelet","host":"n"},"count":4,\#
                    "firstTimestamp":"2026-01-01T00:00:00Z","lastTimestamp":"2026-01-01T00:59:50Z"}
                    """#,
                cells: #"""
                    ["10s","Normal","Pulled","pod/p","spec","kubelet, n","a","60m","4","e"]
                    """#
            ),
            Case(
                kind: "ResourceQuota",
                json: #"""
                    {"metadata":{"name":"q"},"status":{"hard":{"limits.cpu":"2","pods":"10"},\#
                    "used":{"limits.cpu":"1","pods":"3"}}}
                    """#,
                cells: #"["q","pods: 3/10","limits.cpu: 1/2","<unknown>"]"#
            ),
            Case(
                group: "rbac.authorization.k8s.io",
                kind: "ClusterRole",
                json: #"{"metadata":{"name":"r","creationTimestamp":"2026-01-01T00:00:00Z"}}"#,
                cells: #"["r","2026-01-01T00:00:00Z"]"#
            ),
        ]
    )
    func kinds(_ item: Case) throws {
        let printer = TablePrinter(group: item.group, kind: item.kind)
        let row = printer.row(
            try DynamicValue(json: Array(item.json.utf8)),
            include: .metadata,
            now: Self.now
        )
        #expect(row["cells"] == (try DynamicValue(json: Array(item.cells.utf8))))
        #expect(row["object"]?["kind"] == "PartialObjectMetadata")
        #expect(printer.columnDefinitions.count == row["cells"]?.count)
    }

    @Test("makes a table")
    func table() throws {
        let printer = TablePrinter(group: "", kind: "Namespace")
        let tree = try DynamicValue(json: Array(#"{"metadata":{"name":"n"}}"#.utf8))
        let row = printer.row(tree, include: .object, now: Self.now)
        let table = try printer.table(
            [row],
            metadata: .with { $0.resourceVersion = "7" }
        )
        #expect(table["kind"] == "Table")
        #expect(table[path: ["metadata", "resourceVersion"]] == "7")
        #expect(table[path: ["rows", 0, "object"]] == tree)
        #expect(table[path: ["columnDefinitions", 0, "format"]] == "name")
    }
}
