// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import Bytes
import KubernetesAPI
import NameRules
public import ObjectModel
import PKI
import Protobuf
public import ResourceTable

/// Who may do something for a signer of certificates.
///
/// Source: kubernetes `plugin/pkg/admission/certificates/util.go`.
enum SignerPermission {
    /// Whether a user may act for the signer, or for all signers of its domain.
    static func isGranted(
        _ verb: String,
        for signer: String,
        to user: UserInfo,
        _ authorizer: any Authorizer
    ) async -> Bool {
        let domain = signer.prefix { $0 != "/" }
        for name in [signer, "\(domain)/*"] {
            let attributes = AuthorizationAttributes(
                user: user,
                verb: verb,
                group: "certificates.k8s.io",
                version: "*",
                resource: "signers",
                name: name
            )
            if await authorizer.authorize(attributes).isAllowed { return true }
        }
        return false
    }
}

/// Certificates are approved by those who may approve for their signer.
///
/// Source: kubernetes `plugin/pkg/admission/certificates/approval/admission.go`.
public struct CertificateApproval: AdmissionPlugin {
    public let name = "CertificateApproval"
    private let authorizer: any Authorizer

    public init(_ authorizer: any Authorizer) {
        self.authorizer = authorizer
    }

    public func handles(
        _ operation: AdmissionAttributes.Operation,
        _ resource: GroupResource,
        subresource: String
    ) -> Bool {
        resource == .certificateSigningRequests && subresource == "approval"
            && operation == .update
    }

    public func validate(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        let old = attributes.oldObject?.message(as: CertificatesV1.CertificateSigningRequest.self)
        guard let signer = old?.spec.signerName else { return }
        let isGranted = await SignerPermission.isGranted(
            "approve",
            for: signer,
            to: attributes.user,
            self.authorizer
        )
        guard isGranted else {
            throw attributes.forbidden(
                "user not permitted to approve requests with signerName \(GoText.quoted(signer))"
            )
        }
    }
}

/// Certificates are written by those who may sign for their signer.
///
/// Source: kubernetes `plugin/pkg/admission/certificates/signing/admission.go`.
public struct CertificateSigning: AdmissionPlugin {
    public let name = "CertificateSigning"
    private let authorizer: any Authorizer

    public init(_ authorizer: any Authorizer) {
        self.authorizer = authorizer
    }

    public func handles(
        _ operation: AdmissionAttributes.Operation,
        _ resource: GroupResource,
        subresource: String
    ) -> Bool {
        resource == .certificateSigningRequests && subresource == "status"
            && operation == .update
    }

    public func validate(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        let old = attributes.oldObject?.message(as: CertificatesV1.CertificateSigningRequest.self)
        let new = attributes.object?.message(as: CertificatesV1.CertificateSigningRequest.self)
        guard let old, let new else { return }
        let isUnsigned =
            old.status.certificate == new.status.certificate
            && old.status.conditions == new.status.conditions
        if isUnsigned { return }
        let isGranted = await SignerPermission.isGranted(
            "sign",
            for: old.spec.signerName,
            to: attributes.user,
            self.authorizer
        )
        guard isGranted else {
            throw attributes.forbidden(
                "user not permitted to sign requests with signerName "
                    + GoText.quoted(old.spec.signerName)
            )
        }
    }
}

/// Nobody asks for a client certificate of `system:masters`.
///
/// Source: kubernetes `plugin/pkg/admission/certificates/subjectrestriction/admission.go`.
public struct CertificateSubjectRestriction: AdmissionPlugin {
    public let name = "CertificateSubjectRestriction"

    public init() {}

    public func handles(
        _ operation: AdmissionAttributes.Operation,
        _ resource: GroupResource,
        subresource: String
    ) -> Bool {
        resource == .certificateSigningRequests && subresource.isEmpty && operation == .create
    }

    public func validate(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        let object = attributes.object?.message(as: CertificatesV1.CertificateSigningRequest.self)
        guard let object, object.spec.signerName == "kubernetes.io/kube-apiserver-client" else {
            return
        }
        let request: CertificateRequest
        do throws(PKIError) {
            request = try CertificateRequest(pem: object.spec.request ?? [])
        } catch {
            throw attributes.forbidden("failed to parse CSR: \(error)")
        }
        let organization = request.subject.organizations.first { $0 == UserInfo.mastersGroup }
        guard let organization else { return }
        throw attributes.forbidden(
            "use of kubernetes.io/kube-apiserver-client signer with \(organization) group is not "
                + "allowed"
        )
    }
}
