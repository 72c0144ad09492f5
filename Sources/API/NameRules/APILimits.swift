// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The limits and default numbers of the Kubernetes API, by the names of the fact tables.
///
/// The comment of each says what it bounds, its unit, and where upstream 1.36 keeps it. A constant
/// that upstream does not enforce in the API server (a port, a period) is the default that
/// components share.
public enum APILimits {
    /// Part of a label or annotation key after '/'; bytes.
    ///
    /// Source: upstream `apimachinery/pkg/api/validate/content/kube.go`.
    public static let labelKeyNameMaxLength = 63

    /// Label value; bytes.
    ///
    /// Source: upstream `apimachinery/pkg/api/validate/content/kube.go`.
    public static let labelValueMaxLength = 63

    /// DNS label names; bytes.
    ///
    /// Source: upstream `apimachinery/pkg/util/validation/validation.go`.
    public static let dns1123LabelMaxLength = 63

    /// DNS 1035 label names; bytes.
    ///
    /// Source: upstream `apimachinery/pkg/util/validation/validation.go`.
    public static let dns1035LabelMaxLength = 63

    /// DNS subdomain names, label key prefix, ConfigMap and Secret keys; bytes.
    ///
    /// Source: upstream `apimachinery/pkg/util/validation/validation.go`.
    public static let dns1123SubdomainMaxLength = 253

    /// IANA service port name; bytes.
    ///
    /// Source: upstream `apimachinery/pkg/util/validation/validation.go`.
    public static let portNameMaxLength = 15

    /// Sum of annotation keys and values of an object; bytes.
    ///
    /// Source: upstream `apimachinery/pkg/api/validation/objectmeta.go`.
    public static let annotationsTotalSize = 262_144

    /// GenerateName + suffix; base is cut to this minus 5; bytes.
    ///
    /// Source: upstream `apiserver/pkg/storage/names/generate.go`.
    public static let generatedNameMax = 63

    /// Random suffix of generateName; characters.
    ///
    /// Source: upstream `apiserver/pkg/storage/names/generate.go`.
    public static let generatedNameSuffix = 5

    /// FieldManager; bytes.
    ///
    /// Source: upstream
    /// `apimachinery/pkg/apis/meta/v1/validation/validation.go`.
    public static let fieldManagerMaxLength = 128

    /// ManagedFields[].subresource; bytes.
    ///
    /// Source: upstream
    /// `apimachinery/pkg/apis/meta/v1/validation/validation.go`.
    public static let managedFieldsSubresourceMaxLength = 256

    /// Update entries kept; older ones merge into 'ancient-changes'; entries.
    ///
    /// Source: upstream
    /// `apimachinery/pkg/util/managedfields/internal/fieldmanager.go`.
    public static let managedFieldsUpdateEntries = 10

    /// Metav1 Condition reason; bytes.
    ///
    /// Source: upstream
    /// `apimachinery/pkg/apis/meta/v1/validation/validation.go`.
    public static let conditionReasonMaxLength = 1024

    /// Metav1 Condition message; bytes.
    ///
    /// Source: upstream
    /// `apimachinery/pkg/apis/meta/v1/validation/validation.go`.
    public static let conditionMessageMaxLength = 32_768

    /// Request body of a create, update, patch or delete; 413 beyond; bytes.
    ///
    /// Source: upstream `apiserver/pkg/server/config.go`.
    public static let requestBodyMax = 3_145_728

    /// Sum of sizes produced by copy operations; bytes.
    ///
    /// Source: upstream `apiserver/pkg/server/config.go`.
    public static let jsonPatchCopyMax = 3_145_728

    /// JSON patch; operations.
    ///
    /// Source: upstream `apiserver/pkg/endpoints/handlers/patch.go`.
    public static let jsonPatchOperationsMax = 10_000

    /// Non long-running requests; seconds.
    ///
    /// Source: upstream `apiserver/pkg/server/config.go`.
    public static let requestTimeout = 60

    /// Watch without timeoutSeconds ends after a random time in [min, 2*min); seconds.
    ///
    /// Source: upstream `apiserver/pkg/server/config.go`.
    public static let watchTimeoutMin = 1800

    /// Non mutating; requests.
    ///
    /// Source: upstream `apiserver/pkg/server/config.go`.
    public static let maxRequestsInFlight = 400

    /// Mutating; flow control uses the sum of both; requests.
    ///
    /// Source: upstream `apiserver/pkg/server/config.go`.
    public static let maxMutatingRequestsInFlight = 200

