// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import Metrics
import Testing

@testable import ProcessMetrics

@Suite("ProcessMetrics")
struct ProcessMetricsTests {
    @Test("tells what the kernel tells")
    func values() {
        #expect(ProcessMetrics.cpuSeconds() > 0)
        let pages = ProcessMetrics.memoryPages()
        #expect(pages.resident > 100)
        #expect(pages.virtual >= pages.resident)
        #expect(ProcessMetrics.openDescriptors() >= 3)
        let now = Double(time(nil))
        #expect(ProcessMetrics.startSeconds() <= now + 1)
        #expect(ProcessMetrics.startSeconds() > now - 86_400)
    }

    @Test("registers all of them")
    func register() {
        let registry = MetricRegistry()
        ProcessMetrics.register(in: registry)
        let text = registry.text()
        for name in [
            "process_cpu_seconds_total", "process_resident_memory_bytes",
            "process_virtual_memory_bytes", "process_open_fds", "process_max_fds",
            "process_start_time_seconds",
        ] {
            #expect(text.contains("\n\(name) "))
        }
    }
}
