// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI
import Protobuf
import Testing
import YAML

@testable import Scheduler

@Suite("Scheduler configuration") struct SchedulerConfigurationTests {
    static let head = """
        apiVersion: kubescheduler.config.k8s.io/v1
        kind: KubeSchedulerConfiguration

        """

    static func read(_ text: String) throws -> SchedulerConfiguration {
        let json = try YAML.json(from: Array((Self.head + text).utf8))
        return try SchedulerConfiguration(try DynamicValue(json: json))
    }

    @Test("has upstream's defaults")
    func defaults() throws {
        let configuration = try Self.read("")
        let profile = try #require(configuration.profiles.first)
        #expect(profile.name == "default-scheduler")
        #expect(
            profile.scores.map { "\($0.plugin.name.rawValue)=\($0.weight)" } == [
                "TaintToleration=3", "NodeAffinity=2", "NodeResourcesFit=1",
                "PodTopologySpread=2", "InterPodAffinity=2",
                "NodeResourcesBalancedAllocation=1", "ImageLocality=1",
            ]
        )
        #expect(configuration.leaderElection == SchedulerConfiguration.LeaderElection())
        #expect(profile.preemption == PreemptionArguments())
    }

    @Test("the default of the configuration is the standard profile")
    func standard() throws {
        let built = try #require(try Self.read("profiles: [{}]").profiles.first)
        let standard = Profile.standard
        #expect(built.filters.map(\.name) == standard.filters.map(\.name))
        #expect(built.scores.map(\.plugin.name) == standard.scores.map(\.plugin.name))
        #expect(built.scores.map(\.weight) == standard.scores.map(\.weight))
        #expect(built.preEnqueue.map(\.name) == standard.preEnqueue.map(\.name))
        #expect(built.mentionsClaims == standard.mentionsClaims)
    }

    @Test("switches plugins on, off and about")
    func plugins() throws {
        let configuration = try Self.read(
            """
            percentageOfNodesToScore: 40
            profiles:
            - schedulerName: packing
              plugins:
                score:
                  disabled: [{name: ImageLocality}, {name: NodeAffinity}]
                  enabled: [{name: NodeResourcesFit, weight: 5}]
                postFilter:
                  disabled: [{name: "*"}]
                multiPoint:
                  disabled: [{name: NodePorts}]
                  enabled: [{name: PodTopologySpread, weight: 9}]
              pluginConfig:
              - name: NodeResourcesFit
                args:
                  scoringStrategy:
                    type: MostAllocated
                    resources: [{name: cpu, weight: 3}]
            - schedulerName: second
              percentageOfNodesToScore: 10
            """
        )
        #expect(configuration.profiles.map(\.name) == ["packing", "second"])
        #expect(configuration.profiles.map(\.percentageOfNodesToScore) == [40, 10])
        let profile = configuration.profiles[0]
        #expect(
            profile.scores.map { "\($0.plugin.name.rawValue)=\($0.weight)" } == [
                "NodeResourcesFit=5", "TaintToleration=3", "PodTopologySpread=9",
                "InterPodAffinity=2", "NodeResourcesBalancedAllocation=1",
            ]
        )
        #expect(!profile.filters.contains { $0.name == .nodePorts })
        #expect(profile.filters.contains { $0.name == .nodeAffinity })
        #expect(profile.preemption == nil)
        #expect(!profile.mentionsClaims)
        let fit = try #require(profile.scores[0].plugin as? NodeResourcesFitPlugin)
        #expect(fit.strategy == .mostAllocated([ScoringStrategy.Weighted("cpu", 3)]))
    }

    @Test("gives plugins their arguments")
    func arguments() throws {
        let configuration = try Self.read(
            """
            podInitialBackoffSeconds: 2
            podMaxBackoffSeconds: 20
            leaderElection: {leaderElect: false, leaseDuration: 30s, resourceName: other}
            clientConnection: {kubeconfig: /etc/x, qps: 50, burst: 100}
            profiles:
            - pluginConfig:
              - name: DefaultPreemption
                args: {minCandidateNodesPercentage: 20, minCandidateNodesAbsolute: 5}
              - name: InterPodAffinity
                args: {hardPodAffinityWeight: 7, ignorePreferredTermsOfExistingPods: true}
              - name: NodeAffinity
                args:
                  apiVersion: kubescheduler.config.k8s.io/v1
                  kind: NodeAffinityArgs
                  addedAffinity:
                    requiredDuringSchedulingIgnoredDuringExecution:
                      nodeSelectorTerms:
                      - matchExpressions: [{key: a, operator: Exists}]
              - name: PodTopologySpread
                args:
                  defaultingType: List
                  defaultConstraints:
                  - {maxSkew: 2, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}
              - name: NodeResourcesFit
                args:
                  ignoredResources: [example.com/a]
                  ignoredResourceGroups: [other.com]
                  scoringStrategy:
                    type: RequestedToCapacityRatio
                    requestedToCapacityRatio:
                      shape: [{utilization: 0, score: 0}, {utilization: 100, score: 10}]
            """
        )
        #expect(configuration.podInitialBackoffSeconds == 2)
        #expect(configuration.podMaxBackoffSeconds == 20)
        #expect(!configuration.leaderElection.leaderElect)
        #expect(configuration.leaderElection.leaseDuration == .seconds(30))
        #expect(configuration.leaderElection.resourceName == "other")
        #expect(configuration.kubeconfig == "/etc/x")
        let profile = configuration.profiles[0]
        #expect(
            profile.preemption
                == PreemptionArguments(minimumCandidatePercentage: 20, minimumCandidates: 5)
        )
        let plugins = profile.filters
        let affinity = plugins.compactMap { $0 as? InterPodAffinityPlugin }.first
        #expect(affinity?.hardPodAffinityWeight == 7)
        #expect(affinity?.ignoresPreferencesOfExistingPods == true)
        let nodes = plugins.compactMap { $0 as? NodeAffinityPlugin }.first
        #expect(
            nodes?.addedAffinity?.requiredDuringSchedulingIgnoredDuringExecution?
                .nodeSelectorTerms.count == 1
        )
        let spread = plugins.compactMap { $0 as? PodTopologySpreadPlugin }.first
        #expect(spread?.defaults.constraints.first?.maxSkew == 2)
        let fit = plugins.compactMap { $0 as? NodeResourcesFitPlugin }.first
        #expect(fit?.ignoredResources == ["example.com/a"])
        #expect(fit?.ignoredGroups == ["other.com"])
    }

    @Test(
        "refuses what makes no sense",
        arguments: [
            ("speed: 3", "strict decoding error: unknown field \"speed\""),
            (
                "profiles: [{plugins: {score: {enabled: [{name: ImageLocality, wait: 1}]}}}]",
                "strict decoding error: unknown field "
                    + "\"profiles[0].plugins.score.enabled[0].wait\""
            ),
            (
                "profiles: [{pluginConfig: [{name: NodeAffinity, args: {addedAffinity: {x: 1}}}]}]",
                "strict decoding error: unknown field "
                    + "\"profiles[0].pluginConfig[0].args.addedAffinity.x\""
            ),
            (
                "percentageOfNodesToScore: 101",
                "percentageOfNodesToScore: Invalid value: 101: not in "
                    + "valid range [0-100]"
            ),
            (
                "podInitialBackoffSeconds: 0",
                "podInitialBackoffSeconds: Invalid value: 0: must be "
                    + "greater than 0"
            ),
            (
                "podMaxBackoffSeconds: 0",
                "podMaxBackoffSeconds: Invalid value: 0: must be greater than "
                    + "or equal to PodInitialBackoffSeconds"
            ),
            (
                "parallelism: 0",
                "parallelism: Invalid value: 0: should be an integer value greater "
                    + "than zero"
            ),
            (
                "profiles: [{}, {}]",
                "profiles[1].schedulerName: Invalid value: Duplicate value: "
                    + "\"default-scheduler\""
            ),
            (
                "profiles: [{plugins: {filter: {enabled: [{name: Magic}]}}}]",
                "profiles[0].plugins.filter.enabled[0]: Invalid value: \"Magic\": plugin does not "
                    + "exist"
            ),
            ("profiles: x", "profiles: expected list"),
            (
                "extenders: [{urlPrefix: http://x}]",
                "extenders: Invalid value: extenders are not "
                    + "supported"
            ),
        ]
    )
    func invalid(_ text: String, _ message: String) {
        #expect {
            try Self.read(text)
        } throws: { error in
            "\(error)" == message
        }
    }

    @Test("is of one kind and version")
    func kind() throws {
        let other = try DynamicValue(json: Array(#"{"apiVersion":"v1","kind":"Pod"}"#.utf8))
        #expect(throws: ConfigurationError.wrongKind(apiVersion: "v1", kind: "Pod")) {
            try SchedulerConfiguration(other)
        }
    }

    @Test("shows what is in effect")
    func page() throws {
        let page = SchedulerConfiguration().page
        let configuration = try #require(page["componentconfig"])
        #expect(configuration["LeaderElection"]?["LeaseDuration"]?.string == "15s")
        let profile = try #require(configuration["Profiles"]?.items.first)
        #expect(profile["SchedulerName"]?.string == "default-scheduler")
        let scores = try #require(profile["Plugins"]?["Score"]?["Enabled"])
        #expect(scores.items.count == 7)
        #expect(scores.items.first?["Name"]?.string == "TaintToleration")
        #expect(scores.items.first?["Weight"]?.integer == 3)
    }
}
