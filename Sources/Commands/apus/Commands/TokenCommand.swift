// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
internal import Flags
internal import JSON
internal import LocalCluster
internal import PKI
internal import Scalars

extension Command {
    /// `apus token`: what machines join with.
    static let token = Command(
        "token",
        summary: "Make, list and delete the tokens that machines join the cluster with",
        discussion: """
            Makes, lists and deletes bootstrap tokens: Secrets of the cluster in kube-system, by
            which a machine that is not part of it yet trusts it, and is let in. Whoever has one
            can add nodes: make it short-lived, and tell it to nobody else.
            """,
        subcommands: [.tokenCreate, .tokenDelete, .tokenGenerate, .tokenList]
    )

    private static let tokenKubeconfig = Flag(
        "kubeconfig",
        default: "",
        help: "`file` that says how to reach the API server; the administrator's of this machine"
    )
    private static let tokenPlace: [any AnyFlag] =
        ClusterFlags.place + [Command.tokenKubeconfig]

    private static let tokenLife = Flag(
        "ttl",
        default: Duration.seconds(86_400),
        help: "the time until the token ends (1s, 2m, 3h); 0 for never"
    )
    private static let tokenUsages = Flag(
        "usages",
        default: JoinTokenRecord.allUsages,
        help: "what the token is for: signing, authentication"
    )
    private static let tokenGroups = Flag(
        "groups",
        default: [JoinTokenRecord.defaultGroup],
        help: "the groups that who has the token belongs to"
    )
    private static let tokenDescription = Flag(
        "description",
        default: "",
        help: "what the token is for, in words"
    )
    private static let printsJoinCommand = Flag(
        "print-join-command",
        default: false,
        help: "print the whole command by which a machine joins, instead of the token"
    )
    private static let tokenFormat = Flag(
        "output",
        shorthand: "o",
        default: "text",
        help: "`text`, or json for programs"
    )

    private static let tokenCreate = Command(
        "create",
        summary: "Make a token in the cluster and print it",
        usage: "[TOKEN] [flags]",
        flags: Command.tokenPlace + [
            Command.tokenLife, Command.tokenUsages, Command.tokenGroups,
            Command.tokenDescription, Command.printsJoinCommand,
        ],
        settings: ClusterSettings.apply
    ) { invocation in
        let flags = invocation.flags
        guard invocation.arguments.count <= 1 else { throw UsageError("expected one token") }
        var token = JoinToken()
        if let text = invocation.arguments.first {
            guard let given = JoinToken(text) else { throw Command.noToken(text) }
            token = given
        }
        let life = flags[Command.tokenLife]
        guard life >= .zero else { throw UsageError("--ttl: a time in the past") }
        let end = Int64(CertificateTime.now().secondsSinceEpoch) + life.components.seconds
        let record = JoinTokenRecord(
            token,
            about: flags[Command.tokenDescription],
            expiration: life == .zero ? nil : Timestamp(seconds: end),
            usages: flags[Command.tokenUsages],
            groups: flags[Command.tokenGroups]
        )
        if let problem = record.problem { throw UsageError(problem) }
        let tokens = try Command.tokens(flags)
        defer { tokens.close() }
        try await tokens.create(record)
        invocation.output.line(
            flags[Command.printsJoinCommand]
                ? try await tokens.joinCommand(token) : token.description
        )
        return .success
    }

    private static let tokenList = Command(
        "list",
        summary: "List the cluster's tokens",
        flags: Command.tokenPlace + [Command.tokenFormat],
        settings: ClusterSettings.apply
    ) { invocation in
        try invocation.expectNoArguments()
        let format = invocation.flags[Command.tokenFormat]
        guard ["text", "json"].contains(format) else {
            throw UsageError("--output: unknown format '\(format)'; there are text and json")
        }
        let tokens = try Command.tokens(invocation.flags)
        defer { tokens.close() }
        let records = try await tokens.list()
        if format == "json" {
            let list = DynamicValue(records.map(\.json))
            invocation.output.line(String(decoding: list.json(), as: UTF8.self))
        } else {
            let now = Timestamp(seconds: CertificateTime.now().secondsSinceEpoch)
            invocation.output.write(JoinTokenRecord.table(records, at: now))
        }
        return .success
    }

    private static let tokenDelete = Command(
        "delete",
        summary: "Delete tokens: nobody joins with them any more",
        usage: "TOKEN... [flags]",
        discussion: "Deletes tokens, which are named whole or by the part before the dot.",
        flags: Command.tokenPlace,
        settings: ClusterSettings.apply
    ) { invocation in
        guard !invocation.arguments.isEmpty else { throw UsageError("expected tokens") }
        let ids = try invocation.arguments.map { text throws(UsageError) in
            guard let id = JoinToken(text)?.id ?? (JoinToken.isID(text) ? text : nil) else {
                throw Command.noToken(text)
            }
            return id
        }
        let tokens = try Command.tokens(invocation.flags)
        defer { tokens.close() }
        for id in ids {
            try await tokens.delete(id)
            invocation.output.line("bootstrap token \"\(id)\" deleted")
        }
        return .success
    }

    private static let tokenGenerate = Command(
        "generate",
        summary: "Print a new token that no cluster knows",
        discussion: """
            Prints a new token and changes nothing: for token create, on whatever machine.
            """
    ) { invocation in
        try invocation.expectNoArguments()
        invocation.output.line(JoinToken().description)
        return .success
    }

    private static func tokens(_ flags: ParsedFlags) throws -> JoinTokens {
        let path = flags[Command.tokenKubeconfig]
        return try JoinTokens(
            kubeconfig: path.isEmpty ? ClusterFlags.layout(flags).kubeconfig("admin") : path
        )
    }

    private static func noToken(_ text: String) -> UsageError {
        UsageError("'\(text)' is no token such as abcdef.0123456789abcdef")
    }
}

extension JoinTokenRecord {
    /// For programs.
    fileprivate var json: DynamicValue {
        func list(_ words: [String]) -> DynamicValue {
            DynamicValue(words.map { DynamicValue($0) })
        }
        var tree: DynamicValue = [
            "token": DynamicValue(self.token.description), "usages": list(self.usages),
            "groups": list(self.groups), "description": DynamicValue(self.about),
        ]
        if let end = self.expiration { tree["expires"] = DynamicValue(end.text(as: .time)) }
        return tree
    }
}
