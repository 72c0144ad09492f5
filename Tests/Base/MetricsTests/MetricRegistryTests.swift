// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import Metrics

@Suite("MetricRegistry")
struct MetricRegistryTests {
    @Test("writes every kind in the text format, by name and labels")
    func text() {
        let registry = MetricRegistry()
        let requests = registry.counter(
            "requests_total",
            help: "Requests by \\ and\nresult.",
            labels: ["verb", "code"]
        )
        requests.with("PUT", "200").increment()
        requests.with("GET", "200").increment(by: 2)
        requests.with("GET", "a\"b\\c\nd").add(0.5)
        registry.gauge("open", help: "Open.").set(-1.5)
        registry.callback("clients", help: "Clients.", labels: ["kind"]) {
            [Sample(labels: ["rpc"], 3), Sample(labels: ["http"], 4)]
        }
        registry.callback("bytes_total", .counter, help: "Bytes.") { 1_234_567_890 }
        let latency = registry.histogram("seconds", help: "Seconds.", bounds: [0.1, 1])
        latency.observe(0.1)
        latency.observe(.milliseconds(500))
        latency.observe(5)
        #expect(
            registry.text() == """
                # HELP bytes_total Bytes.
                # TYPE bytes_total counter
                bytes_total 1234567890
                # HELP clients Clients.
                # TYPE clients gauge
                clients{kind="rpc"} 3
                clients{kind="http"} 4
                # HELP open Open.
                # TYPE open gauge
                open -1.5
                # HELP requests_total Requests by \\\\ and\\nresult.
                # TYPE requests_total counter
                requests_total{verb="GET",code="200"} 2
                requests_total{verb="GET",code="a\\"b\\\\c\\nd"} 0.5
                requests_total{verb="PUT",code="200"} 1
                # HELP seconds Seconds.
                # TYPE seconds histogram
                seconds_bucket{le="0.1"} 1
                seconds_bucket{le="1"} 2
                seconds_bucket{le="+Inf"} 3
                seconds_sum 5.6
                seconds_count 3

                """
        )
    }

    @Test("gives the same metric for the same labels, until it is removed")
    func family() {
        let registry = MetricRegistry()
        let family = registry.gauge("depth", help: "Depth.", labels: ["name"])
        family.with("a").set(1)
        family.with("a").increment()
        #expect(family.with("a").value == 2)
        family.remove(["a"])
        #expect(registry.text() == "# HELP depth Depth.\n# TYPE depth gauge\n")
    }

    @Test("writes histograms with labels")
    func labeledHistogram() {
        let registry = MetricRegistry()
        registry.histogram("h", help: "H.", labels: ["a"], bounds: [1]).with("x").observe(2)
        #expect(registry.text().contains("h_bucket{a=\"x\",le=\"1\"} 0\n"))
        #expect(registry.text().contains("h_bucket{a=\"x\",le=\"+Inf\"} 1\n"))
    }

    @Test("loses no count to a race")
    func concurrency() async {
        let registry = MetricRegistry()
        let counter = registry.counter("c", help: "C.")
        let gauge = registry.gauge("g", help: "G.")
        let histogram = registry.histogram("h", help: "H.", bounds: [10])
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1_000 {
                        counter.increment()
                        counter.add(0.5)
                        gauge.add(2)
                        gauge.decrement()
                        histogram.observe(1)
                    }
                }
            }
        }
        #expect(counter.value == 12_000)
        #expect(gauge.value == 8_000)
        #expect(histogram.count == 8_000)
        #expect(histogram.sum == 8_000)
    }

    @Test("refuses what Prometheus could not read: our bug")
    func badNames() async {
        await #expect(processExitsWith: .failure) {
            _ = MetricRegistry().counter("a-b", help: "")
        }
        await #expect(processExitsWith: .failure) {
            _ = MetricRegistry().counter("a", help: "", labels: ["le"])
        }
        await #expect(processExitsWith: .failure) {
            let registry = MetricRegistry()
            _ = registry.counter("a", help: "")
            _ = registry.gauge("a", help: "")
        }
    }
}

@Suite("Exposition")
struct ExpositionTests {
    @Test(
        "writes numbers as Go reads them",
        arguments: [
            (0, "0"), (-0.0, "0"), (1, "1"), (-7, "-7"), (0.1, "0.1"), (1e15, "1000000000000000"),
            (1e16, "1e+16"), (2.5e-9, "2.5e-09"), (.infinity, "+Inf"), (-.infinity, "-Inf"),
            (.nan, "NaN"),
        ] as [(Double, String)]
    )
    func numbers(value: Double, text: String) {
        #expect(Exposition.number(value) == text)
    }

    @Test("makes bounds")
    func bounds() {
        #expect([Double].exponential(start: 1, factor: 2, count: 4) == [1, 2, 4, 8])
        #expect([Double].linear(start: 1, width: 2, count: 3) == [1, 3, 5])
    }
}
