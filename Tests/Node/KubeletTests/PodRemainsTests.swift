// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import NodeHost
import TestFolders
import Testing

@testable import Kubelet

@Suite("PodRemains")
struct PodRemainsTests {
    private static func remains(_ folder: TemporaryDirectory) throws -> PodRemains {
        var settings = KubeletSettings(nodeName: "node")
        settings.rootDirectory = "\(folder.path)/root"
        settings.podLogsDirectory = "\(folder.path)/logs"
        settings.containerLogsDirectory = "\(folder.path)/links"
        try HostPaths.prepare(settings)
        return PodRemains(settings: settings)
    }

    @Test(
        "knows whose a folder of logs is",
        arguments: [
            ("default_web_1", "1", true), ("kube-system_etcd-node_ab-cd", "ab-cd", true),
            ("default_web_11", "1", false), ("default_web_x_1", "1", false),
            ("default_web_x_1", "x_1", true), ("web_1", "1", false), ("_1", "1", false),
            ("1", "1", false), ("default_web_", "", false), ("default_web_1", "", false),
            ("default_web_1", "web_1", false),
        ]
    )
    func owners(name: String, uid: String, isOwn: Bool) {
        #expect(PodRemains.isLogs(name, of: uid) == isOwn)
    }

    @Test("removes files, logs, links and the record of a pod; other pods' stay")
    func removes() throws {
        let folder = TemporaryDirectory()
        let remains = try Self.remains(folder)
        for (name, uid) in [("web", "1"), ("web", "11"), ("db", "2")] {
            try HostFiles.makeDirectory("\(folder.path)/root/pods/\(uid)/volumes/plugin/data")
            try HostFiles.makeDirectory("\(folder.path)/logs/default_\(name)_\(uid)/main")
        }
        // Of a pod of another kubelet: there is no record of it.
        try HostFiles.makeDirectory("\(folder.path)/logs/default_web_3/main")
        for uid in ["1", "2"] {
            let pod = uid == "1" ? "default_web_1" : "default_db_2"
            let file = "\(folder.path)/logs/\(pod)/main/0.log"
            try HostFiles.write([], to: file)
            symlink(file, "\(folder.path)/links/\(uid).log")
        }
        #expect(remains.recorded == ["1", "11", "2"])
        try remains.remove("1")
        #expect(remains.recorded == ["11", "2"])
        #expect(
            HostFiles.list("\(folder.path)/logs") == [
                "default_db_2", "default_web_11", "default_web_3",
            ]
        )
        #expect(HostFiles.list("\(folder.path)/links") == ["2.log"])
    }

    @Test("keeps the record until the logs are gone")
    func order() throws {
        let folder = TemporaryDirectory()
        let remains = try Self.remains(folder)
        try HostFiles.makeDirectory("\(folder.path)/root/pods/1/volumes/plugin/data")
        try HostFiles.makeDirectory("\(folder.path)/logs/default_web_1/main")
        try remains.removeFiles("1")
        #expect(HostFiles.list("\(folder.path)/root/pods/1").isEmpty)
        #expect(remains.recorded == ["1"])
        #expect(HostFiles.list("\(folder.path)/logs") == ["default_web_1"])
        try remains.remove("1")
        #expect(remains.recorded.isEmpty)
        #expect(HostFiles.list("\(folder.path)/logs").isEmpty)
        // Nothing is left that could fail.
        try remains.remove("1")
    }

    @Test("leaves alone what names lead to", arguments: ["", ".", "..", "../..", "a/../../logs"])
    func tricks(uid: String) throws {
        let folder = TemporaryDirectory()
        let remains = try Self.remains(folder)
        try HostFiles.makeDirectory("\(folder.path)/root/pods/1/volumes")
        try HostFiles.makeDirectory("\(folder.path)/logs/default_web_1/main")
        try remains.remove(uid)
        #expect(remains.recorded == ["1"])
        #expect(HostFiles.list("\(folder.path)/logs") == ["default_web_1"])
    }
}