    /// AllowWatchBookmarks; seconds.
    ///
    /// Source: upstream `apiserver/pkg/storage/cacher/cacher.go`.
    public static let watchBookmarkInterval = 60

    /// Wait for a resourceVersion newer than the cache; then 504 Timeout; seconds.
    ///
    /// Source: upstream `apiserver/pkg/storage/cacher/watch_cache.go`.
    public static let freshnessWait = 3

    /// Keys read from etcd in one range request; keys.
    ///
    /// Source: upstream `apiserver/pkg/storage/etcd3/store.go`.
    public static let etcdListPage = 10_000

    /// Compaction by the API server; bounds the life of continue tokens; seconds.
    ///
    /// Source: upstream `apiserver/pkg/storage/storagebackend/config.go`.
    public static let etcdCompactInterval = 300

    /// Event objects (etcd lease); seconds.
    ///
    /// Source: upstream `pkg/controlplane/apiserver/options/options.go`.
    public static let eventTTL = 3600

    /// Largest watch event a Go client decodes; bytes.
    ///
    /// Source: upstream
    /// `apimachinery/pkg/runtime/serializer/streaming/streaming.go`.
    public static let watchFrameMax = 16_777_216

    /// Sum of data and binaryData values of a ConfigMap; bytes.
    ///
    /// Source: upstream `pkg/apis/core/types.go`.
    public static let configMapTotalSize = 1_048_576

    /// Sum of data values of a Secret; bytes.
    ///
    /// Source: upstream `pkg/apis/core/types.go`.
    public static let secretTotalSize = 1_048_576

    /// SessionAffinityConfig.clientIP.timeoutSeconds; seconds.
    ///
    /// Source: upstream `pkg/apis/core/types.go`.
    public static let serviceAffinityTimeoutMax = 86_400

    /// Pod dnsConfig.nameservers; entries.
    ///
    /// Source: upstream `pkg/apis/core/validation/validation.go`.
    public static let dnsNameserversMax = 3

    /// Pod dnsConfig.searches; entries.
    ///
    /// Source: upstream `pkg/apis/core/validation/validation.go`.
    public static let dnsSearchesMax = 32

    /// Pod dnsConfig.searches joined by spaces; characters.
    ///
    /// Source: upstream `pkg/apis/core/validation/validation.go`.
    public static let dnsSearchesCharsMax = 2048

    /// Pod sysctl name; bytes.
    ///
    /// Source: upstream `pkg/apis/core/validation/validation.go`.
    public static let sysctlNameMaxLength = 253

    /// Status image volume digest; bytes.
    ///
    /// Source: upstream `pkg/apis/core/validation/validation.go`.
    public static let imageVolumeRefMaxLength = 256

    /// Events.k8s.io Event; bytes.
    ///
    /// Source: upstream `pkg/apis/core/validation/events.go`.
    public static let eventReportingInstanceMaxLength = 128

    /// Events.k8s.io Event; bytes.
    ///
    /// Source: upstream `pkg/apis/core/validation/events.go`.
    public static let eventActionMaxLength = 128

    /// Events.k8s.io Event; bytes.
    ///
    /// Source: upstream `pkg/apis/core/validation/events.go`.
    public static let eventReasonMaxLength = 128

    /// Events.k8s.io Event; bytes.
    ///
    /// Source: upstream `pkg/apis/core/validation/events.go`.
    public static let eventNoteMaxLength = 1024

    /// TokenRequest expirationSeconds; maximum 2^32; seconds.
    ///
    /// Source: upstream `pkg/apis/authentication/validation/validation.go`.
    public static let tokenExpirationMin = 600

    /// CertificateSigningRequest expirationSeconds; seconds.
    ///
    /// Source: upstream `pkg/apis/certificates/validation/validation.go`.
    public static let csrExpirationMin = 600

    /// ClusterTrustBundle spec.trustBundle; bytes.
    ///
    /// Source: upstream `pkg/apis/certificates/types.go`.
    public static let trustBundleMaxSize = 1_048_576

    /// PodCertificateRequest spec.maxExpirationSeconds; seconds.
    ///
    /// Source: upstream `pkg/apis/certificates/types.go`.
    public static let podCertificateExpirationMin = 3600

    /// PodCertificateRequest spec.maxExpirationSeconds; seconds.
    ///
    /// Source: upstream `pkg/apis/certificates/types.go`.
    public static let podCertificateExpirationMax = 7_862_400

    /// Signers of kubernetes.io; seconds.
    ///
    /// Source: upstream `pkg/apis/certificates/types.go`.
    public static let podCertificateExpirationMaxBuiltin = 86_400

