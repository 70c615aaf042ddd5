import Domain

/// Who may ask for what.
enum AdminAccess {
    /// Refuses a role that may not do it, and a key that is bound to one organization what is of
    /// the whole installation.
    static func check(_ caller: AdminKeyEntry, _ route: AdminRoute) throws(AdminFault) {
        guard caller.role >= route.role else {
            throw .forbidden(
                "role_too_low",
                "This takes the role \(route.role.rawValue), and the key has \(caller.role.rawValue).",
                "Ask with the key of an \(route.role.rawValue).")
        }
        if route.reach == .installation, caller.organization != nil {
            throw .forbidden(
                "key_is_bound",
                "This is about the whole installation, and the key is bound to one organization.",
                "Ask with a key that is not bound.")
        }
    }

    /// Keeps a bound key within its organization: another one is missing to it, in the same words
    /// as one that does not exist.
    static func bind(
        _ question: inout AdminQuestion, to caller: AdminKeyEntry, _ ledger: ConfiguredLedger
    ) throws(AdminFault) {
        try checkForms(question)
        guard caller.organization != nil else { return }
        let own = caller.organizationName
        switch question.route.reach {
        case .organization:
            let asked = question.names["organization"] ?? ""
            guard asked == own else { throw missing("organization", asked) }
        case .adminKeys:
            guard let own else { throw missing("organization", "") }
            if let asked = question.given["organization"] {
                guard asked == own else { throw missing("organization", asked) }
            } else if question.route.names.isEmpty {
                question.words.add(option: "--organization=\(own)")
            }
            if let id = question.names["admin_key"] {
                guard try ofOwn(id, own, ledger) else { throw missing("admin key", id) }
            }
        case .organizations, .common, .installation: break
        }
    }

    /// Ids in paths that are none are missing like others.
    private static func checkForms(_ question: AdminQuestion) throws(AdminFault) {
        for name in ["key", "admin_key"] {
            if let id = question.names[name], KeyID(id) == nil {
                throw missing(name == "key" ? "key" : "admin key", "")
            }
        }
        if let id = question.names["request"], ExplainCommand.read(id) == nil {
            throw missing("request", id)
        }
        if let node = question.names["node"], (Int64(node) ?? 0) <= 0 {
            throw missing("node", node)
        }
    }

    private static func ofOwn(
        _ id: String, _ organization: String, _ ledger: ConfiguredLedger
    ) throws(AdminFault) -> Bool {
        do throws(AdminFailure) {
            guard let owner = try ledger.findOrganization(organization) else { return false }
            guard let id = KeyID(id) else { return false }
            return try ledger.findAdminKey(id)?.organization == owner.id
        } catch {
            throw AdminFault(error)
        }
    }

    private static func missing(_ what: String, _ name: String) -> AdminFault {
        AdminFault(
            name.isEmpty
                ? AdminFailure.refused("There is no such \(what).", advice: nil).because(.missing)
                : AdminFailure.notFound(what, name, advice: ""))
    }
}
