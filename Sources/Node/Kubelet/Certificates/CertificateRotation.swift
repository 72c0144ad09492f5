// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import PKI

/// When a certificate is to be asked for anew. Pure.
///
/// Source: upstream client-go `util/certificate/certificate_manager.go`.
package enum CertificateRotation {
    /// The part of a certificate's life after which it may be replaced, and how much of its life
    /// the moment is spread over, so that nodes that joined together do not come together.
    private static let earliest = 0.7
    private static let spread = 0.2

    /// Why a certificate is asked for.
    package enum Reason: String, Sendable, Equatable {
        /// There is none, or it cannot be used any more.
        case missing
        /// It is another's: the node has got another name.
        case otherSubject
        /// A name or address of the node is not in it.
        case otherNames
        /// Its end is near.
        case due
    }

    /// When a certificate is replaced: after 70% to 90% of its life.
    ///
    /// - Parameter jitter: 0 to 1; the same for all looks at one certificate.
    package static func deadline(
        of certificate: Certificate,
        jitter: Double
    ) -> CertificateTime {
        let life = certificate.notBefore.duration(to: certificate.notAfter)
        let part = self.earliest + self.spread * min(max(jitter, 0), 1)
        return certificate.notBefore.advanced(
            by: .seconds(Int64(Double(life.components.seconds) * part))
        )
    }

    /// Why a certificate like `template` is to be asked for now; nil while the current one will do.
    package static func reason(
        current: Certificate?,
        template: CertificateTemplate,
        jitter: Double,
        at now: CertificateTime
    ) -> Reason? {
        // One whose time has not come yet is used: a clock that is behind would see another such in
        // whatever the cluster issues.
        guard let current, now <= current.notAfter else { return .missing }
        guard current.subject == template.subject else { return .otherSubject }
        guard current.alternativeNames.covers(template.alternativeNames) else {
            return .otherNames
        }
        return self.deadline(of: current, jitter: jitter) <= now ? .due : nil
    }
}