    /// Indexed Job parallelism; pods.
    ///
    /// Source: upstream `pkg/apis/batch/validation/validation.go`.
    public static let jobIndexedParallelismMax = 100_000

    /// Indexed Job completions above which backoffLimitPerIndex restricts parallelism; pods.
    ///
    /// Source: upstream `pkg/apis/batch/validation/validation.go`.
    public static let jobHighCompletionsLimit = 100_000

    /// Parallelism above that limit; pods.
    ///
    /// Source: upstream `pkg/apis/batch/validation/validation.go`.
    public static let jobHighCompletionsParallelismMax = 10_000

    /// Job podFailurePolicy.rules; rules.
    ///
    /// Source: upstream `pkg/apis/batch/validation/validation.go`.
    public static let jobPodFailurePolicyRulesMax = 20

    /// Job onExitCodes.values; values.
    ///
    /// Source: upstream `pkg/apis/batch/validation/validation.go`.
    public static let jobPodFailurePolicyExitCodesMax = 255

    /// Job onPodConditions; patterns.
    ///
    /// Source: upstream `pkg/apis/batch/validation/validation.go`.
    public static let jobPodFailurePolicyPatternsMax = 20

    /// Job managedBy; bytes.
    ///
    /// Source: upstream `pkg/apis/batch/validation/validation.go`.
    public static let jobManagedByMaxLength = 63

    /// Job successPolicy.rules; rules.
    ///
    /// Source: upstream `pkg/apis/batch/validation/validation.go`.
    public static let jobSuccessPolicyRulesMax = 20

    /// Job succeededIndexes; bytes.
    ///
    /// Source: upstream `pkg/apis/batch/validation/validation.go`.
    public static let jobSuccessPolicyIndexesMaxLength = 65_536

    /// CronJob name; bytes.
    ///
    /// Source: upstream `pkg/apis/batch/validation/validation.go`.
    public static let cronJobNameMaxLength = 52

    /// HPA scaling policy; seconds.
    ///
    /// Source: upstream `pkg/apis/autoscaling/validation/validation.go`.
    public static let hpaPeriodSecondsMax = 1800

    /// HPA stabilizationWindowSeconds; seconds.
    ///
    /// Source: upstream `pkg/apis/autoscaling/validation/validation.go`.
    public static let hpaStabilizationMax = 3600

    /// Addresses of one endpoint; addresses.
    ///
    /// Source: upstream `pkg/apis/discovery/validation/validation.go`.
    public static let endpointSliceAddressesMax = 100

    /// Endpoints of one EndpointSlice; endpoints.
    ///
    /// Source: upstream `pkg/apis/discovery/validation/validation.go`.
    public static let endpointSliceEndpointsMax = 1000

    /// Ports of one EndpointSlice; ports.
    ///
    /// Source: upstream `pkg/apis/discovery/validation/validation.go`.
    public static let endpointSlicePortsMax = 20_000

    /// DeprecatedTopology; labels.
    ///
    /// Source: upstream `pkg/apis/discovery/validation/validation.go`.
    public static let endpointSliceTopologyMax = 16

    /// Hints.forZones; hints.
    ///
    /// Source: upstream `pkg/apis/discovery/validation/validation.go`.
    public static let endpointSliceZoneHintsMax = 8

    /// Hints.forNodes; hints.
    ///
    /// Source: upstream `pkg/apis/discovery/validation/validation.go`.
    public static let endpointSliceNodeHintsMax = 8

    /// IngressClass controller; bytes.
    ///
    /// Source: upstream `pkg/apis/networking/validation/validation.go`.
    public static let ingressClassControllerMaxLength = 250

    /// Sum of keys and values; bytes.
    ///
    /// Source: upstream `pkg/apis/storage/validation/validation.go`.
    public static let storageClassParametersMaxSize = 262_144

    /// StorageClass parameters; entries.
    ///
    /// Source: upstream `pkg/apis/storage/validation/validation.go`.
    public static let storageClassParametersMax = 512

    /// VolumeAttachment error message; bytes.
    ///
    /// Source: upstream `pkg/apis/storage/validation/validation.go`.
    public static let volumeErrorMessageMaxLength = 1024

    /// VolumeAttachment status.attachmentMetadata; bytes.
    ///
    /// Source: upstream `pkg/apis/storage/validation/validation.go`.
    public static let attachedVolumeMetadataMaxSize = 262_144

