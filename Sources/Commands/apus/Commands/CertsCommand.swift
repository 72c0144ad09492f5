// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
internal import Flags
internal import PKI

extension Command {
    /// `apus certs`: the cluster's certificates.
    static let certs = Command(
        "certs",
        summary: "Make, list and renew a cluster's certificates",
        subcommands: [.certsInit, .certsList, .certsRenew]
    )

    private static let nodeName = Flag(
        "node-name",
        default: "localhost",
        help: "the `name` of this node"
    )
    private static let hosts = Flag(
        "hosts",
        default: [String](),
        help: "further DNS names and IP addresses of this machine"
    )
    private static let serviceAddress = Flag(
        "service-address",
        default: "10.96.0.1",
        help: "the API server's `address` in the Service range"
    )
    private static let domain = Flag(
        "cluster-domain",
        default: "cluster.local",
        help: "the cluster's DNS `domain`"
    )
    private static let all = Flag("all", default: false, help: "all certificates but the CAs'")

    private static let clusterFlags: [any AnyFlag] = [
        Command.nodeName, Command.hosts, Command.serviceAddress, Command.domain,
    ]

    private static let certsInit = Command(
        "init",
        summary: "Make what is missing of a cluster's certificates, and renew what is near its end",
        usage: "DIR [flags]",
        flags: Command.clusterFlags
    ) { invocation in
        let folder = try invocation.singleArgument("DIR")
        let changes = try Command.pki(invocation).ensure(in: folder, at: .now())
        invocation.output.write(CertificateTable.text(of: changes))
        return .success
    }

    private static let certsList = Command(
        "list",
        summary: "List every certificate in a folder with its expiry",
        usage: "DIR",
        discussion: """
            Lists every certificate in a folder and the folders in it: PEM files and kubeconfigs.

            The exit code is 1 when a file cannot be understood or a certificate is over.
            """
    ) { invocation in
        let listing = try CertificateListing(folder: invocation.singleArgument("DIR"))
        let now = CertificateTime.now()
        invocation.output.write(CertificateTable.text(of: listing, at: now))
        return listing.isHealthy(at: now) ? .success : .failure
    }

    private static let certsRenew = Command(
        "renew",
        summary: "Issue certificates anew, with new keys",
        usage: "DIR (NAME... | --all)",
        discussion: """
            Issues certificates anew, with new keys and otherwise as they are. NAME is a path as
            `apus certs list` shows it, without its ending: apiserver, etcd/server. CAs are never
            replaced.
            """,
        flags: [Command.all]
    ) { invocation in
        guard let folder = invocation.arguments.first else { throw UsageError("DIR is missing") }
        let names = Set(invocation.arguments.dropFirst())
        // Only the layout is needed; what the certificates say stands in the files.
        let pki = ClusterPKI(.init(nodeName: Command.nodeName.defaultValue))
        if let unknown = names.subtracting(pki.renewablePaths).min() {
            throw UsageError("no certificate '\(unknown)' to renew")
        }
        guard names.isEmpty == invocation.flags[Command.all] else {
            throw UsageError("expected names of certificates, or --all")
        }
        let changes = try pki.renew(names.isEmpty ? nil : names, in: folder, at: .now())
        invocation.output.write(CertificateTable.text(of: changes))
        return .success
    }

    private static func pki(_ invocation: Invocation) throws -> ClusterPKI {
        let text = invocation.flags[Command.serviceAddress]
        guard let address = HostAddress(text) else {
            throw UsageError("--service-address: '\(text)' is no IP address")
        }
        return ClusterPKI(
            .init(
                nodeName: invocation.flags[Command.nodeName],
                hosts: invocation.flags[Command.hosts],
                serviceAddresses: [address],
                dnsDomain: invocation.flags[Command.domain]
            )
        )
    }
}
