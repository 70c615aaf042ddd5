import Domain
import Synchronization

/// Books that say what a test tells them to, and remember what they were asked, and by whom.
final class ScriptedBooks: TenantBooks {
    struct State: Sendable {
        var rows: [OwnUsageRow] = []
        var quotas = OwnQuotas(asOf: Timestamp(microseconds: 0), lines: [])
        var fault: BooksFault?
        var questions: [OwnUsageQuestion] = []
        var askers: [Principal] = []
    }

    let state = Mutex(State())

    init(_ rows: [OwnUsageRow] = [], fault: BooksFault? = nil) {
        state.withLock {
            $0.rows = rows
            $0.fault = fault
        }
    }

    func usage(
        of principal: Principal, _ question: OwnUsageQuestion
    ) async throws(BooksFault) -> [OwnUsageRow] {
        let (rows, fault) = state.withLock { state in
            state.questions.append(question)
            state.askers.append(principal)
            return (state.rows, state.fault)
        }
        if let fault { throw fault }
        return rows
    }

    func quotas(of principal: Principal) async throws(BooksFault) -> OwnQuotas {
        let (quotas, fault) = state.withLock { state in
            state.askers.append(principal)
            return (state.quotas, state.fault)
        }
        if let fault { throw fault }
        return quotas
    }
}
