// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Scalars

/// The time limit that a request asks for with `timeout`.
///
/// Source: upstream k8s.io/apiserver `pkg/endpoints/filters/request_deadline.go`.
public enum RequestTimeout {
    /// The limit of a request that does not last: what it asks for, when that is shorter than the
    /// server's own.
    ///
    /// Watches and other long-lasting requests are not to be asked.
    public static func limit(
        _ query: QueryParameters,
        maximum: Duration
    ) throws(ParameterError) -> Duration {
        let text = query.string("timeout")
        if text.isEmpty { return maximum }
        do throws(GoDurationError) {
            let wanted = Duration(try GoDuration(parsing: text))
            return wanted > .zero && wanted < maximum ? wanted : maximum
        } catch {
            throw .badRequest(
                "invalid timeout specified in the request URL - \(error.description)"
            )
        }
    }
}
