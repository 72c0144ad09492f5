// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The opening handshake of RFC 6455 section 4.2, server side.
enum WebSocketHandshake {
    /// The fields of the 101 answer; nil when the request is no valid handshake of version 13.
    ///
    /// - Parameter protocolName: the subprotocol that was chosen.
    static func answer(to head: HTTPRequestHead, protocolName: String?) -> HeaderFields? {
        guard head.methodIs("GET"), head.fields.list(.upgrade, has: "websocket"),
            let version = HeaderName("sec-websocket-version"),
            let keyName = HeaderName("sec-websocket-key"),
            let acceptName = HeaderName("sec-websocket-accept"),
            let protocolField = HeaderName("sec-websocket-protocol"),
            head.fields.values(of: version) == ["13"],
            let key = head.fields[keyName], key.utf8.count == Self.keyCharacterCount
        else { return nil }
        let digest = SHA1.hash(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
        var fields: HeaderFields = [acceptName: Self.base64(digest)]
        if let protocolName { fields.append(protocolField, protocolName) }
        return fields
    }

    /// The subprotocols that a client offers, in its order.
    static func offeredProtocols(_ head: HTTPRequestHead) -> [String] {
        guard let name = HeaderName("sec-websocket-protocol") else { return [] }
        return head.fields.values(of: name).flatMap { $0.split(separator: ",") }.map { part in
            String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
    }

    /// 16 bytes in base64.
    private static let keyCharacterCount = 24

    private static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
        )
        var out: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let part = bytes[start..<min(start + 3, bytes.count)]
            var group: UInt32 = 0
            for index in 0..<3 {
                group = group << 8 | (index < part.count ? UInt32(part[start + index]) : 0)
            }
            for index in 0..<4 {
                let digit = alphabet[Int(group >> UInt32(18 - 6 * index) & 63)]
                out.append(index <= part.count ? digit : UInt8(ascii: "="))
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}

/// SHA-1 (RFC 3174), which RFC 6455 asks for and which protects nothing there.
enum SHA1 {
    static func hash(_ message: [UInt8]) -> [UInt8] {
        var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0]
        var padded = message + [0x80]
        while padded.count % 64 != 56 { padded.append(0) }
        let bits = UInt64(message.count) * 8
        for shift in stride(from: 56, through: 0, by: -8) {
            padded.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift)))
        }
        for start in stride(from: 0, to: padded.count, by: 64) {
            Self.block(padded[start..<(start + 64)], &state)
        }
        return state.flatMap { word in
            [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> UInt32($0)) }
        }
    }

    private static func rotate(_ value: UInt32, _ count: UInt32) -> UInt32 {
        value << count | value >> (32 - count)
    }

    private static func block(_ bytes: ArraySlice<UInt8>, _ state: inout [UInt32]) {
        var words = [UInt32](repeating: 0, count: 80)
        for index in 0..<16 {
            for offset in 0..<4 {
                let byte = bytes[bytes.startIndex + index * 4 + offset]
                words[index] = words[index] << 8 | UInt32(byte)
            }
        }
        for index in 16..<80 {
            words[index] = Self.rotate(
                words[index - 3] ^ words[index - 8] ^ words[index - 14] ^ words[index - 16],
                1,
            )
        }
        var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
        for index in 0..<80 {
            let mix: UInt32
            let constant: UInt32
            switch index {
            case 0..<20: (mix, constant) = (b & c | ~b & d, 0x5A82_7999)
            case 20..<40: (mix, constant) = (b ^ c ^ d, 0x6ED9_EBA1)
            case 40..<60: (mix, constant) = (b & c | b & d | c & d, 0x8F1B_BCDC)
            default: (mix, constant) = (b ^ c ^ d, 0xCA62_C1D6)
            }
            let next = Self.rotate(a, 5) &+ mix &+ e &+ constant &+ words[index]
            (e, d, c, b, a) = (d, c, Self.rotate(b, 30), a, next)
        }
        for (index, value) in [a, b, c, d, e].enumerated() { state[index] &+= value }
    }
}
