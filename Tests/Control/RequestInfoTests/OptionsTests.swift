// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NameRules
import RequestInfo
import Selectors
import Testing

@Suite("List options") struct ListOptionsTests {
    @Test("are read")
    func reading() throws {
        let options = try ListOptions(
            parsing: QueryParameters(
                parsing: "labelSelector=a%3Db&fieldSelector=c%3Dd&watch=1&allowWatchBookmarks=true"
                    + "&resourceVersion=7&resourceVersionMatch=Exact&timeoutSeconds=30&limit=500"
                    + "&continue=tok&sendInitialEvents=false&shardSelector=s&pretty=true"
            )
        )
        #expect(options.labelSelector.description == "a=b")
        #expect(options.fieldSelector.description == "c=d")
        #expect(options.watch)
        #expect(options.allowWatchBookmarks)
        #expect(options.resourceVersion == "7")
        #expect(options.resourceVersionMatch == "Exact")
        #expect(options.timeoutSeconds == 30)
        #expect(options.limit == 500)
        #expect(options.continueToken == "tok")
        #expect(options.sendInitialEvents == false)
        #expect(options.shardSelector == "s")
        #expect(!options.isWatchList)
        #expect(try ListOptions(parsing: QueryParameters()) == ListOptions())
    }

    @Test(
        "that cannot be read are a bad request",
        arguments: [
            ("limit=x", "strconv.ParseInt: parsing \"x\": invalid syntax"),
            ("limit=", "strconv.ParseInt: parsing \"\": invalid syntax"),
            ("timeoutSeconds=1.5", "strconv.ParseInt: parsing \"1.5\": invalid syntax"),
            (
                "limit=99999999999999999999",
                "strconv.ParseInt: parsing \"99999999999999999999\": value out of range"
            ),
            ("labelSelector=a+b", "found 'b', expected: in, notin, =, ==, !=, gt, lt"),
            (
                "fieldSelector=a",
                "invalid selector: 'a'; can't understand 'a'"
            ),
            // The first fault in the order of the fields is told.
            (
                "fieldSelector=a&timeoutSeconds=y&limit=x",
                "strconv.ParseInt: parsing \"y\": invalid syntax"
            ),
        ]
    )
    func badRequests(_ query: String, _ message: String) {
        let error = #expect(throws: ParameterError.self) {
            try ListOptions.checked(QueryParameters(parsing: query))
        }
        #expect(error?.code == 400)
        let text = error?.message ?? ""
        #expect(text == message || text == "unable to parse requirement: " + message)
    }

    private static let needsVersion =
        "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion "
        + "is provided"
    private static let noContinue =
        "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is "
        + "provided"
    private static let needsMatch =
        "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch "
        + "to NotOlderThan"
    private static let needsInitial =
        "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless "
        + "sendInitialEvents is provided"
    private static let onlyNotOlder =
        "resourceVersionMatch: Unsupported value: \"Exact\": supported values: \"NotOlderThan\""

    @Test(
        "are validated",
        arguments: [
            ("", []), ("resourceVersion=1", []), ("resourceVersion=abc", []),
            ("resourceVersion=1&resourceVersionMatch=Exact", []),
            ("resourceVersion=1&resourceVersionMatch=NotOlderThan", []),
            ("resourceVersion=0&resourceVersionMatch=NotOlderThan", []),
            ("resourceVersionMatch=Exact", [needsVersion]),
            ("resourceVersionMatch=NotOlderThan", [needsVersion]),
            (
                "resourceVersion=0&resourceVersionMatch=Exact",
                [
                    "resourceVersionMatch: Forbidden: resourceVersionMatch \"exact\" is forbidden "
                        + "for resourceVersion \"0\""
                ]
            ),
            (
                "resourceVersion=1&resourceVersionMatch=Foo",
                [
                    "resourceVersionMatch: Unsupported value: \"Foo\": supported values: "
                        + "\"Exact\", \"NotOlderThan\", \"\""
                ]
            ),
            ("resourceVersion=1&resourceVersionMatch=Exact&continue=a", [noContinue]),
            ("continue=a", []), ("continue=a&limit=5", []),
            (
                "sendInitialEvents=true",
                ["sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"]
            ),
            (
                "sendInitialEvents=false",
                ["sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"]
            ),
            ("watch=1", []), ("watch=1&resourceVersion=5", []),
            ("watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan", []),
            ("watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan", []),
            ("watch=1&sendInitialEvents=true", [needsMatch]),
            ("watch=1&sendInitialEvents=false", [needsMatch]),
            (
                "watch=1&sendInitialEvents=true&resourceVersionMatch=Exact",
                [needsMatch, onlyNotOlder]
            ),
            ("watch=1&resourceVersionMatch=NotOlderThan", [needsInitial]),
            ("watch=1&resourceVersionMatch=Exact", [needsInitial, onlyNotOlder]),
            (
                "watch=1&sendInitialEvents=1&resourceVersionMatch=NotOlderThan&continue=a",
                [noContinue]
            ),
            ("watch=1&continue=a&resourceVersion=5", []),
        ] as [(String, [String])]
    )
    func validation(_ query: String, _ expected: [String]) throws {
        do throws(ParameterError) {
            var options = try ListOptions(parsing: Self.parameters(query))
            try options.check()
            #expect(expected.isEmpty)
        } catch {
            guard case .invalid("ListOptions", let errors) = error else {
                Issue.record("\(error.message)")
                return
            }
            #expect(errors.list.map(\.description) == expected)
            #expect(error.code == 422)
            #expect(error.reason == "Invalid")
            #expect(
                error.message == "ListOptions.meta.k8s.io \"\" is invalid: " + errors.aggregate
            )
        }
    }

    private static func parameters(_ text: String) -> QueryParameters {
        (try? QueryParameters(parsing: text)) ?? QueryParameters()
    }

    @Test(
        "ask for the initial state where it was always sent",
        arguments: [
            ("watch=1", true, "NotOlderThan"), ("watch=1&resourceVersion=0", true, "NotOlderThan"),
            ("watch=1&resourceVersion=5", nil, ""), ("", nil, ""), ("resourceVersion=0", nil, ""),
            ("watch=1&sendInitialEvents=false", false, ""),
            ("watch=1&resourceVersionMatch=Exact", nil, "Exact"),
        ] as [(String, Bool?, String)]
    )
    func defaults(_ query: String, _ initial: Bool?, _ match: String) throws {
        var options = try ListOptions(parsing: Self.parameters(query))
        options.applyDefaults()
        #expect(options.sendInitialEvents == initial)
        #expect(options.resourceVersionMatch == match)
    }

    @Test("are restricted to a name")
    func names() throws {
        var options = ListOptions()
        try options.restrict(toName: "a")
        #expect(options.fieldSelector.description == "metadata.name=a")
        try options.restrict(toName: "a")
        let error = #expect(throws: ParameterError.self) { try options.restrict(toName: "b") }
        #expect(error?.message == "fieldSelector metadata.name doesn't match requested name")
        var other = try ListOptions(parsing: Self.parameters("fieldSelector=x%3Dy"))
        #expect(throws: ParameterError.self) { try other.restrict(toName: "b") }
    }

    @Test(
        "have a resource version",
        arguments: [
            ("", 0, nil), ("0", 0, nil), ("5", 5, nil), ("007", 7, nil),
            ("18446744073709551615", .max, nil),
            ("abc", 0, "strconv.ParseUint: parsing \"abc\": invalid syntax"),
            ("-1", 0, "strconv.ParseUint: parsing \"-1\": invalid syntax"),
            ("+1", 0, "strconv.ParseUint: parsing \"+1\": invalid syntax"),
            (
                "18446744073709551616", 0,
                "strconv.ParseUint: parsing \"18446744073709551616\": value out of range"
            ),
        ] as [(String, UInt64, String?)]
    )
    func resourceVersions(_ text: String, _ value: UInt64, _ fault: String?) {
        do throws(FieldError) {
            #expect(try ResourceVersion.parse(text) == value)
            #expect(fault == nil)
        } catch {
            #expect(
                ResourceVersion.message(error)
                    == "invalid resource version: resourceVersion: Invalid value: \"\(text)\": "
                    + (fault ?? "")
            )
        }
    }
}

