// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import TLS

/// Certificates that are good for tests only: an authority whose key nobody has, a server for
/// localhost and 127.0.0.1, and a client. Made with openssl, valid for a hundred years.
struct TestCertificates {
    let directory: String

    /// Writes the files to a new directory.
    init() throws {
        var template = Array("/tmp/apus-rpc-certificates-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw Failure(number: errno) }
        self.directory = String(cString: made)
        try self.write("ca.pem", Self.authority)
        try self.write("server.pem", Self.server)
        try self.write("server.key", Self.serverKey)
        try self.write("client.pem", Self.client)
        try self.write("client.key", Self.clientKey)
    }

    /// Removes the files.
    func remove() {
        for name in ["ca.pem", "server.pem", "server.key", "client.pem", "client.key"] {
            unlink(self.path(name))
        }
        rmdir(self.directory)
    }

    func path(_ name: String) -> String { "\(self.directory)/\(name)" }

    /// A server that asks for client certificates and takes those without one, too.
    func serverContext() throws -> TLSContextSource {
        var configuration = TLSServerConfiguration(
            identity: .init(
                certificatePath: self.path("server.pem"),
                privateKeyPath: self.path("server.key")
            )
        )
        configuration.clientAuthorityPath = self.path("ca.pem")
        configuration.clientCertificates = .optional
        return try TLSContextSource(server: configuration)
    }

    func clientContext() throws -> TLSContextSource {
        var configuration = TLSClientConfiguration(authorityPath: self.path("ca.pem"))
        configuration.identity = .init(
            certificatePath: self.path("client.pem"),
            privateKeyPath: self.path("client.key")
        )
        return try TLSContextSource(client: configuration)
    }

    struct Failure: Error { let number: Int32 }

    private func write(_ name: String, _ text: String) throws {
        guard let file = fopen(self.path(name), "w") else { throw Failure(number: errno) }
        defer { fclose(file) }
        fputs(text + "\n", file)
    }

    private static let authority = """
        -----BEGIN CERTIFICATE-----
        MIIBlTCCATugAwIBAgIUTQSZp68aRcsefYR5zh+qeURDQCcwCgYIKoZIzj0EAwIw
        FzEVMBMGA1UEAwwMYXB1cyB0ZXN0IENBMCAXDTI2MTEyMzE3MjM0MVoYDzIxMjYx
        MDMwMTcyMzQxWjAXMRUwEwYDVQQDDAxhcHVzIHRlc3QgQ0EwWTATBgcqhkjOPQIB
        BggqhkjOPQMBBwNCAARedy5jqwGdqzqqLiIBKmTdHL5OpArjTfJFPAkZfhinDzcV
        4lKBTOFKKQNuQ+/JYWAqhJIODOQiF7yV54dPdvMIo2MwYTAdBgNVHQ4EFgQUonaI
        gSTBRQDYQ6S34ULBV/upZ80wHwYDVR0jBBgwFoAUonaIgSTBRQDYQ6S34ULBV/up
        Z80wDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAgQwCgYIKoZIzj0EAwID
        SAAwRQIgMPEYBmBlTbnSEZfEh8u0qwm/D2lsa2EhABkE75MAiOQCIQC7Dj4IARnr
        MDmgoTw6gylrEZaRVmqXcGhM/N6V5ASN7g==
        -----END CERTIFICATE-----
        """

    private static let server = """
        -----BEGIN CERTIFICATE-----
        MIIBoDCCAUWgAwIBAgIUdmTuwWFClTlboEok5EorT3STZpswCgYIKoZIzj0EAwIw
        FzEVMBMGA1UEAwwMYXB1cyB0ZXN0IENBMCAXDTI2MTEyMzE3MjM0MloYDzIxMjYx
        MDMwMTcyMzQyWjARMQ8wDQYDVQQDDAZzZXJ2ZXIwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAAQNOOx9UQ9saPBuG47q34oOMBJkzR1pGbAUswxv7JuVnAG8wGPQ0g/r
        PnkeJgUX/2SvyIoF11wzTBfnljN9YPSyo3MwcTAaBgNVHREEEzARgglsb2NhbGhv
        c3SHBH8AAAEwEwYDVR0lBAwwCgYIKwYBBQUHAwEwHQYDVR0OBBYEFL1y82H1NLxI
        61NqsfVQNYTY8mprMB8GA1UdIwQYMBaAFKJ2iIEkwUUA2EOkt+FCwVf7qWfNMAoG
        CCqGSM49BAMCA0kAMEYCIQCLbib1haP8Tw1j9BXeiGVcpx0oZve5eApp5J5l1Qip
        igIhAKYg789VvVfXbyYuVeu+4eTPiYSmyI3QI3qPLjpBucT4
        -----END CERTIFICATE-----
        """

    private static let serverKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgxiuwh68QRACmDGne
        1vqrsw+a0jfxoLy/oAnBaZklVrKhRANCAAQNOOx9UQ9saPBuG47q34oOMBJkzR1p
        GbAUswxv7JuVnAG8wGPQ0g/rPnkeJgUX/2SvyIoF11wzTBfnljN9YPSy
        -----END PRIVATE KEY-----
        """

    private static let client = """
        -----BEGIN CERTIFICATE-----
        MIIBgzCCASmgAwIBAgIUdmTuwWFClTlboEok5EorT3STZpwwCgYIKoZIzj0EAwIw
        FzEVMBMGA1UEAwwMYXB1cyB0ZXN0IENBMCAXDTI2MTEyMzE3MjM0MloYDzIxMjYx
        MDMwMTcyMzQyWjARMQ8wDQYDVQQDDAZjbGllbnQwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAATCSZSt4q4QK2qUVHsR/LWFKeVg9qG24Fp6am1LBlwnFNfzFJ518BZS
        m3A/e0lEqQ1YMPMAF4GG6ZIywOlwJrzOo1cwVTATBgNVHSUEDDAKBggrBgEFBQcD
        AjAdBgNVHQ4EFgQUv/9E6/kdpDpvRD8NaAUaz0QecmIwHwYDVR0jBBgwFoAUonaI
        gSTBRQDYQ6S34ULBV/upZ80wCgYIKoZIzj0EAwIDSAAwRQIhAPmuY7loBFvJgn8L
        1/7CWEflSyRul2xoPNkAolYp4vBLAiA4oH0qrWwm2bH/YzWNXXw2oXfkIn5ol3q4
        iMU7SMpzeA==
        -----END CERTIFICATE-----
        """

    private static let clientKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgbqcsJAwwDt/WwB7b
        PF/Dt5Uv4vsx7NRLyRmVS/TiT62hRANCAATCSZSt4q4QK2qUVHsR/LWFKeVg9qG2
        4Fp6am1LBlwnFNfzFJ518BZSm3A/e0lEqQ1YMPMAF4GG6ZIywOlwJrzO
        -----END PRIVATE KEY-----
        """
}
