// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import KubernetesAPI
import ObjectModel
import Protobuf

/// Who asks for a certificate is who sends the request, whatever it says.
///
/// Source: upstream `pkg/registry/certificates/certificates/strategy.go`.
enum CertificateRequester {
    /// Notes the user in a new request.
    static func note(_ user: UserInfo, in object: inout APIObject) {
        object.change(CertificatesV1.CertificateSigningRequest.self) { request in
            request.spec.username = user.name
            request.spec.uid = user.uid
            request.spec.groups = RepeatedField(user.groups)
            request.spec.extra = [:]
            for (key, values) in user.extra {
                request.spec.extra[key] = .with { $0.items.append(contentsOf: values) }
            }
        }
    }
}
