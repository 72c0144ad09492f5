// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// What both sides of SPDY prime the compression of header blocks with.
///
/// Source: draft-mbelshe-httpbis-spdy-00, section 2.6.10.1.
enum HeaderDictionary {
    /// Names and values, each behind its length in four bytes.
    private static let words = [
        "options", "head", "post", "put", "delete", "trace", "accept", "accept-charset",
        "accept-encoding", "accept-language", "accept-ranges", "age", "allow", "authorization",
        "cache-control", "connection", "content-base", "content-encoding", "content-language",
        "content-length", "content-location", "content-md5", "content-range", "content-type",
        "date", "etag", "expect", "expires", "from", "host", "if-match", "if-modified-since",
        "if-none-match", "if-range", "if-unmodified-since", "last-modified", "location",
        "max-forwards", "pragma", "proxy-authenticate", "proxy-authorization", "range", "referer",
        "retry-after", "server", "te", "trailer", "transfer-encoding", "upgrade", "user-agent",
        "vary", "via", "warning", "www-authenticate", "method", "get", "status", "200 OK",
        "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin",
    ]
    private static let rest =
        "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
        + "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request"
        + "401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented"
        + "503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, "
        + "Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,"
        + "application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivate"
        + "max-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."

    /// The whole dictionary.
    static let bytes: [UInt8] = {
        var bytes: [UInt8] = []
        for word in Self.words {
            let count = UInt32(word.utf8.count)
            bytes += [
                UInt8(truncatingIfNeeded: count >> 24), UInt8(truncatingIfNeeded: count >> 16),
                UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count),
            ]
            bytes += word.utf8
        }
        return bytes + rest.utf8
    }()

    /// The dictionary as zlib takes it.
    static func withBytes<R>(_ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        self.bytes.withUnsafeBufferPointer(body)
    }
}
