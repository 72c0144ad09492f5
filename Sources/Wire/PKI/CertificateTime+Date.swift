// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import FoundationEssentials

// swift-certificates speaks FoundationEssentials.Date; this file is the only place that does too.
extension CertificateTime {
    /// The second that `date` lies in; certificates carry no fractions.
    init(_ date: Date) {
        let seconds = date.timeIntervalSince1970.rounded(.down)
        let least = Double(CertificateTime.minimum.secondsSinceEpoch)
        let greatest = Double(CertificateTime.maximum.secondsSinceEpoch)
        self.init(secondsSinceEpoch: Int64(min(max(seconds, least), greatest)))
    }

    /// The same time as a `Date`, exactly: the range fits a `Double`'s integers.
    var date: Date {
        Date(timeIntervalSince1970: Double(self.secondsSinceEpoch))
    }
}
