// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import Protobuf

/// A pod as the checks of the Pod Security Standards see it. Each check is a property that is nil
/// when it passes.
struct SecuritySubject {
    typealias Violation = (reason: String, detail: String)

    /// A container of any kind.
    struct Container {
        var name: String
        var securityContext: CoreV1.SecurityContext?
        var ports: RepeatedField<CoreV1.ContainerPort>
        var probes: [(path: String, host: String)]
    }

    let metadata: MetaV1.ObjectMeta
    let spec: CoreV1.PodSpec
    /// Initial, ordinary and ephemeral ones.
    let containers: [Container]

    init(_ metadata: MetaV1.ObjectMeta, _ spec: CoreV1.PodSpec) {
        self.metadata = metadata
        self.spec = spec
        var containers: [Container] = []
        for container in [spec.initContainers, spec.containers].joined() {
            containers.append(
                Container(
                    name: container.name,
                    securityContext: container.securityContext,
                    ports: container.ports,
                    probes: Self.hosts(
                        [
                            container.livenessProbe, container.readinessProbe,
                            container.startupProbe,
                        ],
                        container.lifecycle
                    )
                )
            )
        }
        for container in spec.ephemeralContainers.map(\.ephemeralContainerCommon) {
            containers.append(
                Container(
                    name: container.name,
                    securityContext: container.securityContext,
                    ports: container.ports,
                    probes: []
                )
            )
        }
        self.containers = containers
    }

    private static func hosts(
        _ probes: [CoreV1.Probe?],
        _ lifecycle: CoreV1.Lifecycle?
    ) -> [(path: String, host: String)] {
        var hosts: [(String, String)] = []
        for probe in probes {
            hosts.append(("probe", probe?.handler.httpGet?.host ?? ""))
            hosts.append(("probe", probe?.handler.tcpSocket?.host ?? ""))
        }
        for handler in [lifecycle?.postStart, lifecycle?.preStop] {
            hosts.append(("lifecycle", handler?.httpGet?.host ?? ""))
            hosts.append(("lifecycle", handler?.tcpSocket?.host ?? ""))
        }
        return hosts.filter { !$0.1.isEmpty }
    }

    // MARK: - Texts

    var isWindows: Bool { self.spec.os?.name == "windows" }

    static func quoted(_ names: [String]) -> String {
        names.map(GoText.quoted).joined(separator: ", ")
    }

    static func plural(_ word: String, _ count: Int) -> String { count == 1 ? word : "\(word)s" }

    /// `container "a"`, `containers "a", "b"`
    static func containers(_ names: [String]) -> String {
        "\(self.plural("container", names.count)) \(self.quoted(names))"
    }

    /// The names of containers that fail a test.
    func names(where isBad: (Container) -> Bool) -> [String] {
        self.containers.filter(isBad).map(\.name)
    }

    /// The subjects of a fault: the pod, and containers.
    static func subjects(pod: Bool, _ names: [String]) -> String {
        [pod ? "pod" : "", names.isEmpty ? "" : self.containers(names)].filter { !$0.isEmpty }
            .joined(separator: " and ")
    }
}

// MARK: - Baseline

extension SecuritySubject {
    var privileged: Violation? {
        let names = self.names { $0.securityContext?.privileged == true }
        guard !names.isEmpty else { return nil }
        return (
            "privileged", "\(Self.containers(names)) must not set securityContext.privileged=true"
        )
    }

    var hostNamespaces: Violation? {
        let flags = [
            (self.spec.hostNetwork, "hostNetwork"), (self.spec.hostPID, "hostPID"),
            (self.spec.hostIPC, "hostIPC"),
        ].filter(\.0).map { "\($0.1)=true" }
        return flags.isEmpty ? nil : ("host namespaces", flags.joined(separator: ", "))
    }

    var hostPathVolumes: Violation? {
        let names = self.spec.volumes.filter { $0.volumeSource.hostPath != nil }.map(\.name)
        guard !names.isEmpty else { return nil }
        return (
            "hostPath volumes", "\(Self.plural("volume", names.count)) \(Self.quoted(names))"
        )
    }

