// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
internal import Flags
internal import Glibc
internal import LocalCluster
internal import PKI
internal import Processes

extension Command {
    private static let timeout = Flag(
        "timeout",
        default: Duration.seconds(120),
        help: "how long to wait until the cluster is ready"
    )

    /// `apus up`: a whole cluster on this machine.
    static let up = Command(
        "up",
        summary: "Start a cluster on this machine and wait until it works",
        discussion: """
            Starts a cluster on this machine and waits until it works. Everything it writes lies in
            the data directory; what is there already is used, so a stopped cluster goes on with
            the same pods and data. The processes are supervised: one that ends is started again.
            """,
        flags: ClusterFlags.all + [Command.timeout],
        settings: ClusterSettings.apply
    ) { invocation in
        try invocation.expectNoArguments()
        let options = try ClusterFlags.options(invocation.flags)
        if let joined = try JoinedNode.options(options.layout) {
            throw UsageError(
                "this is a node of the cluster \(joined.server ?? ""); apus join starts it again"
            )
        }
        guard options.controlPlaneOnly || geteuid() == 0 else {
            throw UsageError("a node needs root; without it: --control-plane-only")
        }
        let report: @Sendable (String) -> Void = { invocation.output.line($0) }
        let launcher = ClusterLauncher(options.layout, report: report)
        try ClusterPreparation(options).run(at: .now())
        try launcher.start(
            ChildProcess.Command(
                "/proc/self/exe",
                ["supervise"] + ClusterFlags.arguments(options),
                logPath: options.layout.log("supervisor")
            )
        )
        if !options.controlPlaneOnly {
            for name in try await ImageLoader(options.layout).run(
                timeout: invocation.flags[Command.timeout]
            ) {
                report("imported the image \(name)")
            }
        }
        let timeout = invocation.flags[Command.timeout]
        try await launcher.waitUntilReady(timeout: timeout)
        if !options.controlPlaneOnly, !options.disabled.contains("kubelet") {
            if let reason = try await NodeReadiness(options).wait(timeout: timeout) {
                throw ClusterLauncher.Failure.nodeNotReady(options.nodeName, reason)
            }
            report("the node \(options.nodeName) is ready")
        }
        report(
            """
            The cluster is up. Its kubeconfig: \(options.layout.kubeconfig("admin"))
              export KUBECONFIG=\(options.layout.kubeconfig("admin"))
            """
        )
        return .success
    }

    /// The process that `apus up` leaves behind.
    static let supervise = Command(
        "supervise",
        summary: "Run a prepared cluster in the foreground; apus up does this in the background",
        flags: ClusterFlags.all
    ) { invocation in
        let layout = try ClusterFlags.layout(invocation.flags)
        let joined = try JoinedNode.options(layout)
        let options = try joined ?? ClusterFlags.options(invocation.flags)
        guard let lock = try SupervisorLock(options.layout.lock) else {
            throw UsageError("a supervisor runs already for \(options.layout.dataDirectory)")
        }
        let executable = "/proc/self/exe".withCString { path in
            var buffer = [CChar](repeating: 0, count: 4096)
            let count = readlink(path, &buffer, buffer.count)
            return String(decoding: buffer.prefix(max(count, 0)).map(UInt8.init), as: UTF8.self)
        }
        let plan = ComponentPlan(options, executable: executable)
        var manifests: ManifestApplier?
        if joined == nil {
            let authority = try FileContent.read(layout.certificate("ca"))
            manifests = ManifestApplier(
                layout,
                builtin: ClusterObjects(options, authority: authority).all
            ) {
                // Lines of the supervisor's own log.
                invocation.output.line($0)
            }
        }
        await withTaskGroup(of: Void.self) { tasks in
            if let manifests { tasks.addTask { await manifests.run() } }
            await Supervisor(plan.components, layout: options.layout).run()
            tasks.cancelAll()
        }
        withExtendedLifetime(lock) {}
        return .success
    }

    private static let keepsPods = Flag(
        "keep-pods",
        default: false,
        help: "leave the pods running; the next apus up finds them again"
    )

    /// `apus down`: ends the cluster's processes.
    static let down = Command(
        "down",
        summary: "End the cluster and its pods; what they stored stays",
        flags: ClusterFlags.place + [Command.keepsPods],
        settings: ClusterSettings.apply
    ) { invocation in
        try invocation.expectNoArguments()
        let layout = try ClusterFlags.layout(invocation.flags)
        let launcher = ClusterLauncher(layout) { invocation.output.line($0) }
        let wasRunning = try await launcher.stop(
            keepingPods: invocation.flags[Command.keepsPods],
            timeout: .seconds(60)
        )
        invocation.output.line(wasRunning ? "The cluster is down." : "No cluster runs here.")
        return .success
    }

    private static let outputFormat = Flag(
        "output",
        shorthand: "o",
        default: "",
        help: "`json` for programs"
    )

    /// `apus status`: what runs.
    static let status = Command(
        "status",
        summary: "Show the cluster's processes: state, memory, time on processors, restarts",
        discussion: """
            Shows the cluster's processes. The exit code is 1 unless all of them work.
            """,
        flags: ClusterFlags.place + [Command.outputFormat],
        settings: ClusterSettings.apply
    ) { invocation in
        let status = try ClusterStatus.read(ClusterFlags.layout(invocation.flags))
        switch invocation.flags[Command.outputFormat] {
        case "json": invocation.output.line(String(decoding: status.json, as: UTF8.self))
        case "":
            if !status.isSupervised { invocation.output.line("No cluster runs here.") }
            if !status.rows.isEmpty { invocation.output.write(status.table) }
        case let other: throw UsageError("--output: unknown format '\(other)'; there is json")
        }
        return status.isHealthy ? .success : .failure
    }

    private static let mergesKubeconfig = Flag(
        "merge",
        default: false,
        help: "bring it into kubectl's own file instead of printing it"
    )

    /// `apus kubeconfig`: the administrator's kubeconfig.
    static let kubeconfig = Command(
        "kubeconfig",
        summary: "Print the administrator's kubeconfig, or merge it into kubectl's",
        discussion: """
            Prints the administrator's kubeconfig. With --merge its cluster, user and context go
            into the file that kubectl uses ($KUBECONFIG, or ~/.kube/config), and the context
            becomes the current one; what else is in the file stays.
            """,
        flags: ClusterFlags.place + [Command.mergesKubeconfig],
        settings: ClusterSettings.apply
    ) { invocation in
        try invocation.expectNoArguments()
        let layout = try ClusterFlags.layout(invocation.flags)
        if invocation.flags[Command.mergesKubeconfig] {
            let path = KubeconfigMerge.defaultPath
            try KubeconfigMerge.run(layout, into: path)
            invocation.output.line("\(path) has the cluster now, as its current context.")
        } else {
            invocation.output.write(try layout.readKubeconfig("admin"))
        }
        return .success
    }
}
