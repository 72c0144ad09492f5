// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ComponentServer
import HTTP
public import HTTP2Transport
import Metrics
public import NIOCore

extension KubeProxy {
    /// Serves `/healthz` and `/livez` until the task is cancelled.
    ///
    /// - Throws: when the address cannot be bound.
    public func serveHealth(on endpoint: HTTPEndpoint, group: any EventLoopGroup) async throws {
        let (health, metrics) = (self.health, self.metrics)
        let pages = SmallPages { path in
            guard path == "/healthz" || path == "/livez" else { return nil }
            let page = health.page(asksForNode: path == "/healthz")
            let status: HTTPStatus = page.isHealthy ? .ok : .serviceUnavailable
            let codes = path == "/healthz" ? metrics.healthCodes : metrics.liveCodes
            codes.with("\(status.rawValue)").increment()
            return SmallPages.Answer(status: status, body: page.body)
        }
        try await pages.serve(on: endpoint, group: group)
    }
}
