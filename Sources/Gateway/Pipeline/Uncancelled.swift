/// Runs `operation` to its end even when the current task is cancelled: accounting is not the
/// client's to cancel.
///
/// The one place where a task is started outside of the structure. It is waited for, so nothing
/// outlives its caller except a caller that itself waits.
///
/// - Parameter executor: where it runs, normally where the caller does; nil for anywhere.
func uncancelled<Value: Sendable>(
    on executor: (any TaskExecutor)?, _ operation: @escaping @Sendable () async -> Value
) async -> Value {
    await Task(executorPreference: executor) { await operation() }.value
}

/// Starts `operation` and leaves it to its end, for a settlement that nobody waits for. The ledger
/// bounds how long it takes, and a stopping ledger waits for it.
func unattended(on executor: (any TaskExecutor)?, _ operation: @escaping @Sendable () async -> Void)
{
    _ = Task(executorPreference: executor) { await operation() }
}
