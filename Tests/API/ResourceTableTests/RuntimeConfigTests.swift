// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ResourceTable
import Testing

@Suite("Runtime configuration")
struct RuntimeConfigTests {
    private func isServed(
        _ settings: [String],
        _ apiVersion: String,
        _ plural: String
    ) throws -> Bool {
        try ResourceTable.served(runtimeConfig: settings)
            .resource(apiVersion: apiVersion, plural: plural) != nil
    }

    @Test("without settings what is served by default is served")
    func defaults() throws {
        let table = try ResourceTable.served(runtimeConfig: [])
        let names = table.resources.map { "\($0.apiVersion)/\($0.plural)" }
        #expect(names == ResourceTable.served.resources.map { "\($0.apiVersion)/\($0.plural)" })
        #expect(table.groups.map(\.name) == ResourceTable.served.groups.map(\.name))
    }

    @Test(
        "what says more wins, whatever the order",
        arguments: [
            (["apps/v1=false"], "apps/v1", "deployments", false),
            (["apps/v1/deployments=false"], "apps/v1", "deployments", false),
            (["apps/v1/deployments=false"], "apps/v1", "daemonsets", true),
            (["apps/v1/deployments=true", "apps/v1=false"], "apps/v1", "deployments", true),
            (["apps/v1=false", "apps/v1/deployments"], "apps/v1", "deployments", true),
            (["apps/v1=false", "apps/v1/deployments"], "apps/v1", "daemonsets", false),
            (["api/all=false", "v1=true"], "v1", "pods", true),
            (["api/all=false", "v1=true"], "apps/v1", "deployments", false),
            (["api/all=false", "api/v1=true"], "v1", "pods", true),
            (["api/ga=false"], "batch/v1", "jobs", false),
            (["api/ga=false", "batch/v1/jobs=true"], "batch/v1", "jobs", true),
            (["api/alpha=true"], "coordination.k8s.io/v1alpha2", "leasecandidates", true),
            ([], "coordination.k8s.io/v1alpha2", "leasecandidates", false),
            (["api/beta=true"], "coordination.k8s.io/v1beta1", "leasecandidates", true),
            (
                ["coordination.k8s.io/v1beta1"], "coordination.k8s.io/v1beta1", "leasecandidates",
                true
            ),
        ] as [([String], String, String, Bool)]
    )
    func precedence(settings: [String], apiVersion: String, plural: String, isServed: Bool) throws {
        #expect(try self.isServed(settings, apiVersion, plural) == isServed)
    }

    @Test("a group without resources is not there")
    func groups() throws {
        let table = try ResourceTable.served(runtimeConfig: ["apps/v1=false"])
        #expect(!table.groups.contains { $0.name == "apps" })
    }

    @Test(
        "mistakes are told",
        arguments: [
            ("v1=perhaps", .invalidValue("v1=perhaps")), ("nope/v1", .unknown("nope/v1")),
            ("v1/nopes=true", .unknown("v1/nopes")), ("", .unknown("")),
            ("api/some", .unknown("api/some")),
        ] as [(String, ResourceTable.RuntimeConfigError)]
    )
    func mistakes(setting: String, error: ResourceTable.RuntimeConfigError) {
        #expect(throws: error) { try ResourceTable.served(runtimeConfig: [setting]) }
    }
}
