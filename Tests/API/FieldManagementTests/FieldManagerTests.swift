// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import FieldManagement
import JSON
import KubernetesAPI
import ObjectModel
import Scalars
import Testing

@Suite("FieldManager")
struct FieldManagerTests {
    static let now = Timestamp(seconds: 1_700_000_000)

    func tree(_ json: String) throws -> DynamicValue { try DynamicValue(json: Array(json.utf8)) }

    /// A Deployment with some fields.
    func deployment(_ metadata: String, _ spec: String) throws -> DynamicValue {
        let more = metadata.isEmpty ? "" : "," + metadata
        return try self.tree(
            #"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"\#(more)},"spec":{\#(spec)}}"#
        )
    }

    func apply(
        _ applied: DynamicValue,
        to live: DynamicValue?,
        by manager: String,
        force: Bool = false,
        at now: Timestamp = Self.now
    ) throws(ApplyError) -> DynamicValue {
        try FieldManager.apply(
            live: live,
            applied: applied,
            schema: AppsV1.Deployment.schema,
            manager: manager,
            apiVersion: "apps/v1",
            force: force,
            now: now
        )
    }

    func owned(_ object: DynamicValue, _ manager: String) -> DynamicValue? {
        object["metadata"]?["managedFields"]?.items.first { $0["manager"]?.string == manager }?[
            "fieldsV1"
        ]
    }

    static let container = #"{"name":"c","image":"i","ports":[{"containerPort":80}]}"#
    static let base =
        #""replicas":1,"selector":{"matchLabels":{"app":"a"}},"template":{"metadata":{"labels":{"app":"a"}},"spec":{"containers":[\#(container)]}}"#

    @Test("owns what it applies")
    func create() throws {
        let object = try self.apply(
            self.deployment(#""labels":{"x":"1"}"#, Self.base),
            to: nil,
            by: "me"
        )
        #expect(
            try self.owned(object, "me")
                == self.tree(
                    #"{"f:metadata":{"f:labels":{"f:x":{}}},"f:spec":{"f:replicas":{},"f:selector":{},"f:template":{"f:metadata":{"f:labels":{"f:app":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},"f:image":{},"f:name":{},"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}}}}}}}}"#
                )
        )
        let entry = object["metadata"]?["managedFields"]?[0]
        #expect(entry?["operation"]?.string == "Apply")
        #expect(entry?["apiVersion"]?.string == "apps/v1")
        #expect(entry?["fieldsType"]?.string == "FieldsV1")
        #expect(entry?["time"]?.string == "2023-11-14T22:13:20Z")
    }

    @Test("conflicts with another owner, takes over by force")
    func conflict() throws {
        let first = try self.apply(self.deployment("", Self.base), to: nil, by: "me")
        let change = try self.deployment("", #""replicas":3"#)
        #expect(
            throws: ApplyError.conflicts([.init(manager: "\"me\"", path: ".spec.replicas")])
        ) {
            try self.apply(change, to: first, by: "you")
        }
        let forced = try self.apply(change, to: first, by: "you", force: true)
        #expect(forced["spec"]?["replicas"] == 3)
        #expect(self.owned(forced, "me")?["f:spec"]?["f:replicas"] == nil)
        #expect(self.owned(forced, "you")?["f:spec"]?["f:replicas"] != nil)
    }

