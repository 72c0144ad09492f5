// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
public import ObjectModel

/// The tokens of `--token-auth-file`: lines of token, user, uid and, in quotes, groups.
///
/// Source: apiserver `pkg/authentication/token/tokenfile/tokenfile.go`.
public struct TokenFileAuthenticator: Authenticator {
    private let users: [String: UserInfo]

    /// A line that is not understood.
    public struct Malformed: Error, Sendable, Equatable, CustomStringConvertible {
        /// Counted from 1.
        public let line: Int
        public let description: String
    }

    public init(parsing text: String) throws(Malformed) {
        var users: [String: UserInfo] = [:]
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() where !line.isEmpty {
            guard let fields = Self.fields(of: line) else {
                throw Malformed(line: index + 1, description: "line \(index + 1): bare quote")
            }
            guard fields.count >= 3 else {
                throw Malformed(
                    line: index + 1,
                    description: "line \(index + 1): token file must have at least 3 columns "
                        + "(token, user name, user uid), found \(fields.count)"
                )
            }
            if fields[0].isEmpty { continue }
            let groups = fields.count > 3 ? fields[3] : ""
            users[fields[0]] = UserInfo(
                name: fields[1],
                uid: fields[2],
                groups: groups.split(separator: ",").map(Self.trimmed)
            )
        }
        self.users = users
    }

    /// The fields of a line of comma-separated values; nil when a quote is not closed.
    private static func fields(of line: Substring) -> [String]? {
        var fields: [String] = []
        var field = ""
        var isQuoted = false
        var characters = line[...]
        while let character = characters.popFirst() {
            switch character {
            case "\"" where isQuoted && characters.first == "\"":
                field.append("\"")
                characters.removeFirst()
            case "\"": isQuoted.toggle()
            case "," where !isQuoted:
                fields.append(self.trimmed(field[...]))
                field = ""
            default: field.append(character)
            }
        }
        fields.append(self.trimmed(field[...]))
        return isQuoted ? nil : fields
    }

    private static func trimmed(_ text: Substring) -> String {
        let start = text.drop { $0 == " " || $0 == "\t" }
        guard let end = start.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
        return String(start[...end])
    }

    public func authenticate(
        _ request: AuthenticationRequest
    ) async throws(StatusError) -> AuthenticatedUser? {
        guard let token = request.bearerToken else { return nil }
        return self.users[token].map { AuthenticatedUser($0) }
    }
}