    /// CSINode nodeID; bytes.
    ///
    /// Source: upstream `pkg/apis/storage/validation/validation.go`.
    public static let csiNodeIDMaxLength = 256

    /// MatchingPrecedence, minimum 1; number.
    ///
    /// Source: upstream `pkg/apis/flowcontrol/types.go`.
    public static let flowSchemaPrecedenceMax = 10_000

    /// PriorityClass value of user classes; number.
    ///
    /// Source: upstream `pkg/apis/scheduling/types.go`.
    public static let priorityUserMax = 1_000_000_000

    /// ValidatingAdmissionPolicy auditAnnotations; entries.
    ///
    /// Source: upstream `pkg/apis/admissionregistration/validation/validation.go`.
    public static let admissionAuditAnnotationsMax = 20

    /// ValueExpression; bytes.
    ///
    /// Source: upstream `pkg/apis/admissionregistration/validation/validation.go`.
    public static let admissionAuditExpressionMaxLength = 5120

    /// Webhook timeoutSeconds, minimum 1; seconds.
    ///
    /// Source: upstream `pkg/apis/admissionregistration/validation/validation.go`.
    public static let webhookTimeoutMax = 30

    /// Webhook matchConditions; entries.
    ///
    /// Source: upstream `pkg/apis/admissionregistration/validation/validation.go`.
    public static let webhookMatchConditionsMax = 64

    /// Per CRD version; fields.
    ///
    /// Source: upstream `apiextensions-apiserver/pkg/apis/apiextensions/validati
    /// on/validation.go`.
    public static let crdSelectableFieldsMax = 8

    /// Estimated cost of one CEL rule; cost.
    ///
    /// Source: upstream `apiextensions-apiserver/pkg/apis/apiextensions/validati
    /// on/validation.go`.
    public static let crdRuleCostMax = 10_000_000

    /// Estimated cost of all CEL rules of a CRD; cost.
    ///
    /// Source: upstream `apiextensions-apiserver/pkg/apis/apiextensions/validati
    /// on/validation.go`.
    public static let crdTotalCostMax = 100_000_000

    /// Actual cost of one CEL evaluation; cost.
    ///
    /// Source: upstream `apiserver/pkg/apis/cel/config.go`.
    public static let celPerCallLimit = 1_000_000

    /// Actual cost of all CEL evaluations of a request; cost.
    ///
    /// Source: upstream `apiserver/pkg/apis/cel/config.go`.
    public static let celRuntimeBudget = 10_000_000

    /// Match conditions of a webhook; cost.
    ///
    /// Source: upstream `apiserver/pkg/apis/cel/config.go`.
    public static let celMatchConditionsBudget = 2_500_000

    /// Devices of one ResourceSlice; devices.
    ///
    /// Source: upstream `pkg/apis/resource/types.go`.
    public static let resourceSliceDevicesMax = 128

    /// With taints or counters; devices.
    ///
    /// Source: upstream `pkg/apis/resource/types.go`.
    public static let resourceSliceDevicesAdvancedMax = 64

    /// SharedCounters; sets.
    ///
    /// Source: upstream `pkg/apis/resource/types.go`.
    public static let resourceSliceCounterSetsMax = 8

    /// Attributes plus capacity of a device; entries.
    ///
    /// Source: upstream `pkg/apis/resource/types.go`.
    public static let deviceAttributesMax = 32

    /// Attribute name; bytes.
    ///
    /// Source: upstream `pkg/apis/resource/types.go`.
    public static let deviceIdMaxLength = 32

    /// Attribute domain; bytes.
    ///
    /// Source: upstream `pkg/apis/resource/types.go`.
    public static let deviceDomainMaxLength = 63

    /// String and version values; bytes.
    ///
    /// Source: upstream `pkg/apis/resource/types.go`.
    public static let deviceAttributeValueMaxLength = 64

    /// Driver; bytes.
    ///
    /// Source: upstream `pkg/apis/resource/types.go`.
    public static let draDriverNameMaxLength = 63

    /// Selectors; entries.
    ///
    /// Source: upstream `pkg/apis/resource/types.go`.
    public static let draSelectorsMax = 32

    /// CEL selector; bytes.
    ///
    /// Source: upstream `pkg/apis/resource/types.go`.
    public static let draSelectorExpressionMaxLength = 10_240

    /// Constraints; entries.
    ///
    /// Source: upstream `pkg/apis/resource/types.go`.
    public static let draConstraintsMax = 32

    /// Config; entries.
    ///
    /// Source: upstream `pkg/apis/resource/types.go`.
    public static let draConfigMax = 32