    var hostPorts: Violation? {
        var names: [String] = []
        var ports = Set<Int32>()
        for container in self.containers {
            let bad = container.ports.map(\.hostPort).filter { $0 != 0 }
            if bad.isEmpty { continue }
            names.append(container.name)
            ports.formUnion(bad)
        }
        guard !names.isEmpty else { return nil }
        let list = ports.map { "\($0)" }.sorted().joined(separator: ", ")
        return (
            "hostPort",
            "\(Self.containers(names)) \(names.count == 1 ? "uses" : "use") "
                + "\(Self.plural("hostPort", ports.count)) \(list)"
        )
    }

    var hostProbes: Violation? {
        let bad = self.containers.filter { !$0.probes.isEmpty }
        guard !bad.isEmpty else { return nil }
        let hosts = Set(bad.flatMap { $0.probes.map(\.host) }).sorted()
        return (
            "probe or lifecycle host",
            "\(Self.containers(bad.map(\.name))) "
                + "\(bad.count == 1 ? "uses" : "use") probe or lifecycle "
                + "\(Self.plural("host", hosts.count)) \(Self.quoted(hosts))"
        )
    }

    private static let baselineCapabilities: Set = [
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
        "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
    ]

    var capabilitiesBaseline: Violation? {
        var names: [String] = []
        var added = Set<String>()
        for container in self.containers {
            let bad = (container.securityContext?.capabilities?.add ?? [])
                .filter { !Self.baselineCapabilities.contains($0) }
            if bad.isEmpty { continue }
            names.append(container.name)
            added.formUnion(bad)
        }
        guard !names.isEmpty else { return nil }
        return (
            "non-default capabilities",
            "\(Self.containers(names)) must not include \(Self.quoted(added.sorted())) in "
                + "securityContext.capabilities.add"
        )
    }

    var procMount: Violation? {
        if self.spec.hostUsers == false { return nil }
        let bad = self.containers.filter {
            ($0.securityContext?.procMount ?? "Default") != "Default"
        }
        guard !bad.isEmpty else { return nil }
        let values = Set(bad.compactMap { $0.securityContext?.procMount }).sorted()
        return (
            "procMount",
            "\(Self.containers(bad.map(\.name))) must not set securityContext.procMount to "
                + Self.quoted(values)
        )
    }

    private static let seLinuxTypes: Set = [
        "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t",
    ]

    var seLinux: Violation? {
        func isBad(_ options: CoreV1.SELinuxOptions?) -> Bool {
            guard let options else { return false }
            return !Self.seLinuxTypes.contains(options.type) || !options.user.isEmpty
                || !options.role.isEmpty
        }
        let own = self.spec.securityContext?.seLinuxOptions
        let isPodBad = isBad(own)
        let bad = self.containers.filter { isBad($0.securityContext?.seLinuxOptions) }
        guard isPodBad || !bad.isEmpty else { return nil }
        let all =
            (isPodBad ? [own] : []) + bad.map { $0.securityContext?.seLinuxOptions }
        let options = all.compactMap { $0 }
        let types = Set(options.map(\.type).filter { !Self.seLinuxTypes.contains($0) }).sorted()
        var what: [String] = []
        if !types.isEmpty {
            what.append("\(Self.plural("type", types.count)) \(Self.quoted(types))")
        }
        if options.contains(where: { !$0.user.isEmpty }) { what.append("user may not be set") }
        if options.contains(where: { !$0.role.isEmpty }) { what.append("role may not be set") }
        return (
            "seLinuxOptions",
            "\(Self.subjects(pod: isPodBad, bad.map(\.name))) set forbidden "
                + "securityContext.seLinuxOptions: \(what.joined(separator: "; "))"
        )
    }

    private static let safeSysctls: Set = [
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
    ]

    var sysctls: Violation? {
        let bad = (self.spec.securityContext?.sysctls ?? []).map(\.name)
            .filter { !Self.safeSysctls.contains($0) }
        return bad.isEmpty
            ? nil : ("forbidden sysctls", bad.joined(separator: ", "))
    }

    var windowsHostProcess: Violation? {
        let isPodBad = self.spec.securityContext?.windowsOptions?.hostProcess == true
        let names = self.names { $0.securityContext?.windowsOptions?.hostProcess == true }
        guard isPodBad || !names.isEmpty else { return nil }
        return (
            "hostProcess",
            "\(Self.subjects(pod: isPodBad, names)) must not set "
                + "securityContext.windowsOptions.hostProcess=true"
        )
    }

    private static let appArmorPrefix = "container.apparmor.security.beta.kubernetes.io/"