@Suite("Other options") struct OtherOptionsTests {
    private func query(_ text: String) throws -> QueryParameters {
        try QueryParameters(parsing: text)
    }

    @Test(
        "of get",
        arguments: [
            ("", "", nil), ("resourceVersion=5", "5", nil), ("export=false", "", nil),
            ("export=0&resourceVersion=1", "1", nil),
            (
                "export=true", "",
                "the export parameter, deprecated since v1.14, is no longer supported"
            ),
            ("export", "", "the export parameter, deprecated since v1.14, is no longer supported"),
        ] as [(String, String, String?)]
    )
    func get(_ text: String, _ version: String, _ message: String?) throws {
        let query = try self.query(text)
        do throws(ParameterError) {
            #expect(try GetOptions(parsing: query).resourceVersion == version)
            #expect(message == nil)
        } catch {
            #expect(error.message == message)
            #expect(error.code == 400)
        }
    }

    @Test(
        "of create and update",
        arguments: [
            ("", []), ("dryRun=All", []), ("fieldManager=kubectl&fieldValidation=Strict", []),
            ("fieldValidation=", []),
            ("dryRun=Foo", ["dryRun: Unsupported value: [\"Foo\"]: supported values: \"All\""]),
            ("dryRun=", ["dryRun: Unsupported value: [\"\"]: supported values: \"All\""]),
            (
                "dryRun=All&dryRun=x",
                ["dryRun: Unsupported value: [\"All\",\"x\"]: supported values: \"All\""]
            ),
            (
                "fieldValidation=strict",
                [
                    "fieldValidation: Unsupported value: \"strict\": supported values: \"\", "
                        + "\"Ignore\", \"Strict\", \"Warn\""
                ]
            ),
            (
                "fieldManager=a%0A",
                [
                    "fieldManager: Invalid value: \"a\\n\": invalid character U+000A (at position "
                        + "1)"
                ]
            ),
            (
                "fieldManager=%00&dryRun=x",
                [
                    "fieldManager: Invalid value: \"\\x00\": invalid character U+0000 (at "
                        + "position 0)",
                    "dryRun: Unsupported value: [\"x\"]: supported values: \"All\"",
                ]
            ),
        ] as [(String, [String])]
    )
    func write(_ text: String, _ expected: [String]) throws {
        let query = try self.query(text)
        for kind in ["CreateOptions", "UpdateOptions"] {
            do throws(ParameterError) {
                let options = try WriteOptions(parsing: query, kind: kind)
                #expect(expected.isEmpty)
                #expect(options.isDryRun == text.contains("dryRun"))
                #expect(options.fieldManager == query.string("fieldManager"))
            } catch {
                let list =
                    expected.count == 1 ? expected[0] : "[\(expected.joined(separator: ", "))]"
                #expect(error.message == "\(kind).meta.k8s.io \"\" is invalid: \(list)")
            }
        }
    }

