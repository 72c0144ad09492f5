// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NFTables
import Netlink
import ServiceRules

extension KubeProxy {
    /// Removes everything that this type ever puts into the kernel: tables, routes and announced
    /// addresses. What was made by others stays.
    public static func cleanUp() throws {
        let kernel = try NFTables()
        for family in AddressFamily.allCases { try kernel.run(RuleTable.removal(family)) }
        let table = try RouteTable()
        for route in try table.routes() { try table.remove(route) }
        for address in try table.addresses() where address.isOwn { try table.remove(address) }
    }
}
