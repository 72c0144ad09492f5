// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Glibc
public import Metrics

/// What this process uses, under the names that every Prometheus client has.
///
/// Source: prometheus/client_golang `prometheus/process_collector.go`.
public enum ProcessMetrics {
    /// Adds the metrics. They are read from the kernel when they are asked for.
    public static func register(in registry: MetricRegistry) {
        registry.callback(
            "process_cpu_seconds_total",
            .counter,
            help: "Total user and system CPU time spent in seconds."
        ) { Self.cpuSeconds() }
        registry.callback(
            "process_resident_memory_bytes",
            help: "Resident memory size in bytes."
        ) { Double(Self.memoryPages().resident * Self.pageBytes) }
        registry.callback(
            "process_virtual_memory_bytes",
            help: "Virtual memory size in bytes."
        ) { Double(Self.memoryPages().virtual * Self.pageBytes) }
        registry.callback(
            "process_open_fds",
            help: "Number of open file descriptors."
        ) { Double(Self.openDescriptors()) }
        registry.callback(
            "process_max_fds",
            help: "Maximum number of open file descriptors."
        ) { Double(Self.maximumDescriptors()) }
        let start = Self.startSeconds()
        registry.callback(
            "process_start_time_seconds",
            help: "Start time of the process since unix epoch in seconds."
        ) { start }
    }

    private static var pageBytes: Int { sysconf(Int32(_SC_PAGESIZE)) }

    /// User and system time.
    static func cpuSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// The first two numbers of `/proc/self/statm`; zeros where there is none.
    static func memoryPages() -> (virtual: Int, resident: Int) {
        let numbers = Self.read("/proc/self/statm").split(separator: " ").prefix(2).map { Int($0) }
        guard numbers.count == 2, let virtual = numbers[0], let resident = numbers[1] else {
            return (0, 0)
        }
        return (virtual, resident)
    }

    static func openDescriptors() -> Int {
        guard let folder = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Not the folder's own, nor `.` and `..`.
        return max(0, count - 3)
    }

    private static func maximumDescriptors() -> UInt {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return limit.rlim_cur
    }

    /// The boot time and field 22 of `/proc/self/stat`, in clock ticks since then; the time of the
    /// call where they cannot be read.
    static func startSeconds() -> Double {
        let boot = Self.read("/proc/stat").split(separator: "\n")
            .first { $0.hasPrefix("btime ") }
            .flatMap { Double($0.dropFirst(6)) }
        // The name of the program, in parentheses, may hold anything.
        let fields = Self.read("/proc/self/stat").split(separator: ")").last?
            .split(separator: " ")
        guard let boot, let fields, fields.count > 19, let ticks = Double(fields[19]) else {
            return Double(time(nil))
        }
        return boot + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private static func read(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        while bytes.count < 1 << 20 {
            let part = [UInt8](unsafeUninitializedCapacity: 4_096) { buffer, count in
                count = max(0, Glibc.read(descriptor, buffer.baseAddress, buffer.count))
            }
            if part.isEmpty { break }
            bytes += part
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
