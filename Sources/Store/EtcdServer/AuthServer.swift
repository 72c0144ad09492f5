// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Engine
package import EtcdAPI
internal import KeyValueStore
internal import Protobuf
package import RPCInterface

/// `etcdserverpb.Auth`, answered as disabled: who may use the store is decided by TLS.
package struct AuthServer: Etcd.AuthService {
    private let store: EmbeddedStore

    package init(store: EmbeddedStore) {
        self.store = store
    }

    package func authStatus(
        _ request: Etcd.AuthStatusRequest,
        context: ServerContext
    ) async throws -> Etcd.AuthStatusResponse {
        let status = try await answer { () throws(StoreError) in try await self.store.status() }
        var response = Etcd.AuthStatusResponse()
        response.header = Etcd.ResponseHeader(status.header)
        response.enabled = false
        response.authRevision = 1
        return response
    }

    package func authDisable(
        _ request: Etcd.AuthDisableRequest,
        context: ServerContext
    ) async throws -> Etcd.AuthDisableResponse {
        let status = try await answer { () throws(StoreError) in try await self.store.status() }
        var response = Etcd.AuthDisableResponse()
        response.header = Etcd.ResponseHeader(status.header)
        return response
    }

    package func authenticate(
        _ request: Etcd.AuthenticateRequest,
        context: ServerContext
    ) async throws -> Etcd.AuthenticateResponse {
        throw RPCError(StoreError.authNotEnabled)
    }

    /// What is said to those who want users and roles.
    private var unsupported: RPCError {
        RPCError(
            code: .unimplemented,
            message: "apus: the store has no users; use client certificates (--client-cert-auth)"
        )
    }

    package func authEnable(
        _ request: Etcd.AuthEnableRequest,
        context: ServerContext
    ) async throws -> Etcd.AuthEnableResponse {
        throw self.unsupported
    }

    package func userAdd(
        _ request: Etcd.AuthUserAddRequest,
        context: ServerContext
    ) async throws -> Etcd.AuthUserAddResponse {
        throw self.unsupported
    }

    package func userGet(
        _ request: Etcd.AuthUserGetRequest,
        context: ServerContext
    ) async throws -> Etcd.AuthUserGetResponse {
        throw self.unsupported
    }

    package func userList(
        _ request: Etcd.AuthUserListRequest,
        context: ServerContext
    ) async throws -> Etcd.AuthUserListResponse {
        throw self.unsupported
    }

    package func userDelete(
        _ request: Etcd.AuthUserDeleteRequest,
        context: ServerContext
    ) async throws -> Etcd.AuthUserDeleteResponse {
        throw self.unsupported
    }

    package func userChangePassword(
        _ request: Etcd.AuthUserChangePasswordRequest,
        context: ServerContext
    ) async throws -> Etcd.AuthUserChangePasswordResponse {
        throw self.unsupported
    }

    package func userGrantRole(
        _ request: Etcd.AuthUserGrantRoleRequest,
        context: ServerContext
    ) async throws -> Etcd.AuthUserGrantRoleResponse {
        throw self.unsupported
    }

    package func userRevokeRole(
        _ request: Etcd.AuthUserRevokeRoleRequest,
        context: ServerContext
    ) async throws -> Etcd.AuthUserRevokeRoleResponse {
        throw self.unsupported
    }

    package func roleAdd(
        _ request: Etcd.AuthRoleAddRequest,
        context: ServerContext
    ) async throws -> Etcd.AuthRoleAddResponse {
        throw self.unsupported
    }

    package func roleGet(
        _ request: Etcd.AuthRoleGetRequest,
        context: ServerContext
    ) async throws -> Etcd.AuthRoleGetResponse {
        throw self.unsupported
    }

    package func roleList(
        _ request: Etcd.AuthRoleListRequest,
        context: ServerContext
    ) async throws -> Etcd.AuthRoleListResponse {
        throw self.unsupported
    }

    package func roleDelete(
        _ request: Etcd.AuthRoleDeleteRequest,
        context: ServerContext
    ) async throws -> Etcd.AuthRoleDeleteResponse {
        throw self.unsupported
    }

    package func roleGrantPermission(
        _ request: Etcd.AuthRoleGrantPermissionRequest,
        context: ServerContext
    ) async throws -> Etcd.AuthRoleGrantPermissionResponse {
        throw self.unsupported
    }

    package func roleRevokePermission(
        _ request: Etcd.AuthRoleRevokePermissionRequest,
        context: ServerContext
    ) async throws -> Etcd.AuthRoleRevokePermissionResponse {
        throw self.unsupported
    }
}
