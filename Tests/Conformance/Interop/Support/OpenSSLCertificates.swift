// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Foundation
import Testing

/// An authority, a server for 127.0.0.1 and a client, made by openssl in a directory of their own.
struct OpenSSLCertificates {
    private let directory: TemporaryDirectory

    init() throws {
        self.directory = try TemporaryDirectory()
        let script = """
            set -e
            cd "\(self.directory.path)"
            key() { openssl ecparam -name prime256v1 -genkey -noout |
                openssl pkcs8 -topk8 -nocrypt -out $1; }
            key ca.key
            openssl req -x509 -new -key ca.key -days 30 -subj /CN=test -out ca.pem
            for name in server client; do
                key $name.key
                openssl req -new -key $name.key -subj /CN=$name -out $name.csr
                usage=extendedKeyUsage=serverAuth,clientAuth
                printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\\n%s\\n' $usage > ext
                openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial \
                    -days 30 -extfile ext -out $name.pem
            done
            """
        try #require(Program.succeeds("sh", ["-c", script]), "openssl failed")
    }

    func path(_ name: String) -> String { "\(self.directory.path)/\(name)" }

    func remove() { self.directory.remove() }
}

/// A port of 127.0.0.1 that nobody used a moment ago.
func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
            bind(descriptor, pointer, length) == 0 && getsockname(descriptor, pointer, &length) == 0
        }
    }
    try #require(result, "no free port")
    return Int(UInt16(bigEndian: address.sin_port))
}
