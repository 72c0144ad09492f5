// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import DNSMessages
public import KubernetesAPI
import Protobuf

/// What a zone asks about the cluster: answered from memory, from any thread.
public protocol ClusterRecords: Sendable {
    func service(_ name: String, in namespace: String) -> CoreV1.Service?
    func endpointSlices(of service: String, in namespace: String) -> [DiscoveryV1.EndpointSlice]
    func hasNamespace(_ name: String) -> Bool
    /// The Services that have an address: by `spec.clusterIPs`.
    func services(address: String) -> [CoreV1.Service]
    /// The slices that have an endpoint of an address.
    func endpointSlices(address: String) -> [DiscoveryV1.EndpointSlice]
}

/// The cluster's part of the domain name system, by the Kubernetes DNS specification 1.1.
///
/// Nothing is precomputed: each question is a few look-ups in what the process has in memory anyway.
public struct ClusterZone: Sendable {
    /// Such as `cluster.local`.
    public let domain: DNSName
    private let records: any ClusterRecords
    /// What resolvers may keep answers for, in seconds.
    private let timeToLive: UInt32

    /// Of the specification that is followed; asked for as `dns-version.DOMAIN`.
    static let schemaVersion = "1.1.0"
    /// CoreDNS' value as kubeadm sets it up.
    public static let defaultTimeToLive: UInt32 = 30

    public init(
        domain: DNSName,
        records: any ClusterRecords,
        timeToLive: UInt32 = ClusterZone.defaultTimeToLive
    ) {
        self.domain = domain
        self.records = records
        self.timeToLive = timeToLive
    }

    /// The answer to a question; nil when the name is not the cluster's.
    public func answer(_ query: DNSQuery) -> DNSAnswer? {
        if let labels = query.name.labels(below: self.domain) {
            return self.finish(self.lookUp(Array(labels), query), query)
        }
        guard query.type == .ptr, let address = ReverseName.address(of: query.name) else {
            return nil
        }
        let names = self.names(of: address)
        guard !names.isEmpty else { return nil }
        return DNSAnswer(.noError, records: names.map { self.record(query.name, .ptr($0)) })
    }

    /// What a name has, of every type that was asked for.
    private enum Found {
        /// No such name.
        case nothing
        /// The name exists; the records of the wanted type, perhaps none.
        case records([DNSRecord], additionals: [DNSRecord] = [])
    }

    private func finish(_ found: Found, _ query: DNSQuery) -> DNSAnswer {
        var answer: DNSAnswer
        switch found {
        case .nothing:
            answer = DNSAnswer(.nameError)
        case .records(let records, let additionals):
            answer = DNSAnswer(.noError, records: records)
            answer.additionals = additionals
        }
        if answer.records.isEmpty { answer.authorities = [self.authority] }
        return answer
    }

    private var authority: DNSRecord {
        self.record(
            self.domain,
            .soa(
                primary: DNSName(labels: ["ns", "dns"] + self.domain.labels),
                mailbox: DNSName(labels: ["hostmaster"] + self.domain.labels),
                serial: 1,
                minimum: self.timeToLive
            )
        )
    }

    private func record(_ name: DNSName, _ data: DNSRecord.Data) -> DNSRecord {
        DNSRecord(name, data, timeToLive: self.timeToLive)
    }
}

// MARK: - Names below the domain

extension ClusterZone {
    private func lookUp(_ labels: [String], _ query: DNSQuery) -> Found {
        switch labels.last {
        case nil:
            return .records(query.type == .soa || query.type == .any ? [self.authority] : [])
        case "dns-version" where labels.count == 1:
            let wanted = query.type == .txt || query.type == .any
            return .records(wanted ? [self.record(query.name, .txt(Self.schemaVersion))] : [])
        case "svc":
            return self.lookUpService(Array(labels.dropLast()), query)
        case "pod":
            return self.lookUpPod(Array(labels.dropLast()), query)
        default:
            return .nothing
        }
    }

    /// `SERVICE.NAMESPACE`, `HOST.SERVICE.NAMESPACE`, `_PORT._PROTOCOL.SERVICE.NAMESPACE`.
    private func lookUpService(_ labels: [String], _ query: DNSQuery) -> Found {
        guard let namespace = labels.last else { return .records([]) }
        guard labels.count > 1 else {
            return self.records.hasNamespace(namespace) ? .records([]) : .nothing
        }
        guard let service = self.records.service(labels[labels.count - 2], in: namespace) else {
            return .nothing
        }
        let front = Array(labels.dropLast(2))
        if service.spec.type == "ExternalName" {
            guard front.isEmpty else { return .nothing }
            return .records([self.record(query.name, .cname(DNSName(service.spec.externalName)))])
        }
        let isHeadless = service.spec.clusterIP == "None" || service.spec.clusterIP.isEmpty
        switch front.count {
        case 0 where isHeadless:
            let places = self.places(service)
            if places.isEmpty { return .nothing }
            return self.found(places.map(\.address), query)
        case 0:
            return self.found(self.addresses(service), query)
        case 1 where isHeadless:
            let places = self.places(service).filter { $0.host == front[0] }
            return places.isEmpty ? .nothing : self.found(places.map(\.address), query)
        case 2 where front[0].hasPrefix("_") && front[1].hasPrefix("_"):
            return self.lookUpPort(
                String(front[0].dropFirst()),
                String(front[1].dropFirst()),
                service,
                isHeadless,
                query
            )
        default:
            return .nothing
        }
    }