    @Test("shares a field that both give the same value")
    func shared() throws {
        let first = try self.apply(self.deployment("", Self.base), to: nil, by: "me")
        let same = try self.deployment("", #""replicas":1"#)
        let second = try self.apply(same, to: first, by: "you")
        #expect(self.owned(second, "me")?["f:spec"]?["f:replicas"] != nil)
        #expect(self.owned(second, "you")?["f:spec"]?["f:replicas"] != nil)
        // Leaving it to the other does not remove it.
        let none = try self.deployment("", "")
        let third = try self.apply(none, to: second, by: "you")
        #expect(third["spec"]?["replicas"] == 1)
        #expect(try self.owned(third, "you") == self.tree(#"{"f:spec":{}}"#))
    }

    @Test("removes what is no longer applied")
    func removal() throws {
        let first = try self.apply(
            self.deployment(#""labels":{"x":"1","y":"2"}"#, Self.base),
            to: nil,
            by: "me"
        )
        let second = try self.apply(
            self.deployment(#""labels":{"y":"2"}"#, Self.base),
            to: first,
            by: "me"
        )
        #expect(second["metadata"]?["labels"] == ["y": "2"])
        let third = try self.apply(self.deployment("", Self.base), to: second, by: "me")
        #expect(third["metadata"]?["labels"] == nil)
    }

    @Test("merges and removes items of lists by their keys")
    func lists() throws {
        let two = Self.base.replacingFirst(
            Self.container,
            with: Self.container + #",{"name":"d","image":"j"}"#
        )
        let first = try self.apply(self.deployment("", two), to: nil, by: "me")
        // Somebody adds a container of their own.
        let other = try self.deployment(
            "",
            #""template":{"spec":{"containers":[{"name":"side","image":"s"}]}}"#
        )
        let second = try self.apply(other, to: first, by: "you")
        let names = second[path: ["spec", "template", "spec", "containers"]]?.items
            .compactMap { $0["name"]?.string }
        #expect(names == ["c", "d", "side"])
        let third = try self.apply(self.deployment("", Self.base), to: second, by: "me")
        let left = third[path: ["spec", "template", "spec", "containers"]]?.items
            .compactMap { $0["name"]?.string }
        #expect(left == ["c", "side"])
    }

    @Test("records creates as updates, with dots for what was made")
    func track() throws {
        let new = try self.deployment(#""labels":{"x":"1"}"#, Self.base)
        let object = FieldManager.track(
            live: nil,
            new: new,
            schema: AppsV1.Deployment.schema,
            manager: "kubectl-create",
            apiVersion: "apps/v1",
            now: Self.now
        )
        let fields = try #require(self.owned(object, "kubectl-create"))
        #expect(
            try fields
                == self.tree(
                    #"{"f:metadata":{"f:labels":{".":{},"f:x":{}}},"f:spec":{"f:replicas":{},"f:selector":{},"f:template":{"f:metadata":{"f:labels":{".":{},"f:app":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},"f:image":{},"f:name":{},"f:ports":{".":{},"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}}}}}}}}"#
                )
        )
    }

    /// Changes of a Deployment: metadata, spec and status before and after.
    static let changes: [(before: [String]?, after: [String])] = [
        (nil, [#""labels":{"x":"1"}"#, Self.base, ""]),
        ([#""labels":{"x":"1"}"#, Self.base, ""], [#""labels":{"x":"2"}"#, Self.base, ""]),
        ([#""labels":{"x":"1"}"#, Self.base, ""], ["", Self.base, #""replicas":2"#]),
        (["", Self.base, #""replicas":1"#], ["", Self.base, #""replicas":2"#]),
        (
            ["", Self.base, ""],
            ["", Self.base.replacingFirst("\"image\":\"i\"", with: "\"image\":\"j\""), ""]
        ),
        (["", Self.base, ""], ["", Self.base.replacingFirst("80", with: "81"), ""]),
    ]

    @Test("records in messages what it records in trees", arguments: Self.changes)
    func messages(_ before: [String]?, _ after: [String]) throws {
        let schema = AppsV1.Deployment.schema
        var status = FieldSet()
        status.insert([.field("status")])
        func object(_ parts: [String]) throws -> DynamicValue {
            var tree = try self.deployment(parts[0], parts[1])
            tree["status"] = try self.tree("{\(parts[2])}")
            return tree
        }
        func messageTracked(_ new: APIObject, _ live: APIObject?) -> APIObject {
            var new = new
            FieldManager.track(
                &new,
                live: live,
                FieldManager.Writer(manager: "m", apiVersion: "apps/v1"),
                ignoring: status,
                now: Self.now
            )
            return new
        }
        func treeTracked(_ new: DynamicValue, _ live: DynamicValue?) -> DynamicValue {
            FieldManager.track(
                live: live,
                new: new,
                schema: schema,
                manager: "m",
                apiVersion: "apps/v1",
                ignoring: status,
                now: Self.now
            )
        }
        // What is there was made by the same manager.
        let live = try before.map {
            messageTracked(try APIObject(object($0), as: schema), nil)
        }
        let tree = try live?.dynamicValue()
        let new = try APIObject(object(after), as: schema)
        let tracked = messageTracked(new, live)
        #expect(tracked.metadata.managedFields.count == 1)
        #expect(
            try tracked.dynamicValue()["metadata"]?["managedFields"]
                == treeTracked(new.dynamicValue(), tree)["metadata"]?["managedFields"]
        )
    }

    @Test("writes the fields of a message in upstream's order")
    func fieldsText() throws {
        var new = try APIObject(self.deployment("", Self.base), as: AppsV1.Deployment.schema)
        FieldManager.track(
            &new,
            live: nil,
            FieldManager.Writer(manager: "m", apiVersion: "apps/v1"),
            now: Self.now
        )
        let text = new.metadata.managedFields.first?.fieldsV1?.raw.map {
            String(decoding: $0, as: UTF8.self)
        }
        #expect(
            text
                == #"{"f:spec":{"f:replicas":{},"f:selector":{},"f:template":{"f:metadata":{"f:labels":{".":{},"f:app":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},"f:image":{},"f:name":{},"f:ports":{".":{},"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}},"f:resources":{}}}}}}}"#
        )
    }

    @Test("takes fields from appliers on update, and conflicts name the updater's version")
    func update() throws {
        let first = try self.apply(self.deployment("", Self.base), to: nil, by: "me")
        var changed = first
        changed["spec"]?["replicas"] = 5
        let second = FieldManager.track(
            live: first,
            new: changed,
            schema: AppsV1.Deployment.schema,
            manager: "scaler",
            apiVersion: "apps/v1",
            subresource: "scale",
            now: Self.now
        )
        #expect(self.owned(second, "me")?["f:spec"]?["f:replicas"] == nil)
        #expect(try self.owned(second, "scaler") == self.tree(#"{"f:spec":{"f:replicas":{}}}"#))
        let base = try self.deployment("", Self.base)
        do throws(ApplyError) {
            _ = try self.apply(base, to: second, by: "me")
            Issue.record("no conflict")
        } catch {
            #expect(
                error.description
                    == #"Apply failed with 1 conflict: conflict with "scaler" with subresource "scale" using apps/v1: .spec.replicas"#
            )
            #expect(error.statusError.code == 409)
            let cause = error.statusError.status.details?.causes.first
            #expect(cause?.reason == "FieldManagerConflict")
            #expect(cause?.field == ".spec.replicas")
        }
    }

    @Test("keeps the time of a manager that changes nothing")
    func time() throws {
        let configuration = try self.deployment("", Self.base)
        let first = try self.apply(configuration, to: nil, by: "me")
        let second = try self.apply(
            configuration,
            to: first,
            by: "me",
            at: Timestamp(seconds: 1_800_000_000)
        )
        #expect(first == second)
    }

    @Test("starts with what was there before the first apply")
    func beforeFirstApply() throws {
        let live = try self.deployment("", Self.base)
        let change = try self.deployment("", #""replicas":3"#)
        #expect(
            throws: ApplyError.conflicts([
                .init(
                    manager: "\"before-first-apply\" using apps/v1",
                    path: ".spec.replicas"
                )
            ])
        ) {
            try self.apply(change, to: live, by: "me")
        }
    }

    @Test("leaves untracked objects untracked, and starts anew when asked")
    func untracked() throws {
        let live = try self.deployment("", Self.base)
        var new = live
        new["spec"]?["replicas"] = 2
        func track(_ live: DynamicValue, _ new: DynamicValue) -> DynamicValue {
            FieldManager.track(
                live: live,
                new: new,
                schema: AppsV1.Deployment.schema,
                manager: "m",
                apiVersion: "apps/v1",
                now: Self.now
            )
        }
        #expect(track(live, new)["metadata"]?["managedFields"] == nil)
        let tracked = try self.apply(live, to: nil, by: "me")
        var reset = tracked
        reset["metadata"]?["managedFields"] = [[:]]
        #expect(track(tracked, reset)["metadata"]?["managedFields"] == nil)
    }

    @Test("merges the oldest of more than ten updaters")
    func capping() throws {
        var object = FieldManager.track(
            live: nil,
            new: try self.deployment(#""annotations":{}"#, Self.base),
            schema: AppsV1.Deployment.schema,
            manager: "creator",
            apiVersion: "apps/v1",
            now: Timestamp(seconds: 1000)
        )
        for number in 1...12 {
            var changed = object
            changed["metadata"]?["annotations"]?["a\(number)"] = "x"
            object = FieldManager.track(
                live: object,
                new: changed,
                schema: AppsV1.Deployment.schema,
                manager: "m\(number)",
                apiVersion: "apps/v1",
                now: Timestamp(seconds: 1000 + Int64(number))
            )
        }
        let managers =
            object["metadata"]?["managedFields"]?.items
            .compactMap { $0["manager"]?.string } ?? []
        #expect(managers.count == 10)
        #expect(managers.contains("ancient-changes"))
        #expect(
            self.owned(object, "ancient-changes")?["f:metadata"]?["f:annotations"]?["f:a1"] != nil
        )
        #expect(managers.contains("m12") && !managers.contains("m1"))
    }

    @Test("refuses what is no configuration of the type", arguments: Self.refused)
    func refusal(_ json: String, _ message: String) throws {
        let applied = try self.tree(json)
        do throws(ApplyError) {
            _ = try self.apply(applied, to: nil, by: "me")
            Issue.record("applied")
        } catch {
            #expect(error.description == message)
        }
    }

    static let refused: [(String, String)] = [
        ("[]", "error decoding YAML: expected an object"),
        (
            #"{"apiVersion":"apps/v2","kind":"Deployment"}"#,
            "incorrect version specified in apply patch. Specified patch version: apps/v2, expected: apps/v1"
        ),
        (
            #"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"managedFields":[{"manager":"x"}]}}"#,
            "metadata.managedFields must be nil"
        ),
        (
            #"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a","namespace":"n"},"spec":{"foo":1}}"#,
            "failed to create typed patch object (n/a; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema"
        ),
        (
            #"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},"spec":{"template":{"spec":{"containers":[{"image":"x"}]}}}}"#,
            #"failed to create typed patch object (/a; apps/v1, Kind=Deployment): .spec.template.spec.containers: element 0: associative list with keys has an element that omits key field "name" (and doesn't have default value)"#
        ),
        (
            #"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},"spec":{"template":{"spec":{"containers":[{"name":"x"},{"name":"x"}]}}}}"#,
            #"failed to create typed patch object (/a; apps/v1, Kind=Deployment): .spec.template.spec.containers: duplicate entries for key [name="x"]"#
        ),
    ]

    @Test("ignores what the path does not write")
    func ignoring() throws {
        var status = FieldSet()
        status.insert([.field("status")])
        var configuration = try self.deployment("", Self.base)
        configuration["status"] = ["replicas": 7]
        let object = try FieldManager.apply(
            live: nil,
            applied: configuration,
            schema: AppsV1.Deployment.schema,
            manager: "me",
            apiVersion: "apps/v1",
            force: false,
            ignoring: status,
            now: Self.now
        )
        #expect(self.owned(object, "me")?["f:status"] == nil)
    }
}

extension String {
    func replacingFirst(_ part: String, with other: String) -> String {
        guard let range = self.firstRange(of: part) else { return self }
        return self.replacingCharacters(in: range, with: other)
    }

    private func replacingCharacters(in range: Range<String.Index>, with other: String) -> String {
        String(self[..<range.lowerBound]) + other + String(self[range.upperBound...])
    }
}
