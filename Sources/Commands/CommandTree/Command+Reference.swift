// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Flags

extension Command {
    /// This command and all below it as a page in Markdown: what each does, and its flags.
    public var reference: String {
        var text = ""
        self.appendReference(path: self.name, depth: 1, to: &text)
        return text
    }

    /// The deepest heading.
    private static let deepestHeading = 4

    private func appendReference(path: String, depth: Int, to text: inout String) {
        let heading = String(repeating: "#", count: min(depth, Self.deepestHeading))
        text += "\(heading) \(path)\n\n"
        text += "\(self.discussion.isEmpty ? self.summary : self.discussion)\n\n"
        text += "```\n\(path) \(self.usage)\n"
        let flags = self.flags.help
        text += (flags.isEmpty ? "" : "\n\(flags)") + "```\n"
        for command in self.subcommands where !command.isHidden {
            text += "\n"
            command.appendReference(path: "\(path) \(command.name)", depth: depth + 1, to: &text)
        }
    }
}
