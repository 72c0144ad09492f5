// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NodeHost
import Protobuf
import TestFolders
import Testing

@testable import Kubelet

@Suite("ContainerLogLinks")
struct ContainerLogLinksTests {
    private static func pod(_ name: String, _ uid: String) -> CoreV1.Pod {
        CoreV1.Pod.with {
            $0.metadata.name = name
            $0.metadata.namespace = "default"
            $0.metadata.uid = uid
        }
    }

    /// Links of three pods in a folder, each with a folder of logs beside them.
    private static func folder() throws -> TemporaryDirectory {
        let folder = TemporaryDirectory()
        for (name, uid, container) in [
            ("web", "1", "a1"), ("web", "1", "a2"), ("web", "2", "b1"), ("web-2", "3", "c1"),
        ] {
            let logs = "\(folder.path)/pods/default_\(name)_\(uid)"
            try HostFiles.makeDirectory(logs)
            ContainerLogLinks.make(
                Self.pod(name, uid),
                "main",
                container,
                to: "\(logs)/main/0.log",
                in: Self.links(folder)
            )
        }
        return folder
    }

    private static func links(_ folder: TemporaryDirectory) -> String { "\(folder.path)/links" }

    @Test("lead to the logs by the names that collectors expect")
    func names() throws {
        let folder = try Self.folder()
        #expect(
            HostFiles.list(Self.links(folder)).sorted() == [
                "web-2_default_main-c1.log", "web_default_main-a1.log", "web_default_main-a2.log",
                "web_default_main-b1.log",
            ]
        )
        #expect(
            HostFiles.linkTarget("\(Self.links(folder))/web_default_main-b1.log")
                == "\(folder.path)/pods/default_web_2/main/0.log"
        )
    }

    @Test("of a container go alone")
    func container() throws {
        let folder = try Self.folder()
        ContainerLogLinks.remove("a1", in: Self.links(folder))
        #expect(
            HostFiles.list(Self.links(folder)).sorted() == [
                "web-2_default_main-c1.log", "web_default_main-a2.log", "web_default_main-b1.log",
            ]
        )
    }

    @Test("of a pod whose logs are gone all go; files that are missing for a moment are no reason")
    func pods() throws {
        let folder = try Self.folder()
        try HostFiles.removeTree("\(folder.path)/pods/default_web_1")
        ContainerLogLinks.removeOrphans(in: Self.links(folder))
        #expect(
            HostFiles.list(Self.links(folder)).sorted() == [
                "web-2_default_main-c1.log", "web_default_main-b1.log",
            ]
        )
    }
}
