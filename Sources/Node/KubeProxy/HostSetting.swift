// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import Logging

/// A setting of the kernel under `/proc/sys`.
struct HostSetting {
    let path: String

    init(_ name: String) {
        self.path = "/proc/sys/\(name)"
    }

    /// The first line; nil when it cannot be read.
    var value: String? {
        guard let file = fopen(self.path, "r") else { return nil }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = fread(&buffer, 1, buffer.count, file)
        return String(decoding: buffer.prefix(count).prefix { $0 != 0x0A }, as: UTF8.self)
    }

    /// Changes it when it is another; what the machine does not let anybody change is said once.
    func set(_ value: String, _ logger: Logger) {
        guard let old = self.value, old != value else { return }
        let descriptor = open(self.path, O_WRONLY | O_CLOEXEC)
        let bytes = Array(value.utf8)
        let isWritten =
            descriptor >= 0
            && bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) } == bytes.count
        if descriptor >= 0 { close(descriptor) }
        if !isWritten {
            logger.warning(
                "Failed to change a setting of the kernel",
                metadata: ["path": "\(self.path)", "value": "\(value)"]
            )
        }
    }
}

/// How many connections the kernel remembers, and how long: upstream's `conntrack` settings.
public struct ConnectionLimits: Sendable, Hashable {
    /// Connections for each core; 0 leaves the kernel's limit alone.
    public var maximumPerCore = 32_768
    /// The least limit, whatever the number of cores.
    public var minimum = 131_072
    /// Seconds; 0 leaves the kernel's alone.
    public var establishedSeconds = 86_400
    public var closeWaitSeconds = 3600
    public var isLiberal = false
    public var datagramSeconds = 0
    public var datagramStreamSeconds = 0

    public init() {}

    /// The limit for so many cores; nil to leave the kernel's.
    func maximum(cores: Int) -> Int? {
        self.maximumPerCore == 0 ? nil : max(self.maximumPerCore * cores, self.minimum)
    }

    func apply(_ logger: Logger) {
        func set(_ name: String, _ value: Int) {
            HostSetting("net/netfilter/\(name)").set("\(value)", logger)
        }
        if let maximum = self.maximum(cores: Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) {
            // A higher limit that the machine has already is left.
            let present = HostSetting("net/netfilter/nf_conntrack_max").value.flatMap { Int($0) }
            if let present, present < maximum { set("nf_conntrack_max", maximum) }
        }
        for (name, seconds) in [
            ("nf_conntrack_tcp_timeout_established", self.establishedSeconds),
            ("nf_conntrack_tcp_timeout_close_wait", self.closeWaitSeconds),
            ("nf_conntrack_udp_timeout", self.datagramSeconds),
            ("nf_conntrack_udp_timeout_stream", self.datagramStreamSeconds),
        ] where seconds > 0 {
            set(name, seconds)
        }
        if self.isLiberal { set("nf_conntrack_tcp_be_liberal", 1) }
    }
}
