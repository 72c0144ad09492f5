// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Flags
import Testing

@Suite("FlagSetting")
struct FlagSettingTests {
    static let place = Flag("data-dir", default: "/default", help: "where")
    static let offset = Flag("port-offset", default: 0, help: "ports")
    static let names = Flag("names", default: [String](), help: "names")
    static let set = FlagSet([place, offset, names])

    private func filled(
        _ line: [String],
        _ settings: [FlagSetting]
    ) throws -> ParsedFlags {
        try Self.set.filling(Self.set.parse(line), from: settings)
    }

    @Test("a setting holds where the command line says nothing")
    func fills() throws {
        let flags = try self.filled(
            ["--port-offset=5"],
            [
                FlagSetting("data-dir", ["/other"], source: "environment"),
                FlagSetting("port-offset", ["7"], source: "environment"),
                FlagSetting("names", ["a", "b,c"], source: "file"),
            ]
        )
        #expect(flags[Self.place] == "/other")
        #expect(flags[Self.offset] == 5)
        #expect(flags[Self.names] == ["a", "b", "c"])
        #expect(flags.isSet(Self.place))
    }

    @Test("the settings that come first win")
    func precedence() throws {
        let first = try self.filled([], [FlagSetting("port-offset", ["1"], source: "environment")])
        let second = try Self.set.filling(
            first,
            from: [FlagSetting("port-offset", ["2"], source: "file")]
        )
        #expect(second[Self.offset] == 1)
    }

    @Test(
        "an error names where the setting stands",
        arguments: [
            (
                FlagSetting("port-offset", ["many"], source: "variable X"),
                "variable X: invalid argument \"many\" for \"--port-offset\" flag: expected int"
            ),
            (FlagSetting("nothing", ["1"], source: "file"), "file: unknown flag: --nothing"),
        ]
    )
    func refuses(setting: FlagSetting, text: String) {
        #expect {
            try self.filled([], [setting])
        } throws: {
            "\($0)" == text
        }
    }
}
