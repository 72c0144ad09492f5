// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// Facts about this machine.
package enum HostInfo {
    /// Processors that may be used.
    package static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// A value of `/proc/meminfo` in bytes.
    package static func memory(_ key: String) -> UInt64 {
        for line in (HostFiles.text("/proc/meminfo") ?? "").split(separator: "\n") {
            guard line.hasPrefix(key + ":") else { continue }
            let fields = line.split(separator: " ")
            if fields.count >= 2, let value = UInt64(fields[1]) { return value * 1024 }
        }
        return 0
    }

    package static var machineID: String {
        HostFiles.text("/etc/machine-id") ?? HostFiles.text("/var/lib/dbus/machine-id") ?? ""
    }

    package static var bootID: String {
        HostFiles.text("/proc/sys/kernel/random/boot_id") ?? ""
    }

    package static var systemUUID: String {
        HostFiles.text("/sys/class/dmi/id/product_uuid") ?? Self.machineID
    }

    package static var kernelVersion: String {
        HostFiles.text("/proc/sys/kernel/osrelease") ?? ""
    }

    package static var hostname: String {
        (HostFiles.text("/proc/sys/kernel/hostname") ?? "localhost").lowercased()
    }

    /// `PRETTY_NAME` of the distribution.
    package static var operatingSystemImage: String {
        let text = HostFiles.text("/etc/os-release") ?? HostFiles.text("/usr/lib/os-release") ?? ""
        for line in text.split(separator: "\n") where line.hasPrefix("PRETTY_NAME=") {
            return line.dropFirst("PRETTY_NAME=".count).filter { $0 != "\"" }
        }
        return "Linux"
    }

    /// As Go names it.
    package static var architecture: String {
        #if arch(x86_64)
            "amd64"
        #elseif arch(arm64)
            "arm64"
        #else
            "unknown"
        #endif
    }

    /// Seconds since 1970 when the machine started.
    package static var bootTime: Int64 {
        for line in (HostFiles.text("/proc/stat") ?? "").split(separator: "\n")
        where line.hasPrefix("btime ") {
            return Int64(line.dropFirst(6)) ?? 0
        }
        return 0
    }

    /// The largest process id, and how many tasks there are.
    package static var processLimit: (maximum: Int64, current: Int64) {
        let maximum = HostFiles.text("/proc/sys/kernel/pid_max").flatMap { Int64($0) } ?? 32_768
        let threads =
            HostFiles.text("/proc/sys/kernel/threads-max").flatMap { Int64($0) } ?? maximum
        let load = HostFiles.text("/proc/loadavg") ?? ""
        let tasks = load.split(separator: " ").dropFirst(3).first?.split(separator: "/").last
        return (min(maximum, threads), tasks.flatMap { Int64($0) } ?? 0)
    }

    /// The address other machines reach this one by: of the interface with the default route, else
    /// the first that is not loopback.
    package static func address() -> String? {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return nil }
        defer { freeifaddrs(list) }
        var found: [(interface: String, address: String)] = []
        var next = list
        while let entry = next {
            next = entry.pointee.ifa_next
            guard let address = entry.pointee.ifa_addr,
                Int32(address.pointee.sa_family) == AF_INET,
                entry.pointee.ifa_flags & UInt32(IFF_LOOPBACK) == 0
            else { continue }
            var buffer = [CChar](repeating: 0, count: 64)
            let length = socklen_t(MemoryLayout<sockaddr_in>.size)
            guard
                getnameinfo(address, length, &buffer, 64, nil, 0, NI_NUMERICHOST) == 0
            else { continue }
            let text = String(
                decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
                as: UTF8.self
            )
            found.append((String(cString: entry.pointee.ifa_name), text))
        }
        let preferred = Self.defaultInterface
        return (found.first { $0.interface == preferred } ?? found.first)?.address
    }

    private static var defaultInterface: String? {
        for line in (HostFiles.text("/proc/net/route") ?? "").split(separator: "\n").dropFirst() {
            let fields = line.split { $0 == "\t" || $0 == " " }
            if fields.count > 7, fields[1] == "00000000", fields[7] == "00000000" {
                return String(fields[0])
            }
        }
        return nil
    }
}