    var appArmor: Violation? {
        func isBad(_ profile: CoreV1.AppArmorProfile?) -> Bool {
            guard let profile else { return false }
            return profile.type != "RuntimeDefault" && profile.type != "Localhost"
        }
        var texts: [String] = []
        let own = self.spec.securityContext?.appArmorProfile
        if isBad(own) {
            texts.append(
                "pod must not set AppArmor profile type to \(GoText.quoted(own?.type ?? ""))"
            )
        }
        let bad = self.containers.filter { isBad($0.securityContext?.appArmorProfile) }
        if !bad.isEmpty {
            let types = Set(
                bad.compactMap { $0.securityContext?.appArmorProfile?.type }
            ).sorted()
            texts.append(
                "\(Self.containers(bad.map(\.name))) must not set AppArmor profile type to "
                    + Self.quoted(types)
            )
        }
        let annotations = self.metadata.annotations.filter {
            $0.key.hasPrefix(Self.appArmorPrefix) && !$0.value.isEmpty
                && $0.value != "runtime/default" && !$0.value.hasPrefix("localhost/")
        }.map { "\($0.key)=\(GoText.quoted($0.value))" }.sorted()
        if !annotations.isEmpty {
            texts.append(
                "\(Self.plural("annotation", annotations.count)) "
                    + annotations.joined(separator: ", ")
            )
        }
        guard !texts.isEmpty else { return nil }
        let count = texts.count - (annotations.isEmpty ? 0 : 1) + annotations.count
        return (
            "forbidden AppArmor \(Self.plural("profile", count))",
            texts.joined(separator: " and ")
        )
    }

    var seccompBaseline: Violation? {
        func isBad(_ profile: CoreV1.SeccompProfile?) -> Bool {
            guard let profile else { return false }
            return profile.type != "RuntimeDefault" && profile.type != "Localhost"
        }
        let own = self.spec.securityContext?.seccompProfile
        let bad = self.containers.filter { isBad($0.securityContext?.seccompProfile) }
        guard isBad(own) || !bad.isEmpty else { return nil }
        let types = Set(
            (isBad(own) ? [own?.type ?? ""] : [])
                + bad.compactMap { $0.securityContext?.seccompProfile?.type }
        ).sorted()
        return (
            "seccompProfile",
            "\(Self.subjects(pod: isBad(own), bad.map(\.name))) must not set "
                + "securityContext.seccompProfile.type to \(Self.quoted(types))"
        )
    }
}

// MARK: - Restricted

extension SecuritySubject {
    var allowPrivilegeEscalation: Violation? {
        if self.isWindows { return nil }
        let names = self.names { $0.securityContext?.allowPrivilegeEscalation != false }
        guard !names.isEmpty else { return nil }
        return (
            "allowPrivilegeEscalation != false",
            "\(Self.containers(names)) must set securityContext.allowPrivilegeEscalation=false"
        )
    }

    var capabilitiesRestricted: Violation? {
        if self.isWindows { return nil }
        var undropped: [String] = []
        var adding: [String] = []
        var added = Set<String>()
        for container in self.containers {
            let capabilities = container.securityContext?.capabilities
            if capabilities?.drop.contains("ALL") != true { undropped.append(container.name) }
            let bad = (capabilities?.add ?? []).filter { $0 != "NET_BIND_SERVICE" }
            if bad.isEmpty { continue }
            adding.append(container.name)
            added.formUnion(bad)
        }
        var texts: [String] = []
        if !undropped.isEmpty {
            texts.append(
                "\(Self.containers(undropped)) must set securityContext.capabilities.drop=[\"ALL\"]"
            )
        }
        if !adding.isEmpty {
            texts.append(
                "\(Self.containers(adding)) must not include \(Self.quoted(added.sorted())) in "
                    + "securityContext.capabilities.add"
            )
        }
        return texts.isEmpty
            ? nil : ("unrestricted capabilities", texts.joined(separator: "; "))
    }