    @Test("of create know how to treat unknown fields")
    func fieldValidation() throws {
        for validation in FieldValidation.allCases {
            let query = try self.query("fieldValidation=\(validation.rawValue)")
            let options = try WriteOptions(parsing: query, kind: "CreateOptions")
            #expect(options.fieldValidation == validation)
        }
        #expect(WriteOptions().fieldValidation == .warn)
    }

    @Test(
        "of patch",
        arguments: [
            ("", false, nil),
            (
                "force=true", false,
                "force: Forbidden: may not be specified for "
                    + "non-apply patch"
            ),
            ("fieldManager=a", true, nil), ("fieldManager=a&force=true", true, nil),
            ("", true, "fieldManager: Required value: is required for apply patch"),
            ("force=1", true, "fieldManager: Required value: is required for apply patch"),
            (
                "dryRun=x&force=1", false,
                "[force: Forbidden: may not be specified for non-apply patch, dryRun: Unsupported "
                    + "value: [\"x\"]: supported values: \"All\"]"
            ),
        ] as [(String, Bool, String?)]
    )
    func patch(_ text: String, _ isApply: Bool, _ message: String?) throws {
        let query = try self.query(text)
        do throws(ParameterError) {
            let options = try PatchOptions(parsing: query, isApply: isApply)
            #expect(message == nil)
            #expect(options.force == query.bool("force"))
        } catch {
            #expect(
                error.message == "PatchOptions.meta.k8s.io \"\" is invalid: \(message ?? "")"
            )
        }
    }

    @Test(
        "of delete",
        arguments: [
            ("", nil), ("gracePeriodSeconds=0&propagationPolicy=Foreground", nil),
            ("propagationPolicy=Background", nil), ("propagationPolicy=Orphan&dryRun=All", nil),
            ("orphanDependents=true", nil), ("uid=a&resourceVersion=5", nil),
            ("gracePeriodSeconds=x", "strconv.ParseInt: parsing \"x\": invalid syntax"),
            (
                "propagationPolicy=foo",
                "propagationPolicy: Unsupported value: \"foo\": supported values: \"Foreground\", "
                    + "\"Background\", \"Orphan\", \"nil\""
            ),
            (
                "propagationPolicy=Orphan&orphanDependents=false",
                "propagationPolicy: Invalid value: \"Orphan\": orphanDependents and "
                    + "deletionPropagation cannot be both set"
            ),
            ("dryRun=x", "dryRun: Unsupported value: [\"x\"]: supported values: \"All\""),
            (
                "propagationPolicy=",
                "propagationPolicy: Unsupported value: \"\": supported values: \"Foreground\", "
                    + "\"Background\", \"Orphan\", \"nil\""
            ),
        ] as [(String, String?)]
    )
    func delete(_ text: String, _ message: String?) throws {
        let query = try self.query(text)
        do throws(ParameterError) {
            let options = try DeleteOptions(parsing: query)
            try options.check()
            #expect(message == nil)
            #expect(options.preconditionUID == query.first("uid"))
            #expect(options.preconditionResourceVersion == query.first("resourceVersion"))
            #expect(options.isDryRun == text.contains("dryRun"))
            #expect(options.orphanDependents == query.bool("orphanDependents"))
        } catch {
            let prefix = error.code == 422 ? "DeleteOptions.meta.k8s.io \"\" is invalid: " : ""
            #expect(error.message == prefix + (message ?? ""))
        }
    }

    @Test(
        "of tables",
        arguments: [
            ("", .metadata, nil), ("includeObject=", .metadata, nil),
            ("includeObject=Object", .object, nil), ("includeObject=None", .none, nil),
            (
                "includeObject=all", .none,
                "Unable to convert to Table as requested: includeObject: Invalid value: \"all\": "
                    + "must be 'Metadata', 'Object', 'None', or empty"
            ),
        ] as [(String, TableOptions.IncludeObject, String?)]
    )
    func table(_ text: String, _ include: TableOptions.IncludeObject, _ message: String?) throws {
        let query = try self.query(text)
        do throws(ParameterError) {
            #expect(try TableOptions(parsing: query).includeObject == include)
            #expect(message == nil)
        } catch {
            #expect(error.message == message)
        }
    }

    @Test(
        "of time",
        arguments: [
            ("", .seconds(60), nil), ("timeout=10s", .seconds(10), nil),
            ("timeout=2m", .seconds(60), nil), ("timeout=0s", .seconds(60), nil),
            ("timeout=-1s", .seconds(60), nil), ("timeout=500ms", .milliseconds(500), nil),
            (
                "timeout=x", .zero,
                "invalid timeout specified in the request URL - time: invalid duration \"x\""
            ),
            (
                "timeout=10", .zero,
                "invalid timeout specified in the request URL - time: missing unit in duration "
                    + "\"10\""
            ),
        ] as [(String, Duration, String?)]
    )
    func timeouts(_ text: String, _ expected: Duration, _ message: String?) throws {
        let query = try self.query(text)
        do throws(ParameterError) {
            #expect(try RequestTimeout.limit(query, maximum: .seconds(60)) == expected)
            #expect(message == nil)
        } catch {
            #expect(error.message == message)
        }
    }
}
