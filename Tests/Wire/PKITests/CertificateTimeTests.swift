// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import Testing

@testable import PKI

@Suite("CertificateTime")
struct CertificateTimeTests {
    @Test(
        "is written as RFC 3339",
        arguments: [
            (CertificateTime.minimum, "0000-01-01T00:00:00Z"),
            (CertificateTime(secondsSinceEpoch: -1), "1969-12-31T23:59:59Z"),
            (CertificateTime(secondsSinceEpoch: 0), "1970-01-01T00:00:00Z"),
            (CertificateTime(secondsSinceEpoch: 951_782_400), "2000-02-29T00:00:00Z"),
            (CertificateTime(secondsSinceEpoch: 4_107_542_400), "2100-03-01T00:00:00Z"),
            (testTime, "2026-01-01T00:00:00Z"),
            (CertificateTime.maximum, "9999-12-31T23:59:59Z"),
        ]
    )
    func text(time: CertificateTime, text: String) {
        #expect(time.description == text)
    }

    @Test("agrees with gmtime over all years")
    func agreesWithTheLibrary() {
        var random = SystemRandomNumberGenerator()
        let range =
            CertificateTime.minimum.secondsSinceEpoch...CertificateTime.maximum.secondsSinceEpoch
        for _ in 0..<20_000 {
            var seconds = time_t(Int64.random(in: range, using: &random))
            var parts = tm()
            gmtime_r(&seconds, &parts)
            var buffer = [CChar](repeating: 0, count: 64)
            let length = strftime(&buffer, buffer.count, "T%H:%M:%SZ", &parts)
            let clock = String(decoding: buffer[..<length].map { UInt8($0) }, as: UTF8.self)
            let text = CertificateTime(secondsSinceEpoch: Int64(seconds)).description
            let year = Int(text.prefix(4))
            let month = Int(text.dropFirst(5).prefix(2))
            let day = Int(text.dropFirst(8).prefix(2))
            #expect(year == Int(parts.tm_year) + 1_900)
            #expect(month == Int(parts.tm_mon) + 1)
            #expect(day == Int(parts.tm_mday))
            #expect(text.hasSuffix(clock))
        }
    }

    @Test("stays inside what certificates can say")
    func saturates() {
        let greatest = CertificateTime(secondsSinceEpoch: .max)
        #expect(greatest == .maximum)
        #expect(CertificateTime(secondsSinceEpoch: .min) == .minimum)
        #expect(greatest.advanced(by: .seconds(Int64.max)) == .maximum)
        #expect(testTime.advanced(by: .seconds(Int64.max)) == .maximum)
        #expect(testTime.advanced(by: .seconds(Int64.min)) == .minimum)
        #expect(testTime.advanced(by: days(1)).duration(to: testTime) == days(-1))
    }

    @Test("survives the way through Foundation's type")
    func dates() {
        for time in [CertificateTime.minimum, testTime, .maximum] {
            #expect(CertificateTime(time.date) == time)
        }
    }

    @Test("the clock runs")
    func now() {
        #expect(CertificateTime.now() > testTime.advanced(by: days(-400)))
    }
}
