// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Why a key, a certificate, a request or a file of them could not be read, made or written.
///
/// Whether a well-formed certificate is to be trusted is another question; see
/// ``VerificationError``.
public enum PKIError: Error, Hashable, Sendable {
    /// The PEM text is broken at this offset (in bytes from its start).
    case malformedPEM(PEM.Problem, offset: Int)
    /// The PEM text is well formed and holds no block that is wanted; these are its labels.
    case missingPEMBlock(wanted: String, found: [String])
    /// The input is larger than the named limit allows.
    case tooLarge(bytes: Int, limit: Int)
    /// The DER of a certificate is broken or uses what this implementation does not know.
    case malformedCertificate(String)
    /// The DER of a certification request is broken.
    case malformedRequest(String)
    /// The DER of a private or public key is broken.
    case malformedKey(String)
    /// The key is of a kind that is not supported, or encrypted.
    case unsupportedKey(String)
    /// A certificate or request cannot be made from what was given.
    case invalidTemplate(String)
    /// A request's signature was not made with the key inside the request.
    case invalidRequestSignature
    /// The private key is not the one of the certificate.
    case keyDoesNotMatch
    /// The certificate given as a CA's is not one.
    case notAuthority(subject: String)
    /// The CA's certificate is over or not yet valid, so that it cannot issue.
    case authorityNotValid(subject: String)
    /// The CA has to issue a certificate and its private key is not there.
    case authorityKeyMissing(path: String)
    /// A file could not be read or written.
    case file(FileError)

    /// A system call that failed.
    public struct FileError: Error, Hashable, Sendable {
        /// The call, such as `open`.
        public var operation: String
        /// The file or folder it was for.
        public var path: String
        /// The value of `errno`.
        public var errno: Int32

        package init(operation: String, path: String, errno: Int32) {
            self.operation = operation
            self.path = path
            self.errno = errno
        }
    }
}

// MARK: - Text

extension PKIError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .malformedPEM(let problem, let offset):
            "malformed PEM at byte \(offset): \(problem)"
        case .missingPEMBlock(let wanted, let found):
            "no \(wanted) in PEM"
                + (found.isEmpty ? "" : ", only: \(found.joined(separator: ", "))")
        case .tooLarge(let bytes, let limit):
            "\(bytes) bytes are more than the \(limit) allowed"
        case .malformedCertificate(let reason):
            "malformed certificate: \(reason)"
        case .malformedRequest(let reason):
            "malformed certificate request: \(reason)"
        case .malformedKey(let reason):
            "malformed key: \(reason)"
        case .unsupportedKey(let reason):
            "unsupported key: \(reason)"
        case .invalidTemplate(let reason):
            "cannot make a certificate: \(reason)"
        case .invalidRequestSignature:
            "the request is not signed with its own key"
        case .keyDoesNotMatch:
            "the private key does not belong to the certificate"
        case .notAuthority(let subject):
            "not a CA certificate: \(subject)"
        case .authorityNotValid(let subject):
            "the CA certificate is not valid at this time: \(subject)"
        case .authorityKeyMissing(let path):
            "the CA's private key is missing: \(path)"
        case .file(let error):
            error.description
        }
    }
}

extension PKIError.FileError: CustomStringConvertible {
    public var description: String {
        "\(self.path): \(self.operation): \(systemErrorText(self.errno))"
    }
}