    /// Opaque parameters; bytes.
    ///
    /// Source: upstream `pkg/apis/resource/types.go`.
    public static let draOpaqueParametersMax = 10_240

    /// ResourceClaim status.reservedFor; entries.
    ///
    /// Source: upstream `pkg/apis/resource/types.go`.
    public static let claimReservedForMax = 256

    /// Allocation results; also device requests; entries.
    ///
    /// Source: upstream `pkg/apis/resource/types.go`.
    public static let claimResultsMax = 32

    /// PodDisruptionBudget status.disruptedPods; eviction answers 403 beyond; entries.
    ///
    /// Source: upstream `pkg/registry/core/pod/storage/eviction.go`.
    public static let podDisruptedPodsMax = 2000

    /// Default NodePort range, first; port.
    ///
    /// Source: upstream `pkg/kubeapiserver/options/options.go`.
    public static let nodePortMin = 30_000

    /// Default NodePort range, size; ports.
    ///
    /// Source: upstream `pkg/kubeapiserver/options/options.go`.
    public static let nodePortCount = 2768

    /// Kube-apiserver --secure-port; port.
    ///
    /// Source: upstream `pkg/kubeapiserver/options/serving.go`.
    public static let apiserverPort = 6443

    /// Kubelet API; port.
    ///
    /// Source: upstream `pkg/cluster/ports/ports.go`.
    public static let kubeletPort = 10_250

    /// Kubelet, off by default; port.
    ///
    /// Source: upstream `pkg/cluster/ports/ports.go`.
    public static let kubeletReadOnlyPort = 10_255

    /// Kubelet healthz on localhost; port.
    ///
    /// Source: upstream `pkg/cluster/ports/ports.go`.
    public static let kubeletHealthzPort = 10_248

    /// Kube-proxy metrics; port.
    ///
    /// Source: upstream `pkg/cluster/ports/ports.go`.
    public static let kubeProxyMetricsPort = 10_249

    /// Kube-proxy healthz; port.
    ///
    /// Source: upstream `pkg/cluster/ports/ports.go`.
    public static let kubeProxyHealthzPort = 10_256

    /// Kube-controller-manager; port.
    ///
    /// Source: upstream `pkg/cluster/ports/ports.go`.
    public static let controllerManagerPort = 10_257

    /// Kube-scheduler; port.
    ///
    /// Source: upstream `pkg/scheduler/apis/config/types.go`.
    public static let schedulerPort = 10_259

    /// Kubelet default; pods.
    ///
    /// Source: upstream `pkg/kubelet/apis/config/v1beta1/defaults.go`.
    public static let kubeletMaxPods = 110

    /// Kubelet default; -1 is unlimited; pids.
    ///
    /// Source: upstream `pkg/kubelet/apis/config/v1beta1/defaults.go`.
    public static let kubeletPodPidsLimit = -1

    /// Node Lease in kube-node-lease; renewed every quarter; seconds.
    ///
    /// Source: upstream `pkg/kubelet/apis/config/v1beta1/defaults.go`.
    public static let nodeLeaseDuration = 40

    /// Node status computed; seconds.
    ///
    /// Source: upstream `pkg/kubelet/apis/config/v1beta1/defaults.go`.
    public static let nodeStatusUpdate = 10

    /// Node status reported without change; seconds.
    ///
    /// Source: upstream `pkg/kubelet/apis/config/v1beta1/defaults.go`.
    public static let nodeStatusReport = 300

    /// Kubelet default; size 10Mi each; files.
    ///
    /// Source: upstream `pkg/kubelet/apis/config/v1beta1/defaults.go`.
    public static let containerLogMaxFiles = 5

    /// Leader election; seconds.
    ///
    /// Source: upstream `component-base/config/v1alpha1/defaults.go`.
    public static let leaderElectionLease = 15

    /// Leader election; seconds.
    ///
    /// Source: upstream `component-base/config/v1alpha1/defaults.go`.
    public static let leaderElectionRenew = 10

    /// Leader election; seconds.
    ///
    /// Source: upstream `component-base/config/v1alpha1/defaults.go`.
    public static let leaderElectionRetry = 2

    /// One container's termination message; bytes.
    ///
    /// Source: upstream `pkg/kubelet/container/runtime.go`.
    public static let terminationMessageMax = 4096

    /// All termination messages of a pod; bytes.
    ///
    /// Source: upstream `pkg/kubelet/container/runtime.go`.
    public static let podTerminationMessagesMax = 12_288
}