    /// The kind of a volume that is not allowed; nil for one that is.
    private static func restrictedKind(of source: CoreV1.VolumeSource) -> String? {
        if source.configMap != nil || source.csi != nil || source.downwardAPI != nil
            || source.emptyDir != nil || source.ephemeral != nil || source.image != nil
            || source.persistentVolumeClaim != nil || source.projected != nil
            || source.secret != nil
        {
            return nil
        }
        let kinds: [(Bool, String)] = [
            (source.hostPath != nil, "hostPath"),
            (source.gcePersistentDisk != nil, "gcePersistentDisk"),
            (source.awsElasticBlockStore != nil, "awsElasticBlockStore"),
            (source.gitRepo != nil, "gitRepo"), (source.nfs != nil, "nfs"),
            (source.iscsi != nil, "iscsi"), (source.glusterfs != nil, "glusterfs"),
            (source.rbd != nil, "rbd"), (source.flexVolume != nil, "flexVolume"),
            (source.cinder != nil, "cinder"), (source.cephfs != nil, "cephfs"),
            (source.flocker != nil, "flocker"), (source.fc != nil, "fc"),
            (source.azureFile != nil, "azureFile"),
            (source.vsphereVolume != nil, "vsphereVolume"),
            (source.quobyte != nil, "quobyte"), (source.azureDisk != nil, "azureDisk"),
            (source.photonPersistentDisk != nil, "photonPersistentDisk"),
            (source.portworxVolume != nil, "portworxVolume"),
            (source.scaleIO != nil, "scaleIO"), (source.storageos != nil, "storageos"),
        ]
        return kinds.first(where: \.0)?.1 ?? "unknown"
    }

    var restrictedVolumes: Violation? {
        var names: [String] = []
        var kinds = Set<String>()
        for volume in self.spec.volumes {
            guard let kind = Self.restrictedKind(of: volume.volumeSource) else { continue }
            names.append(volume.name)
            kinds.insert(kind)
        }
        guard !names.isEmpty else { return nil }
        return (
            "restricted volume types",
            "\(Self.plural("volume", names.count)) \(Self.quoted(names)) "
                + "\(names.count == 1 ? "uses" : "use") restricted volume "
                + "\(Self.plural("type", kinds.count)) \(Self.quoted(kinds.sorted()))"
        )
    }

    var runAsNonRoot: Violation? {
        if self.spec.hostUsers == false { return nil }
        let pod = self.spec.securityContext?.runAsNonRoot
        let bad = self.names { $0.securityContext?.runAsNonRoot == false }
        let unset = pod == true ? [] : self.names { $0.securityContext?.runAsNonRoot == nil }
        var texts: [String] = []
        let isPodBad = pod == false
        if isPodBad || !bad.isEmpty {
            texts.append(
                "\(Self.subjects(pod: isPodBad, bad)) must not set "
                    + "securityContext.runAsNonRoot=false"
            )
        } else if !unset.isEmpty {
            texts.append(
                "pod or \(Self.containers(unset)) must set securityContext.runAsNonRoot=true"
            )
        }
        return texts.isEmpty ? nil : ("runAsNonRoot != true", texts.joined(separator: "; "))
    }

    var runAsUser: Violation? {
        if self.spec.hostUsers == false { return nil }
        let isPodBad = self.spec.securityContext?.runAsUser == 0
        let names = self.names { $0.securityContext?.runAsUser == 0 }
        guard isPodBad || !names.isEmpty else { return nil }
        return (
            "runAsUser=0", "\(Self.subjects(pod: isPodBad, names)) must not set runAsUser=0"
        )
    }

    var seccompRestricted: Violation? {
        if self.isWindows { return nil }
        func isGood(_ profile: CoreV1.SeccompProfile) -> Bool {
            profile.type == "RuntimeDefault" || profile.type == "Localhost"
        }
        let pod = self.spec.securityContext?.seccompProfile
        let isPodBad = pod.map { !isGood($0) } ?? false
        let bad = self.containers.filter {
            $0.securityContext?.seccompProfile.map { !isGood($0) } ?? false
        }
        if isPodBad || !bad.isEmpty {
            let types = Set(
                (isPodBad ? [pod?.type ?? ""] : [])
                    + bad.compactMap { $0.securityContext?.seccompProfile?.type }
            ).sorted()
            return (
                "seccompProfile",
                "\(Self.subjects(pod: isPodBad, bad.map(\.name))) must not set "
                    + "securityContext.seccompProfile.type to \(Self.quoted(types))"
            )
        }
        if pod != nil { return nil }
        let unset = self.names { $0.securityContext?.seccompProfile == nil }
        guard !unset.isEmpty else { return nil }
        return (
            "seccompProfile",
            "pod or \(Self.containers(unset)) must set securityContext.seccompProfile.type to "
                + "\"RuntimeDefault\" or \"Localhost\""
        )
    }
}