    /// Records of the wanted family for these addresses, each once.
    private func found(_ addresses: [String], _ query: DNSQuery) -> Found {
        var seen: Set<String> = []
        let records = addresses.filter { seen.insert($0).inserted }.compactMap { address in
            AddressBytes.data(of: address).flatMap { data in
                query.type == data.type || query.type == .any ? self.record(query.name, data) : nil
            }
        }
        return .records(records)
    }

    private func addresses(_ service: CoreV1.Service) -> [String] {
        let list = Array(service.spec.clusterIPs)
        return list.isEmpty ? [service.spec.clusterIP] : list
    }

    private func lookUpPort(
        _ port: String,
        _ transport: String,
        _ service: CoreV1.Service,
        _ isHeadless: Bool,
        _ query: DNSQuery
    ) -> Found {
        let base = [service.metadata.name, service.metadata.namespace, "svc"] + self.domain.labels
        var records: [DNSRecord] = []
        var additionals: [DNSRecord] = []
        func add(_ number: UInt16, _ target: DNSName, _ addresses: [String]) {
            records.append(
                self.record(
                    query.name,
                    .srv(priority: 0, weight: 100, port: number, target: target)
                )
            )
            additionals += addresses.compactMap { address in
                AddressBytes.data(of: address).map { self.record(target, $0) }
            }
        }
        if isHeadless {
            for place in self.places(service) {
                for entry in place.ports where entry.name == port && entry.transport == transport {
                    add(entry.number, DNSName(labels: [place.host] + base), [place.address])
                }
            }
        } else {
            for entry in service.spec.ports {
                let name = entry.protocol.isEmpty ? "tcp" : entry.protocol.lowercased()
                guard entry.name == port, name == transport,
                    let number = UInt16(exactly: entry.port)
                else { continue }
                add(number, DNSName(labels: base), self.addresses(service))
            }
        }
        guard !records.isEmpty else { return .nothing }
        guard query.type == .srv || query.type == .any else { return .records([]) }
        return .records(records, additionals: additionals)
    }

    /// `10-244-0-7.NAMESPACE`: an address in the name itself.
    private func lookUpPod(_ labels: [String], _ query: DNSQuery) -> Found {
        guard let namespace = labels.last else { return .records([]) }
        guard self.records.hasNamespace(namespace) else { return .nothing }
        guard labels.count == 2 else { return labels.count == 1 ? .records([]) : .nothing }
        let dotted = String(labels[0].map { $0 == "-" ? "." : $0 })
        let colons = String(labels[0].map { $0 == "-" ? ":" : $0 })
        guard let address = [dotted, colons].first(where: { AddressBytes.data(of: $0) != nil })
        else {
            return .nothing
        }
        return self.found([address], query)
    }
}

// MARK: - Endpoints

extension ClusterZone {
    /// An endpoint of a headless Service.
    private struct Place {
        var address: String
        /// Its host name, or its address with dashes.
        var host: String
        var ports: [(name: String, transport: String, number: UInt16)]
    }

    private func places(_ service: CoreV1.Service) -> [Place] {
        let slices = self.records.endpointSlices(
            of: service.metadata.name,
            in: service.metadata.namespace
        )
        return slices.flatMap { slice in
            let ports = slice.ports.compactMap { port in
                port.port.flatMap { UInt16(exactly: $0) }.map { number in
                    (
                        name: port.name ?? "", transport: (port.protocol ?? "TCP").lowercased(),
                        number: number
                    )
                }
            }
            return slice.endpoints.flatMap { endpoint in
                // Slices of Services that publish what is not ready say ready of it.
                guard endpoint.conditions.ready ?? true else { return [Place]() }
                return endpoint.addresses.map { address in
                    Place(
                        address: address,
                        host: endpoint.hostname.flatMap { $0.isEmpty ? nil : $0 }
                            ?? String(address.map { $0 == "." || $0 == ":" ? "-" : $0 }),
                        ports: ports
                    )
                }
            }
        }
    }

    /// The names that an address has.
    private func names(of address: String) -> [DNSName] {
        let services = self.records.services(address: address).map { service in
            DNSName(
                labels: [service.metadata.name, service.metadata.namespace, "svc"]
                    + self.domain.labels
            )
        }
        if !services.isEmpty { return services }
        return self.records.endpointSlices(address: address).flatMap { slice -> [DNSName] in
            guard let service = slice.metadata.labels["kubernetes.io/service-name"] else {
                return []
            }
            return slice.endpoints.compactMap { endpoint in
                guard endpoint.addresses.contains(address), let host = endpoint.hostname,
                    !host.isEmpty
                else { return nil }
                return DNSName(
                    labels: [host, service, slice.metadata.namespace, "svc"] + self.domain.labels
                )
            }
        }
    }
}
