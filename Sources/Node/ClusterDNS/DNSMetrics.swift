// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import DNSMessages
public import Metrics
import ProcessMetrics

/// The server's metrics, with CoreDNS' names.
///
/// Source: coredns.io/plugins/metrics, and the plugins cache and forward.
public struct DNSMetrics: Sendable {
    public let registry: MetricRegistry
    private let requests: MetricFamily<Counter>
    private let responses: MetricFamily<Counter>
    private let durations: MetricFamily<Histogram>
    private let requestSizes: MetricFamily<Histogram>
    private let responseSizes: MetricFamily<Histogram>
    let cacheHits: MetricFamily<Counter>
    let cacheMisses: Counter
    let cacheEntries: Gauge
    let rejections: Counter
    let upstreamDurations: MetricFamily<Histogram>

    private static let server = "dns://:53"

    /// Where an answer comes from: CoreDNS' plugins.
    enum Source: String, CaseIterable {
        case zone = "kubernetes"
        case forward = "forward"
    }

    public init(_ registry: MetricRegistry = MetricRegistry()) {
        self.registry = registry
        let place = ["server", "zone", "view"]
        self.requests = registry.counter(
            "coredns_dns_requests_total",
            help: "Counter of DNS requests made per zone, protocol and family.",
            labels: place + ["proto", "family", "type"]
        )
        self.responses = registry.counter(
            "coredns_dns_responses_total",
            help: "Counter of response status codes.",
            labels: place + ["rcode", "plugin"]
        )
        self.durations = registry.histogram(
            "coredns_dns_request_duration_seconds",
            help: "Histogram of the time (in seconds) each request took per zone.",
            labels: place,
            bounds: .exponential(start: 0.00025, factor: 2, count: 16)
        )
        let sizes: [Double] = [
            0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16e3, 32e3, 48e3, 64e3,
        ]
        self.requestSizes = registry.histogram(
            "coredns_dns_request_size_bytes",
            help: "Size of the EDNS0 UDP buffer in bytes (64K for TCP) per zone and protocol.",
            labels: place + ["proto"],
            bounds: sizes
        )
        self.responseSizes = registry.histogram(
            "coredns_dns_response_size_bytes",
            help: "Size of the returned response in bytes.",
            labels: place + ["proto"],
            bounds: sizes
        )
        self.cacheHits = registry.counter(
            "coredns_cache_hits_total",
            help: "The count of cache hits.",
            labels: ["type"]
        )
        self.cacheMisses = registry.counter(
            "coredns_cache_misses_total",
            help: "The count of cache misses."
        )
        self.cacheEntries = registry.gauge(
            "coredns_cache_entries",
            help: "The number of elements in the cache."
        )
        self.rejections = registry.counter(
            "coredns_forward_max_concurrent_rejects_total",
            help:
                "Counter of the number of queries rejected because the concurrent queries were at "
                + "maximum."
        )
        self.upstreamDurations = registry.histogram(
            "coredns_proxy_request_duration_seconds",
            help: "Histogram of the time each request took.",
            labels: ["proxy_name", "to", "rcode"],
            bounds: .exponential(start: 0.00025, factor: 2, count: 16)
        )
        ProcessMetrics.register(in: registry)
    }

    /// The metrics of one listener, looked up once: a question costs no look-up by name.
    ///
    /// Not for use by two threads at once.
    struct Listener {
        private let metrics: DNSMetrics
        private let transport: String
        private let family: String
        private let duration: Histogram
        private let requestSize: Histogram
        private let responseSize: Histogram
        private var requests: [UInt16: Counter] = [:]
        private var responses: [UInt8: [Source: Counter]] = [:]

        /// - Parameters:
        ///   - transport: `udp` or `tcp`.
        ///   - isIPv6: the family of the address that is listened on.
        init(_ metrics: DNSMetrics, transport: String, isIPv6: Bool) {
            self.metrics = metrics
            self.transport = transport
            self.family = isIPv6 ? "2" : "1"
            self.duration = metrics.durations.with(DNSMetrics.server, ".", "")
            self.requestSize = metrics.requestSizes.with(DNSMetrics.server, ".", "", transport)
            self.responseSize = metrics.responseSizes.with(DNSMetrics.server, ".", "", transport)
        }

        /// Counts a question and its answer.
        mutating func count(
            _ type: DNSType,
            bytes: Int,
            answer: [UInt8],
            from source: Source,
            seconds: Double
        ) {
            self.request(type).increment()
            let code = answer.count > 3 ? answer[3] & 0xF : 0
            self.response(code, source).increment()
            self.requestSize.observe(Double(bytes))
            self.responseSize.observe(Double(answer.count))
            self.duration.observe(seconds)
        }

        private mutating func request(_ type: DNSType) -> Counter {
            // A bounded number of labels, whatever is asked for.
            let key = DNSMetrics.names[type] == nil ? 0 : type.rawValue
            if let counter = self.requests[key] { return counter }
            let name = DNSMetrics.names[type] ?? "other"
            let counter = self.metrics.requests.with(
                DNSMetrics.server,
                ".",
                "",
                self.transport,
                self.family,
                name
            )
            self.requests[key] = counter
            return counter
        }

        private mutating func response(_ code: UInt8, _ source: Source) -> Counter {
            if let counter = self.responses[code]?[source] { return counter }
            let counter = self.metrics.responses.with(
                DNSMetrics.server,
                ".",
                "",
                DNSMetrics.codes[code] ?? "RCODE\(code)",
                source.rawValue
            )
            self.responses[code, default: [:]][source] = counter
            return counter
        }
    }

    fileprivate static let names: [DNSType: String] = [
        .a: "A", .aaaa: "AAAA", .cname: "CNAME", .ns: "NS", .ptr: "PTR", .soa: "SOA", .srv: "SRV",
        .txt: "TXT", .any: "ANY", DNSType(rawValue: 15): "MX", DNSType(rawValue: 65): "HTTPS",
        DNSType(rawValue: 48): "DNSKEY", DNSType(rawValue: 43): "DS",
    ]

    static let codes: [UInt8: String] = [
        0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED",
    ]
}
