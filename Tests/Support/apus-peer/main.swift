// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import EtcdAPI
import GRPCServices
import Glibc
import KubernetesAPI
import NodeAPI
import Protobuf
import WellKnownTypes

// The Swift side of tests whose other side is written in Python.

switch CommandLine.arguments.dropFirst().first {
case "messages":
    let files =
        ApusSchemas.files + EtcdSchemas.files + GRPCSchemas.files + KubernetesSchemas.files
        + NodeSchemas.files + WellKnownSchemas.files
    MessagePeer(files: files).run()
default:
    let usage = "usage: apus-peer messages\n"
    _ = write(2, usage, usage.utf8.count)
    exit(2)
}
