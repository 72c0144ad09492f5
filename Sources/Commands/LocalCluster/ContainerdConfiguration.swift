// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The configuration of a cluster's own containerd (Debian's 1.6), as text.
///
/// What a host like a container or a small VM needs: no negative out-of-memory score (that takes
/// CAP_SYS_RESOURCE), the cgroupfs driver, and a sandbox image that no registry has to have.
struct ContainerdConfiguration: Sendable {
    let layout: ClusterLayout
    /// The folder of the CNI plugins.
    let pluginFolder: String
    let sandboxImage: String

    /// Where distributions put CNI plugins, Debian's place first.
    static let pluginFolders = ["/usr/lib/cni", "/opt/cni/bin"]

    var text: String {
        let cri = #"plugins."io.containerd.grpc.v1.cri""#
        return """
            version = 2
            root = "\(self.layout.containerd)/root"
            state = "\(self.layout.containerdState)"
            oom_score = 0
            disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", \
            "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", \
            "io.containerd.snapshotter.v1.devmapper", "io.containerd.internal.v1.opt", \
            "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]

            [grpc]
              address = "\(self.layout.containerdSocket)"
            [ttrpc]
              address = "\(self.layout.containerdSocket).ttrpc"

            [\(cri)]
              sandbox_image = "\(self.sandboxImage)"
              restrict_oom_score_adj = true
              stream_server_address = "127.0.0.1"
              stream_server_port = "0"
              [\(cri).containerd]
                default_runtime_name = "runc"
                snapshotter = "overlayfs"
                [\(cri).containerd.runtimes.runc]
                  runtime_type = "io.containerd.runc.v2"
                  [\(cri).containerd.runtimes.runc.options]
                    SystemdCgroup = false
              [\(cri).cni]
                bin_dir = "\(self.pluginFolder)"
                conf_dir = "\(self.layout.networks)"

            """
    }
}
