import Domain
import Ledger

/// What is asked of the record of administrators' actions. It is written beneath: each change of
/// the ledger writes its own.
protocol ActionLedger {
    /// The actions that are asked for, the newest first.
    func actions(_ query: ActionQuery) throws(AdminFailure) -> [ActionRecord]
    /// The action of that id: the organization's, or anybody's when that is nil.
    func findAction(
        _ id: ActionID, in organization: OrganizationEntry?
    ) throws(AdminFailure) -> ActionRecord?
}

extension ConfiguredLedger {
    func actions(_ query: ActionQuery) throws(AdminFailure) -> [ActionRecord] {
        try asking { store throws(LedgerError) in try store.actions.list(query) }
    }

    func findAction(
        _ id: ActionID, in organization: OrganizationEntry?
    ) throws(AdminFailure) -> ActionRecord? {
        try asking { store throws(LedgerError) in
            try store.actions.find(id, organization: organization?.id)
        }
    }
}
