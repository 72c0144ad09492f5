// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CZlib

/// Headers of SPDY/3: names and values behind their lengths, compressed by one zlib stream for the
/// whole connection, which begins with a dictionary that both sides know.
///
/// Source: SPDY protocol draft 3.1, section 2.6.10.
final class HeaderCompression {
    private var deflater = z_stream()
    private var inflater = z_stream()
    private var isInflaterOpen = false
    private var isDeflaterOpen = false

    /// The most bytes of headers of one frame after decompression.
    static let maximumBytes = 64 << 10

    init() throws(SPDYError) {
        let size = Int32(MemoryLayout<z_stream>.size)
        guard deflateInit_(&self.deflater, Z_BEST_SPEED, ZLIB_VERSION, size) == Z_OK else {
            throw .badHeaders
        }
        self.isDeflaterOpen = true
        guard inflateInit_(&self.inflater, ZLIB_VERSION, size) == Z_OK else { throw .badHeaders }
        self.isInflaterOpen = true
        let dictionary = Self.dictionary
        guard
            deflateSetDictionary(&self.deflater, dictionary, UInt32(dictionary.count)) == Z_OK
        else { throw .badHeaders }
    }

    deinit {
        if self.isDeflaterOpen { deflateEnd(&self.deflater) }
        if self.isInflaterOpen { inflateEnd(&self.inflater) }
    }

    // MARK: - Writing

    func compress(_ headers: [(String, String)]) throws(SPDYError) -> [UInt8] {
        var block: [UInt8] = []
        Self.append(headers.count, to: &block)
        for (name, value) in headers {
            Self.append(name.utf8.count, to: &block)
            block += Array(name.utf8)
            Self.append(value.utf8.count, to: &block)
            block += Array(value.utf8)
        }
        var out = [UInt8](repeating: 0, count: block.count + 256)
        let written = block.withUnsafeMutableBufferPointer { input in
            out.withUnsafeMutableBufferPointer { output -> Int? in
                self.deflater.next_in = input.baseAddress
                self.deflater.avail_in = UInt32(input.count)
                self.deflater.next_out = output.baseAddress
                self.deflater.avail_out = UInt32(output.count)
                guard deflate(&self.deflater, Z_SYNC_FLUSH) == Z_OK, self.deflater.avail_in == 0
                else { return nil }
                return output.count - Int(self.deflater.avail_out)
            }
        }
        guard let written, written < out.count else { throw .badHeaders }
        return Array(out[..<written])
    }

    private static func append(_ count: Int, to bytes: inout [UInt8]) {
        for shift in stride(from: 24, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: count >> shift))
        }
    }

    // MARK: - Reading

    func decompress(_ bytes: ArraySlice<UInt8>) throws(SPDYError) -> [(String, String)] {
        var input = Array(bytes)
        var out = [UInt8](repeating: 0, count: Self.maximumBytes)
        let dictionary = Self.dictionary
        let written = input.withUnsafeMutableBufferPointer { input in
            out.withUnsafeMutableBufferPointer { output -> Int? in
                self.inflater.next_in = input.baseAddress
                self.inflater.avail_in = UInt32(input.count)
                self.inflater.next_out = output.baseAddress
                self.inflater.avail_out = UInt32(output.count)
                var result = inflate(&self.inflater, Z_SYNC_FLUSH)
                if result == Z_NEED_DICT {
                    guard
                        inflateSetDictionary(
                            &self.inflater,
                            dictionary,
                            UInt32(dictionary.count)
                        ) == Z_OK
                    else { return nil }
                    result = inflate(&self.inflater, Z_SYNC_FLUSH)
                }
                guard result == Z_OK || result == Z_BUF_ERROR, self.inflater.avail_in == 0,
                    self.inflater.avail_out > 0
                else { return nil }
                return output.count - Int(self.inflater.avail_out)
            }
        }
        guard let written else { throw .badHeaders }
        return try Self.parse(out[..<written])
    }

    private static func parse(_ bytes: ArraySlice<UInt8>) throws(SPDYError) -> [(String, String)] {
        var rest = bytes
        func number() throws(SPDYError) -> Int {
            guard rest.count >= 4 else { throw .badHeaders }
            let value = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            return value
        }
        func text() throws(SPDYError) -> String {
            let count = try number()
            guard count <= rest.count else { throw .badHeaders }
            defer { rest = rest.dropFirst(count) }
            return String(decoding: rest.prefix(count), as: UTF8.self)
        }
        let count = try number()
        guard count <= 256 else { throw .badHeaders }
        var headers: [(String, String)] = []
        for _ in 0..<count { headers.append((try text(), try text())) }
        return headers
    }

    /// The dictionary (section 2.6.10.1).
    private static let dictionary: [UInt8] = {
        let names =
            "options head post put delete trace accept accept-charset accept-encoding "
            + "accept-language accept-ranges age allow authorization cache-control connection "
            + "content-base content-encoding content-language content-length content-location "
            + "content-md5 content-range content-type date etag expect expires from host if-match "
            + "if-modified-since if-none-match if-range if-unmodified-since last-modified location "
            + "max-forwards pragma proxy-authenticate proxy-authorization range referer "
            + "retry-after server te trailer transfer-encoding upgrade user-agent vary via warning "
            + "www-authenticate method get status"
        let values = [
            "200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin",
        ]
        var bytes: [UInt8] = []
        for word in names.split(separator: " ").map(String.init) + values {
            HeaderCompression.append(word.utf8.count, to: &bytes)
            bytes += Array(word.utf8)
        }
        let tail =
            "1001012012022052063003023033043053063074024054064074084094104114124134144154164175025"
            + "04505203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad "
            + "Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not "
            + "Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec "
            + "00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,"
            + "image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,"
            + "publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
        return bytes + Array(tail.utf8)
    }()
}
