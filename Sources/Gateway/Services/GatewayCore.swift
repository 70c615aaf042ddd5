import Domain

/// What every request of the main listener shares.
struct GatewayCore: Sendable {
    let configuration: GatewayConfiguration
    let keys: any KeyDirectory
    let ledger: any QuotaLedger
    let books: any TenantBooks
    let catalog: CatalogHolder
    let pipeline: CompletionPipeline
    let time: any TimeSource
    /// 64 random bits.
    let random: @Sendable () -> UInt64
    let activity: GatewayActivity
    let running: RunningKeys
    let metrics: GatewayMetrics
    let accessLog: AccessLog
    /// `/openapi.json` and `/docs`.
    let documents: (reference: PublishedDocument, page: PublishedDocument)
}
