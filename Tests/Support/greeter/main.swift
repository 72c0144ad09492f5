// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Informers
import Kubeconfig
import KubernetesAPI
import NIOPosix
import Protobuf
import ResourceClient
import WorkQueues

let connection = try Kubeconfig(path: CommandLine.arguments[1]).connection()
let channel = try connection.makeClient(
    group: MultiThreadedEventLoopGroup.singleton,
    userAgent: "greeter"
)

let informers = InformerFactory(channel)
let namespaces = informers.informer(of: CoreV1.Namespace.self)
let maps = informers.informer(of: CoreV1.ConfigMap.self)
let client = Client<CoreV1.ConfigMap>(channel, fieldManager: "greeter")
let queue = WorkQueue<String>()

// Events enqueue keys, nothing more.
namespaces.addHandler { queue.add($0.object.metadata.name) }
maps.addHandler { event in
    if event.object.metadata.name == "greeting" { queue.add(event.object.metadata.namespace) }
}

await withDiscardingTaskGroup { group in
    group.addTask { await informers.run() }
    group.addTask {
        await informers.waitForSync()
        // A key whose work throws comes again, later each time.
        await queue.run(workers: 2) { namespace in
            guard let object = namespaces.get(namespace),
                object.metadata.deletionTimestamp == nil,
                let text = object.metadata.labels["greet"]
            else { return }
            if maps.get("greeting", in: namespace)?.data["text"] == text { return }
            _ = try await client.apply(
                CoreV1.ConfigMap.with {
                    $0.metadata.name = "greeting"
                    $0.metadata.namespace = namespace
                    $0.data["text"] = text
                },
                force: true
            )
        }
    }
}
